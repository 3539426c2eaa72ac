//! Answers: from a value for each run of two sides to `alike`, `slower`, `faster` or `undecided`.
//!
//! Numbers only: what the values are of is up to the caller. All questions of one comparison are judged
//! together, because the correction for many questions depends on all of them.

use serde::{Deserialize, Serialize};

use crate::catalog::Better;
use crate::statistics::{ALPHA, Difference, Interval, Spread, correction, student};

/// How values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// Values are logarithms, and changes shares: a share of 0.03 is 3 %.
    Log,
    /// Values and changes are percentage points: a share of 0.03 is 0.03 points.
    Points,
}

/// What is asked about one metric of one path.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// A value for each run, on the scale.
    pub base: Vec<f64>,
    pub new: Vec<f64>,
    pub scale: Scale,
    /// [`Better::Neither`] is judged as if more were better.
    pub better: Better,
    /// Changes of at most this share in either direction are alike.
    pub margin: f64,
    /// How much single runs of an unchanged setup spread, on the scale.
    pub floor: Option<Spread>,
    /// The change for the worse beyond which the comparison fails, as a share.
    pub limit: Option<f64>,
}

/// The outcome of a question.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// The mean of NEW less the mean of BASE, on the scale.
    pub change: f64,
    /// The change with its error; `None` where the spread from run to run is unknown.
    pub estimate: Option<Estimate>,
    pub answer: Answer,
    /// Changes within it are alike, on the scale: `margin`, or the A/A floor where it is larger.
    pub alike_within: Interval,
    /// How the change came out against `limit`.
    pub limit: Option<LimitJudgement>,
}

/// A change, and how sure it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    pub difference: Difference,
    pub basis: Basis,
    /// The p-value of no change, after Holm's correction.
    pub p_adjusted: f64,
    /// The interval at the level of Holm's step, on the scale.
    pub interval: Interval,
    /// The smallest change for the worse that would have been answered `slower` with a probability of 90 %,
    /// as a share.
    pub detectable: f64,
}

/// Where the spread from run to run is known from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// From the runs of both sides.
    Runs,
    /// From the runs of the side that has more than one.
    OneSide,
    /// From the stored A/A floor.
    Floor,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    Slower,
    Faster,
    /// The corrected interval holds 0, and changes beyond the margin.
    Undecided,
    /// There is one run a side and no A/A floor, so that the spread is unknown.
    OneRunASide,
    Alike,
}

/// How a change came out against the limit of `--fail-on`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LimitJudgement {
    /// As a share.
    pub limit: f64,
    pub outcome: LimitOutcome,
    /// The p-value of a change of at most the limit, after Holm's correction; `None` without an estimate.
    pub p_adjusted: Option<f64>,
    /// The smallest change that would have been found beyond the limit with a probability of 90 %, as a share.
    pub detectable: Option<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitOutcome {
    /// The corrected one-sided interval lies wholly beyond the limit.
    Beyond,
    /// It lies wholly on the good side of the limit.
    Within,
    Undecided,
}

impl Answer {
    /// As JSON has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Answer::Slower => "slower",
            Answer::Faster => "faster",
            Answer::Undecided | Answer::OneRunASide => "undecided",
            Answer::Alike => "alike",
        }
    }

    #[must_use]
    pub fn is_undecided(self) -> bool {
        matches!(self, Answer::Undecided | Answer::OneRunASide)
    }
}

impl Scale {
    /// A change on the scale from one in share: ln(1 + share).
    #[must_use]
    pub fn from_share(self, share: f64) -> f64 {
        match self {
            Scale::Log => share.ln_1p(),
            Scale::Points => share * 100.0,
        }
    }

    /// A change as a share: the inverse of [`Scale::from_share`].
    #[must_use]
    pub fn to_share(self, change: f64) -> f64 {
        match self {
            Scale::Log => change.exp_m1(),
            Scale::Points => change / 100.0,
        }
    }
}

impl Question {
    /// A change for the better is positive after it is multiplied by this.
    fn sign(&self) -> f64 {
        match self.better {
            Better::More | Better::Neither => 1.0,
            Better::Less => -1.0,
        }
    }

    /// The size on the scale of a change for the worse by a share, positive.
    fn worse_by(&self, share: f64) -> f64 {
        -self.sign() * self.scale.from_share(-self.sign() * share)
    }

    /// The share of a change for the worse of this size on the scale.
    fn share_of_worse(&self, size: f64) -> f64 {
        -self.sign() * self.scale.to_share(-self.sign() * size)
    }

    pub(super) fn estimate(&self) -> Option<(Difference, Basis)> {
        let (base, new) = (&*self.base, &*self.new);
        let with = |spread, basis| Some((Difference::with_spread(base, new, spread)?, basis));
        match (base.len(), new.len()) {
            (2.., 2..) => Some((Difference::welch(base, new)?, Basis::Runs)),
            (2.., 1) => with(Spread::from_values(base)?, Basis::OneSide),
            (1, 2..) => with(Spread::from_values(new)?, Basis::OneSide),
            _ => with(self.floor?, Basis::Floor),
        }
    }

    fn alike_within(&self) -> Interval {
        let [low, high] = [-self.margin, self.margin].map(|share| self.scale.from_share(share));
        let floor = self.floor.map_or(0.0, |spread| {
            let none = Difference::with_spread(&self.base, &self.new, spread);
            none.and_then(|none| none.half_width(ALPHA)).unwrap_or(0.0)
        });
        Interval {
            low: low.min(-floor),
            high: high.max(floor),
        }
    }

    pub(super) fn change(&self) -> f64 {
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        mean(&self.new) - mean(&self.base)
    }
}

/// Judges all questions together; in their order. Each has a value a side.
#[must_use]
pub fn judge(questions: &[Question]) -> Vec<Judgement> {
    let found: Vec<Option<(Difference, Basis)>> =
        questions.iter().map(Question::estimate).collect();
    let estimates = changes(questions, &found);
    let limits = limits(questions, &found);
    let judged = questions.iter().zip(estimates).zip(limits);
    judged
        .map(|((question, estimate), limit)| {
            let alike_within = question.alike_within();
            let estimate = estimate.map(|estimate| Estimate {
                detectable: detectable(question, &estimate, alike_within),
                ..estimate
            });
            Judgement {
                change: question.change(),
                answer: answer(question, estimate.as_ref(), alike_within),
                estimate,
                alike_within,
                limit,
            }
        })
        .collect()
}

/// Changes with their intervals at the levels of Holm's steps.
fn changes(questions: &[Question], found: &[Option<(Difference, Basis)>]) -> Vec<Option<Estimate>> {
    let p: Vec<f64> = found
        .iter()
        .flatten()
        .map(|(difference, _)| difference.p_value())
        .collect();
    let adjusted = correction::holm(&p);
    let levels = correction::holm_levels(&p, ALPHA);
    let mut corrected = adjusted.into_iter().zip(levels);
    let mut estimates = Vec::with_capacity(questions.len());
    for found in found {
        estimates.push(found.and_then(|(difference, basis)| {
            let (p_adjusted, level) = corrected.next()?;
            Some(Estimate {
                difference,
                basis,
                p_adjusted,
                interval: difference.interval(level)?,
                detectable: f64::NAN,
            })
        }));
    }
    estimates
}

fn answer(question: &Question, estimate: Option<&Estimate>, alike_within: Interval) -> Answer {
    let Some(Estimate { interval, .. }) = estimate else {
        return Answer::OneRunASide;
    };
    if alike_within.low <= interval.low && interval.high <= alike_within.high {
        return Answer::Alike;
    }
    if interval.contains(0.0) {
        return Answer::Undecided;
    }
    if interval.low * question.sign() > 0.0 {
        Answer::Faster
    } else {
        Answer::Slower
    }
}

/// An estimate is answered `slower` if its interval excludes 0 and is not within the margin: if it is further
/// from 0 than half of the interval, and than the margin less that half.
fn detectable(question: &Question, estimate: &Estimate, alike_within: Interval) -> f64 {
    let half = estimate.interval.half();
    let margin = if question.sign() > 0.0 {
        -alike_within.low
    } else {
        alike_within.high
    };
    let size = estimate.difference.detectable(half.max(margin - half));
    size.map_or(f64::NAN, |size| question.share_of_worse(size))
}

/// One-sided tests against the limits, corrected by Holm among those that have one.
fn limits(
    questions: &[Question],
    found: &[Option<(Difference, Basis)>],
) -> Vec<Option<LimitJudgement>> {
    // Of those with a limit and an estimate: that it is not worse than the limit, and that it is.
    let tests = || {
        let pairs = questions.iter().zip(found);
        pairs.filter_map(|(question, found)| {
            let (difference, _) = (*found)?;
            Some((question, difference, question.worse_by(question.limit?)))
        })
    };
    let beyond: Vec<f64> = tests()
        .map(|(question, found, limit)| is_worse(question, &found, limit))
        .collect();
    let within: Vec<f64> = beyond.iter().map(|p| 1.0 - p).collect();
    let levels = correction::holm_levels(&beyond, ALPHA);
    let (beyond, within) = (correction::holm(&beyond), correction::holm(&within));
    let mut corrected = beyond.into_iter().zip(within).zip(levels);
    let judged = questions.iter().zip(found).map(|(question, found)| {
        let limit = question.limit?;
        let none = LimitJudgement {
            limit,
            outcome: LimitOutcome::Undecided,
            p_adjusted: None,
            detectable: None,
        };
        let Some((difference, _)) = found else {
            return Some(none);
        };
        let ((beyond, within), level) = corrected.next()?;
        let room = student::critical((2.0 * level).min(1.0 - f64::EPSILON), difference.freedom)?;
        let size = difference.detectable(question.worse_by(limit) + room * difference.error);
        Some(LimitJudgement {
            outcome: match (beyond <= ALPHA, within <= ALPHA) {
                (true, _) => LimitOutcome::Beyond,
                (false, true) => LimitOutcome::Within,
                (false, false) => LimitOutcome::Undecided,
            },
            p_adjusted: Some(beyond),
            detectable: size.map(|size| question.share_of_worse(size)),
            ..none
        })
    });
    judged.collect()
}

/// The probability of a change at least this bad where the true one is the limit, a size on the scale.
fn is_worse(question: &Question, found: &Difference, limit: f64) -> f64 {
    if question.sign() > 0.0 {
        found.p_below(-limit)
    } else {
        found.p_above(limit)
    }
}

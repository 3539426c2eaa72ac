//! What comes of a question.

use serde::Serialize;

use crate::statistics::{Difference, Interval};

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
    /// From the rounds of one run.
    Pairs,
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

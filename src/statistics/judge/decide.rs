//! Questions → answers. All questions of one comparison are judged together, because the correction for many
//! questions depends on all of them.

use super::answer::{Answer, Basis, Estimate, Judgement, LimitJudgement, LimitOutcome};
use super::question::Question;
use crate::statistics::{ALPHA, Difference, Interval, correction, student};

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
    for (question, found) in questions.iter().zip(found) {
        estimates.push(found.and_then(|(difference, basis)| {
            let (p_adjusted, level) = corrected.next()?;
            let interval = difference.interval(level)?;
            let size = detectable(question, &difference, interval);
            Some(Estimate {
                difference,
                basis,
                p_adjusted,
                interval,
                detectable: size
                    .filter(|_| question.can_find(level))
                    .unwrap_or(f64::NAN),
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
fn detectable(question: &Question, found: &Difference, interval: Interval) -> Option<f64> {
    let half = interval.half();
    let alike_within = question.alike_within();
    let margin = if question.sign() > 0.0 {
        -alike_within.low
    } else {
        alike_within.high
    };
    let size = found.detectable(half.max(margin - half))?;
    Some(question.share_of_worse(size))
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
        let level = (2.0 * level).min(1.0 - f64::EPSILON);
        let room = student::critical(level, difference.freedom)?;
        let size = difference.detectable(question.worse_by(limit) + room * difference.error);
        let size = size.filter(|_| question.can_find(level));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Better;
    use crate::statistics::Spread;
    use crate::statistics::judge::Scale;
    use proptest::prelude::*;

    fn question(base: &[f64], new: &[f64]) -> Question {
        Question {
            base: base.to_vec(),
            new: new.to_vec(),
            pairs: None,
            scale: Scale::Log,
            better: Better::More,
            margin: 0.03,
            floor: None,
            limit: None,
        }
    }

    fn answer_of(question: Question) -> Answer {
        judge(&[question])[0].answer
    }

    #[test]
    fn a_sure_change_is_alike_within_the_margin_and_else_an_answer() {
        let base = [0.0, 0.001, -0.001];
        let moved = |by: f64| base.map(|value| value + by);
        assert_eq!(answer_of(question(&base, &moved(0.0))), Answer::Alike);
        assert_eq!(answer_of(question(&base, &moved(-0.02))), Answer::Alike);
        assert_eq!(answer_of(question(&base, &moved(-0.1))), Answer::Slower);
        assert_eq!(answer_of(question(&base, &moved(0.1))), Answer::Faster);
        let wide = [-0.1, 0.0, 0.1];
        assert_eq!(answer_of(question(&wide, &base)), Answer::Undecided);
        assert_eq!(answer_of(question(&[0.0], &[-1.0])), Answer::OneRunASide);
    }

    #[test]
    fn a_floor_decides_about_single_runs_and_widens_what_is_alike() {
        let spread = Spread {
            deviation: 0.02,
            freedom: 29.0,
        };
        let with_floor = |base: &[f64], new: &[f64]| Question {
            floor: Some(spread),
            ..question(base, new)
        };
        let [judged] = &judge(&[with_floor(&[0.0], &[-0.2])])[..] else {
            panic!("one question has one answer");
        };
        assert_eq!(judged.answer, Answer::Slower);
        assert_eq!(judged.estimate.unwrap().basis, Basis::Floor);
        // t(0.975, 29) = 2.045, times 0.02 · √2.
        assert!((judged.alike_within.high - 0.0578).abs() < 1e-4);
        // With more runs the floor is lower.
        let many = &judge(&[with_floor(&[0.0; 8], &[0.0; 8])])[0];
        assert!((many.alike_within.high - 0.03f64.ln_1p()).abs() < 1e-9);
    }

    #[test]
    fn a_limit_is_one_sided_and_counts_from_itself() {
        let base = [0.0, 0.001, -0.001, 0.0];
        let limited = |by: f64, limit: f64| {
            let question = Question {
                limit: Some(limit),
                ..question(&base, &base.map(|value| value + by))
            };
            judge(&[question])[0].limit.unwrap().outcome
        };
        assert_eq!(limited(-0.1, 0.05), LimitOutcome::Beyond);
        assert_eq!(limited(-0.0513, 0.05), LimitOutcome::Undecided);
        assert_eq!(limited(-0.02, 0.05), LimitOutcome::Within);
        assert_eq!(limited(0.5, 0.05), LimitOutcome::Within);
    }

    #[test]
    fn shares_of_worse_are_of_the_metric_and_not_of_its_logarithm() {
        for (better, worse) in [(Better::More, 0.95f64.ln()), (Better::Less, 1.05f64.ln())] {
            let question = Question {
                better,
                ..question(&[0.0], &[0.0])
            };
            assert!((question.worse_by(0.05) - worse.abs()).abs() < 1e-12);
            assert!((question.share_of_worse(worse.abs()) - 0.05).abs() < 1e-12);
        }
        let points = Question {
            scale: Scale::Points,
            better: Better::Less,
            ..question(&[0.0], &[0.0])
        };
        assert!((points.worse_by(0.01) - 1.0).abs() < 1e-12);
        assert!((points.share_of_worse(1.0) - 0.01).abs() < 1e-12);
    }

    fn by_differences(base: &[f64], new: &[f64]) -> Question {
        Question {
            scale: Scale::Difference,
            better: Better::Less,
            margin: 0.01,
            ..question(base, new)
        }
    }

    #[test]
    fn an_outage_against_none_is_an_answer() {
        let none = [0.0; 5];
        let outage = [0.512, 0.498, 0.507, 0.521, 0.503];
        assert_eq!(answer_of(by_differences(&none, &none)), Answer::Alike);
        assert_eq!(answer_of(by_differences(&none, &outage)), Answer::Slower);
        assert_eq!(answer_of(by_differences(&outage, &none)), Answer::Faster);
        let short = outage.map(|length| length / 100.0);
        assert_eq!(answer_of(by_differences(&none, &short)), Answer::Alike);
        let once = [0.0, 0.0, 0.0, 0.0, 0.5];
        assert_eq!(answer_of(by_differences(&none, &once)), Answer::Undecided);
    }

    #[test]
    fn a_limit_of_no_outage_is_kept_by_none() {
        let limited = |new: &[f64]| {
            let question = Question {
                limit: Some(0.01),
                ..by_differences(&[0.0; 5], new)
            };
            judge(&[question])[0].limit.unwrap().outcome
        };
        assert_eq!(limited(&[0.0; 5]), LimitOutcome::Within);
        assert_eq!(limited(&[0.5; 5]), LimitOutcome::Beyond);
    }

    #[test]
    fn runs_that_are_too_few_would_have_found_nothing() {
        let detectable = |runs: usize| {
            let none = vec![0.0; runs];
            let judged = judge(&[by_differences(&none, &none)]);
            judged[0].estimate.unwrap().detectable
        };
        assert!(detectable(2).is_nan());
        assert!(detectable(5) > 0.0);
    }

    /// All histories of unchanged runs that have an outage with a probability of one half.
    #[test]
    fn outages_by_chance_are_seldom_answers() {
        for runs in 2..=5u8 {
            let histories = 1u32 << (2 * runs);
            let length = |history: u32, run: u8| {
                let has_outage = (history >> run) & 1 == 1;
                if has_outage {
                    0.5 + 0.01 * f64::from(run % 4)
                } else {
                    0.0
                }
            };
            let is_wrong = |history: &u32| {
                let side = |from: u8| -> Vec<f64> {
                    let of_side = from..from + runs;
                    of_side.map(|run| length(*history, run)).collect()
                };
                let answer = answer_of(by_differences(&side(0), &side(runs)));
                matches!(answer, Answer::Slower | Answer::Faster)
            };
            let wrong = (0..histories).filter(is_wrong).count();
            assert!(
                wrong as f64 <= 0.05 * f64::from(histories),
                "{wrong} of {histories} with {runs} runs a side"
            );
        }
    }

    fn values() -> impl Strategy<Value = Vec<f64>> {
        prop::collection::vec(-0.2f64..0.2, 1..6)
    }

    fn questions() -> impl Strategy<Value = Vec<Question>> {
        let better = prop_oneof![Just(Better::More), Just(Better::Less)];
        let scale = prop_oneof![Just(Scale::Log), Just(Scale::Difference)];
        let limit = prop::option::of(0.0f64..0.2);
        let floor = prop::option::of((0.0f64..0.1).prop_map(|deviation| Spread {
            deviation,
            freedom: 9.0,
        }));
        let one = (values(), values(), scale, better, limit, floor).prop_map(
            |(base, new, scale, better, limit, floor)| Question {
                scale,
                better,
                floor,
                limit,
                ..question(&base, &new)
            },
        );
        prop::collection::vec(one, 0..8)
    }

    proptest! {
        #[test]
        fn swapped_sides_have_the_opposite_answers(questions in questions()) {
            let swapped: Vec<Question> = questions
                .iter()
                .map(|it| Question { base: it.new.clone(), new: it.base.clone(), ..it.clone() })
                .collect();
            for (there, back) in judge(&questions).iter().zip(judge(&swapped)) {
                let opposite = match there.answer {
                    Answer::Slower => Answer::Faster,
                    Answer::Faster => Answer::Slower,
                    same => same,
                };
                // The margins are 3 % of either side, so that some changes are alike one way only.
                let is_near = there.estimate.is_some_and(|it| {
                    it.interval.low.abs().max(it.interval.high.abs()) < 0.0315
                });
                prop_assert!(back.answer == opposite || is_near, "{:?} {:?}", there, back);
            }
        }

        #[test]
        fn two_runs_a_side_decide_no_difference(
            base in prop::collection::vec(0f64..1.0, 2),
            new in prop::collection::vec(prop_oneof![Just(0.0), 0f64..1e9], 2),
        ) {
            let answer = answer_of(by_differences(&base, &new));
            prop_assert!(matches!(answer, Answer::Alike | Answer::Undecided), "{:?}", answer);
        }

        #[test]
        fn answers_about_differences_do_not_depend_on_the_unit(
            base in prop::collection::vec(0f64..1.0, 2..6),
            new in prop::collection::vec(0f64..1.0, 2..6),
            power in -20i32..20,
        ) {
            let by = 2f64.powi(power);
            let scaled = |values: &[f64]| values.iter().map(|value| value * by).collect::<Vec<f64>>();
            let in_other_unit = Question {
                margin: 0.01 * by,
                ..by_differences(&scaled(&base), &scaled(&new))
            };
            prop_assert_eq!(answer_of(by_differences(&base, &new)), answer_of(in_other_unit));
        }

        #[test]
        fn more_questions_never_make_an_answer_surer(questions in questions(), other in values()) {
            let all = judge(&questions);
            let more: Vec<Question> = questions
                .iter()
                .cloned()
                .chain([question(&other, &other)])
                .collect();
            for (few, more) in all.iter().zip(judge(&more)) {
                if let (Some(few), Some(more)) = (few.estimate, more.estimate) {
                    prop_assert!(few.p_adjusted <= more.p_adjusted + 1e-12);
                }
            }
        }

        #[test]
        fn answers_say_what_their_intervals_say(questions in questions()) {
            for (question, judged) in questions.iter().zip(judge(&questions)) {
                let Some(estimate) = judged.estimate else {
                    prop_assert_eq!(judged.answer, Answer::OneRunASide);
                    prop_assert!(question.base.len() == 1 && question.new.len() == 1);
                    continue;
                };
                let interval = estimate.interval;
                match judged.answer {
                    Answer::Slower | Answer::Faster => prop_assert!(!interval.contains(0.0)),
                    Answer::Undecided => prop_assert!(interval.contains(0.0)),
                    _ => prop_assert!(judged.alike_within.contains(interval.low)),
                }
                prop_assert!(interval.contains(judged.change) || interval.half() < 1e-12);
                // So few runs find no difference, however large it is.
                let finds_none = question.scale == Scale::Difference && estimate.detectable.is_nan();
                prop_assert!(finds_none || estimate.detectable > 0.0, "{:?}", estimate);
            }
        }
    }
}

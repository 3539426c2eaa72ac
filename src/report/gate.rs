//! Whether a run keeps what its plan expects: `expect:` of tests and of paths, a judgement for each
//! cell, metric and expectation.
//!
//! A figure with an interval is judged by the whole interval: it passes when all of it keeps the
//! bound, fails when all of it breaks the bound, and is undecided when the bound lies within. A
//! single sample has no interval and is judged by its value. A bound that is a share of another
//! path is judged by the interval of the ratio of both means. What was not measured cannot have been
//! kept: it counts as fallen short.

use serde::Serialize;

use super::figures::Peers;
use super::fold::{CellReport, CellState, Report};
use super::variants;
use crate::plan::{Bound, Expectation, Expectations, Metric, Path, Plan, Test};
use crate::statistics::Interval;

/// How an expectation came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verdict {
    Fail,
    /// The cell has no figure to judge; falls short.
    NotMeasured,
    /// The bound lies within the interval, or what it is a share of was not selected.
    Undecided,
    Pass,
}

/// Who expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    Test,
    Path,
}

/// One expectation of one cell.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement<'a> {
    pub cell: &'a CellReport,
    pub origin: Origin,
    pub metric: &'a Metric,
    pub expectation: &'a Expectation,
    /// None when there is nothing to judge.
    pub found: Option<Found>,
    pub verdict: Verdict,
    /// Why there is nothing to judge.
    pub reason: Option<String>,
}

/// What is compared with the bound.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Found {
    /// In the metric's own unit; of a bound that is a share, the ratio in percent.
    pub value: f64,
    /// The 95 % interval; None when a single sample, or means alone, had to do.
    pub interval: Option<Interval>,
    /// Of the cell itself.
    pub samples: usize,
}

/// How many came out how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    pub passed: usize,
    pub failed: usize,
    pub undecided: usize,
    pub not_measured: usize,
}

impl Verdict {
    /// As JSON has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Pass => "pass",
            Verdict::Fail => "fail",
            Verdict::Undecided => "undecided",
            Verdict::NotMeasured => "not_measured",
        }
    }
}

impl Tally {
    #[must_use]
    pub fn new(judgements: &[Judgement<'_>]) -> Tally {
        let mut tally = Tally::default();
        for judgement in judgements {
            *match judgement.verdict {
                Verdict::Pass => &mut tally.passed,
                Verdict::Fail => &mut tally.failed,
                Verdict::Undecided => &mut tally.undecided,
                Verdict::NotMeasured => &mut tally.not_measured,
            } += 1;
        }
        tally
    }

    /// An expectation was measured and broken, or could not be kept because nothing was measured.
    #[must_use]
    pub fn falls_short(self, undecided_fails: bool) -> bool {
        self.is_broken(undecided_fails) || self.not_measured > 0
    }

    /// An expectation was measured and broken.
    #[must_use]
    pub fn is_broken(self, undecided_fails: bool) -> bool {
        self.failed > 0 || (undecided_fails && self.undecided > 0)
    }

    #[must_use]
    pub fn all(self) -> usize {
        self.passed + self.failed + self.undecided + self.not_measured
    }
}

/// Judges every expectation of every cell, in the schedule's order: a test's before its path's. A
/// path's expectation is of every test on it that measures the metric, and a share of another path
/// of every test that measures that path too; the others it does not concern.
#[must_use]
pub fn judge(report: &Report) -> Vec<Judgement<'_>> {
    let mut judgements = Vec::new();
    let Plan { tests, paths, .. } = &report.plan;
    let expects = tests.iter().map(|test| &test.expect);
    let mut expects = expects.chain(paths.iter().map(|path| &path.expect));
    if expects.all(Expectations::is_empty) {
        return judgements;
    }
    let peers = Peers::new(report);
    let measured: Vec<Vec<Metric>> = tests.iter().map(Test::metrics).collect();
    for cell in &report.cells {
        let Some((row, test, path)) = report.row(cell.row) else {
            continue;
        };
        let measured = &measured[row.test];
        let of_test = test.expect.iter().map(|e| (Origin::Test, e));
        let of_path = path.expect.iter().map(|e| (Origin::Path, e));
        let of_path = of_path.filter(|(_, (metric, _))| measured.contains(metric));
        let concerns = of_test
            .chain(of_path)
            .filter(|(_, (_, expectation))| concerns(&report.plan, expectation, test, path));
        for (origin, (metric, expectation)) in concerns {
            let (found, verdict, reason) = match find(report, &peers, cell, metric, expectation) {
                Ok(found) => (Some(found), found.against(expectation), None),
                Err((verdict, reason)) => (None, verdict, Some(reason)),
            };
            judgements.push(Judgement {
                cell,
                origin,
                metric,
                expectation,
                found,
                verdict,
                reason,
            });
        }
    }
    judgements
}

/// Whether the bound means the cells of a test on a path: a share of a path is for the test's other
/// paths, and does not apply where the test does not measure that path. A share of a variant is for the
/// other variants.
fn concerns(plan: &Plan, expectation: &Expectation, test: &Test, path: &Path) -> bool {
    match &expectation.bound {
        Bound::Absolute(_) => true,
        Bound::OfPath { path: whole, .. } => match plan.variants.get_index_of(whole) {
            Some(variant) => variant != path.variant,
            None => whole != path.plain_name() && test.paths.contains(whole),
        },
    }
}

/// What to hold against the bound, or why there is nothing.
fn find(
    report: &Report,
    peers: &Peers<'_>,
    cell: &CellReport,
    metric: &Metric,
    expectation: &Expectation,
) -> Result<Found, (Verdict, String)> {
    let figure = |cell: &CellReport, where_: &str| {
        report
            .figure(cell, metric.name())
            .ok_or_else(|| (Verdict::NotMeasured, why_not(cell, metric, where_)))
    };
    let own = figure(cell, "")?;
    let samples = own.summary.count;
    let path = match &expectation.bound {
        Bound::Absolute(_) => {
            return Ok(Found {
                value: own.summary.mean,
                // No metric goes below 0, though Student's interval may.
                interval: own.interval.map(|interval| Interval {
                    low: interval.low.max(own.summary.min.min(0.0)),
                    ..interval
                }),
                samples,
            });
        }
        Bound::OfPath { path, .. } => path,
    };
    if let Some(variant) = report.plan.variants.get_index_of(path) {
        return of_variant(report, peers, cell, metric, (path, variant));
    }
    let on = format!(" on {path}");
    let own_variant = report.row(cell.row).map_or(0, |(row, ..)| row.variant());
    let is_meant = |p: &Path| p.variant == own_variant && p.plain_name() == path;
    let index = report.plan.paths.iter().position(is_meant);
    let test = report.schedule.rows.get(cell.row).map(|row| row.test);
    let peer = index
        .zip(test)
        .and_then(|(path, test)| peers.get(test, path, &cell.params))
        .ok_or_else(|| {
            (
                Verdict::Undecided,
                format!("the same cell{on} was not selected"),
            )
        })?;
    let other = figure(peer, &on)?;
    if let Some(ratio) = report.ratio(cell, peer, metric.name()) {
        return Ok(Found {
            value: ratio.value * 100.0,
            interval: ratio.interval.map(|i| Interval {
                low: i.low * 100.0,
                high: i.high * 100.0,
            }),
            samples,
        });
    }
    // Without positive means on both sides there is no ratio; two zeros are equal.
    if own.summary.mean.to_bits() == other.summary.mean.to_bits() {
        return Ok(Found {
            value: 100.0,
            interval: None,
            samples,
        });
    }
    if other.summary.mean > 0.0 {
        return Ok(Found {
            value: own.summary.mean / other.summary.mean * 100.0,
            interval: None,
            samples,
        });
    }
    Err((
        Verdict::Undecided,
        format!("a share of 0{on} has no meaning"),
    ))
}

/// The share of the same cell under another variant, by pairs of the same rounds.
fn of_variant(
    report: &Report,
    peers: &Peers<'_>,
    cell: &CellReport,
    metric: &Metric,
    (name, variant): (&str, usize),
) -> Result<Found, (Verdict, String)> {
    let on = format!(" under {name}");
    let peer = peers.under(report, cell, variant).ok_or_else(|| {
        let reason = format!("the same cell{on} was not selected");
        (Verdict::Undecided, reason)
    })?;
    if report.figure(peer, metric.name()).is_none() {
        return Err((Verdict::NotMeasured, why_not(peer, metric, &on)));
    }
    let pairs = variants::paired(peer, cell, metric.name());
    let pairs = pairs.ok_or_else(|| {
        let reason = format!("there are fewer than two rounds with a ratio to the cell{on}");
        (Verdict::Undecided, reason)
    })?;
    let test = report.schedule.rows.get(cell.row).map(|row| row.test);
    let interval = test.and_then(|test| report.ratio_interval(test, &pairs));
    Ok(Found {
        value: pairs.ratio() * 100.0,
        interval: interval.map(|interval| interval.divided_by(0.01)),
        samples: pairs.pairs,
    })
}

fn why_not(cell: &CellReport, metric: &Metric, on: &str) -> String {
    match &cell.state {
        CellState::Measured | CellState::Partial => {
            format!("the samples{on} say nothing of {metric}")
        }
        CellState::Failed(failure) => format!("the cell{on} failed: {}", failure.cause),
        CellState::Skipped(reason) => format!("the cell{on} was skipped: {reason}"),
        CellState::Missing => format!("the cell{on} was not reached"),
    }
}

impl Found {
    /// Judges by the interval, or by the value where there is none.
    fn against(self, expectation: &Expectation) -> Verdict {
        let bound = match expectation.bound {
            Bound::Absolute(bound) => bound,
            Bound::OfPath { percent, .. } => percent,
        };
        let holds = |value| expectation.comparison.holds(value, bound);
        let (low, high) = self
            .interval
            .map_or((self.value, self.value), |i| (i.low, i.high));
        match (holds(low), holds(high)) {
            (true, true) => Verdict::Pass,
            (false, false) => Verdict::Fail,
            _ => Verdict::Undecided,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Comparison;
    use proptest::prelude::*;

    fn judged(low: f64, high: f64, comparison: Comparison, bound: f64) -> Verdict {
        let found = Found {
            value: f64::midpoint(low, high),
            interval: Some(Interval { low, high }),
            samples: 3,
        };
        found.against(&Expectation {
            comparison,
            bound: Bound::Absolute(bound),
        })
    }

    #[test]
    fn the_whole_interval_judges() {
        for (low, high, verdict) in [
            (9.1, 9.5, Verdict::Pass),
            (9.0, 9.5, Verdict::Pass),
            (8.9, 9.5, Verdict::Undecided),
            (8.5, 9.0, Verdict::Undecided),
            (8.5, 8.9, Verdict::Fail),
        ] {
            assert_eq!(
                judged(low, high, Comparison::AtLeast, 9.0),
                verdict,
                "{low} to {high}"
            );
        }
        assert_eq!(judged(9.0, 9.5, Comparison::Above, 9.0), Verdict::Undecided);
        assert_eq!(judged(8.5, 9.0, Comparison::Below, 9.0), Verdict::Undecided);
        assert_eq!(judged(8.5, 9.0, Comparison::AtMost, 9.0), Verdict::Pass);
        assert_eq!(judged(9.0, 9.5, Comparison::Below, 9.0), Verdict::Fail);
    }

    #[test]
    fn a_single_sample_is_judged_by_its_value() {
        let found = Found {
            value: 9.0,
            interval: None,
            samples: 1,
        };
        let at_least = |bound| Expectation {
            comparison: Comparison::AtLeast,
            bound: Bound::OfPath {
                percent: bound,
                path: "other".to_owned(),
            },
        };
        assert_eq!(found.against(&at_least(9.0)), Verdict::Pass);
        assert_eq!(found.against(&at_least(9.1)), Verdict::Fail);
    }

    proptest! {
        #[test]
        fn a_narrower_interval_never_turns_a_verdict(
            low in -10f64..10.0,
            width in 0f64..5.0,
            shrink in 0f64..0.5,
            bound in -10f64..10.0,
            comparison in prop::sample::select(Comparison::ALL.to_vec()),
        ) {
            let wide = judged(low, low + width, comparison, bound);
            let narrow = judged(low + width * shrink, low + width * (1.0 - shrink), comparison, bound);
            prop_assert!(wide == Verdict::Undecided || wide == narrow);
        }

        #[test]
        fn passing_is_failing_the_opposite(
            low in -10f64..10.0,
            width in 0f64..5.0,
            bound in -10f64..10.0,
        ) {
            let floor = judged(low, low + width, Comparison::AtLeast, bound);
            let ceiling = judged(low, low + width, Comparison::Below, bound);
            prop_assert_eq!(floor == Verdict::Pass, ceiling == Verdict::Fail);
            prop_assert_eq!(floor == Verdict::Undecided, ceiling == Verdict::Undecided);
        }
    }
}

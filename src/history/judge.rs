//! All series of all timelines, judged together.

use super::acceptance::{Acceptance, Acceptances};
use super::change::{Change, Direction, JudgedSeries, Kind, Status};
use super::finding::{self, Finding};
use super::moves::{Drift, Move, Moves, SETTLED_FROM};
use super::series::{Series, Timeline, timelines};
use crate::catalog::{self, Better};
use crate::report::compared_metric;
use crate::results::RunSummary;
use crate::statistics::correction;

/// How series are judged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// The share of changes that may be false on the average, by Benjamini and Hochberg.
    pub false_share: f64,
    /// Smaller changes are not reported, as a share: 0.03 is 3 %. None for the usual one of each metric.
    pub minimum: Option<f64>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            false_share: 0.01,
            minimum: None,
        }
    }
}

impl Settings {
    /// The smallest change of a metric that is reported, as a share: usually what `compare` takes for alike.
    #[must_use]
    pub fn minimum(&self, metric: &str) -> f64 {
        self.minimum
            .unwrap_or_else(|| compared_metric::margin(metric))
    }
}

/// Timelines with what was found in them.
#[derive(Clone, Debug, PartialEq)]
pub struct History {
    pub settings: Settings,
    pub timelines: Vec<JudgedTimeline>,
    /// Accepted changes at runs that are not there.
    pub unknown_acceptances: Vec<Acceptance>,
}

/// A timeline with what was found in it.
#[derive(Clone, Debug, PartialEq)]
pub struct JudgedTimeline {
    pub timeline: Timeline,
    /// In the order of the timeline's series.
    pub series: Vec<JudgedSeries>,
    /// The latest first.
    pub findings: Vec<Finding>,
    /// Accepted changes, by the position of their run.
    pub accepted: Vec<(usize, Acceptance)>,
}

impl History {
    /// Sorts summaries into series and judges all of them.
    #[must_use]
    pub fn new(summaries: Vec<RunSummary>, accepted: &Acceptances, settings: Settings) -> History {
        let timelines = timelines(summaries);
        let found: Vec<Vec<Moves>> = timelines
            .iter()
            .map(|timeline| {
                let boundaries = boundaries(timeline, accepted);
                let find = |series: &Series| {
                    let boundaries = boundaries.iter().map(|(run, _)| series.position(*run));
                    let boundaries: Vec<usize> = boundaries.collect();
                    Moves::find(&series.values(), &boundaries, settings.false_share)
                };
                timeline.series.iter().map(find).collect()
            })
            .collect();
        let mut corrected = corrected(found.iter().flatten()).into_iter();
        let judged = timelines.into_iter().zip(&found).map(|(timeline, found)| {
            let series: Vec<JudgedSeries> = timeline
                .series
                .iter()
                .zip(found)
                .map(|(series, found)| {
                    let p = corrected.next().unwrap_or_default();
                    judge(series, found, &p, &settings)
                })
                .collect();
            JudgedTimeline {
                findings: finding::findings(&timeline, &series),
                accepted: boundaries(&timeline, accepted),
                series,
                timeline,
            }
        });
        let timelines: Vec<JudgedTimeline> = judged.collect();
        let is_known = |acceptance: &&Acceptance| {
            let mut all = timelines.iter().flat_map(|it| &it.accepted);
            all.any(|(_, known)| known == *acceptance)
        };
        let unknown = accepted.accepted.iter().filter(|it| !is_known(it));
        History {
            settings,
            unknown_acceptances: unknown.cloned().collect(),
            timelines,
        }
    }

    /// Something got slower, is not accepted and has not recovered; `confirmed_only` leaves out what is only
    /// suspected.
    #[must_use]
    pub fn is_slower(&self, confirmed_only: bool) -> bool {
        let mut findings = self.timelines.iter().flat_map(|it| &it.findings);
        findings.any(|finding| {
            finding.direction == Direction::Slower
                && match finding.status {
                    Status::Confirmed => true,
                    Status::Suspected => !confirmed_only,
                    Status::Recovered => false,
                }
        })
    }
}

/// Accepted changes with the position of their run, in the order of time.
fn boundaries(timeline: &Timeline, accepted: &Acceptances) -> Vec<(usize, Acceptance)> {
    let runs = timeline.runs.iter().enumerate();
    let accepted = runs.filter_map(|(at, run)| {
        let acceptance = accepted.accepted.iter().find(|it| it.run == run.id)?;
        Some((at, acceptance.clone()))
    });
    accepted.collect()
}

/// The probabilities of each series' moves, and of its drift at the end, corrected for all that was looked for in
/// all series.
fn corrected<'a>(found: impl Iterator<Item = &'a Moves> + Clone) -> Vec<Vec<f64>> {
    let likely = |moves: &'a Moves| {
        let drift = moves.drift.iter().map(|drift| drift.p);
        moves.moves.iter().map(|found| found.p).chain(drift)
    };
    let mut p: Vec<f64> = found.clone().flat_map(likely).collect();
    p.extend(found.clone().flat_map(|moves| moves.others.iter().copied()));
    let mut corrected = correction::benjamini_hochberg(&p).into_iter();
    found
        .map(|moves| corrected.by_ref().take(likely(moves).count()).collect())
        .collect()
}

/// `p` has a corrected probability for each move, and one for the drift.
fn judge(series: &Series, found: &Moves, p: &[f64], settings: &Settings) -> JudgedSeries {
    let values = series.values();
    let now = found.moves.last().map_or(0, |last| last.at);
    let now = values.get(now.max(values.len().saturating_sub(super::WINDOW))..);
    let now = mean(now.unwrap_or_default());
    let judge = Judge {
        series,
        now,
        better: catalog::better(&series.name.metric),
        minimum: settings.minimum(&series.name.metric),
    };
    let is_real = |p: &f64| *p <= settings.false_share;
    let moves = found.moves.iter().zip(p).filter(|(_, p)| is_real(p));
    let moves = moves.filter_map(|(found, p)| judge.step(found, *p));
    let drift = found
        .drift
        .as_ref()
        .zip(p.last())
        .filter(|(_, p)| is_real(p));
    let drift = drift.and_then(|(drift, p)| judge.drift(drift, values.len(), *p));
    JudgedSeries {
        now,
        changes: moves.chain(drift).collect(),
    }
}

struct Judge<'a> {
    series: &'a Series,
    now: f64,
    better: Better,
    /// As a share.
    minimum: f64,
}

impl Judge<'_> {
    fn step(&self, found: &Move, p: f64) -> Option<Change> {
        let change = found.difference.value;
        // The new level does not always last.
        let level = mean(self.series.values().get(found.at..found.at + found.after)?);
        let left = self.now - (level - change);
        let is_undone = left.signum() != change.signum() || !self.is_large(left);
        let status = match found.after {
            _ if is_undone => Status::Recovered,
            after if after < SETTLED_FROM => Status::Suspected,
            _ => Status::Confirmed,
        };
        let (run, after) = (self.run(found.at)?, found.after);
        self.change(
            Kind::Step,
            change,
            Change {
                status,
                run,
                after,
                p,
                ..NONE
            },
        )
    }

    fn drift(&self, found: &Drift, length: usize, p: f64) -> Option<Change> {
        let (run, after) = (self.run(found.from)?, length - found.from);
        self.change(
            Kind::Drift,
            found.total,
            Change {
                run,
                after,
                p,
                ..NONE
            },
        )
    }

    fn run(&self, at: usize) -> Option<usize> {
        Some(self.series.points.get(at)?.run)
    }

    /// Whether a difference of logarithms is a change that is reported.
    fn is_large(&self, log: f64) -> bool {
        log.exp_m1().abs() >= self.minimum
    }

    /// None of a change that is too small.
    fn change(&self, kind: Kind, log: f64, rest: Change) -> Option<Change> {
        let is_worse = match self.better {
            Better::More | Better::Neither => log < 0.0,
            Better::Less => log > 0.0,
        };
        self.is_large(log).then(|| Change {
            kind,
            direction: if is_worse {
                Direction::Slower
            } else {
                Direction::Faster
            },
            share: log.exp_m1(),
            ..rest
        })
    }
}

/// What [`Judge::change`] fills in.
const NONE: Change = Change {
    kind: Kind::Step,
    direction: Direction::Slower,
    status: Status::Confirmed,
    run: 0,
    after: 0,
    share: 0.0,
    p: 1.0,
};

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::series::{Point, SeriesName};

    #[test]
    fn the_minimum_is_a_share_in_both_directions() {
        let series = Series {
            name: SeriesName {
                plan: String::new(),
                test: String::new(),
                path: String::new(),
                relative_to: None,
                metric: "throughput_bps".to_owned(),
            },
            points: vec![Point { run: 0, log: 0.0 }],
        };
        let judge = Judge {
            series: &series,
            now: 0.0,
            better: Better::More,
            minimum: 0.5,
        };
        let is_reported = |ratio: f64| judge.change(Kind::Step, ratio.ln(), NONE).is_some();
        // A ratio of 0.651 is -34.9 %, although its logarithm is further from 0 than that of 1.5.
        let reported = [0.49, 0.651, 1.49, 1.51].map(is_reported);
        assert_eq!(reported, [true, false, false, true]);
    }
}

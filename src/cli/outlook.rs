//! How far a run has come, and how long it takes yet. Pure.

use std::collections::HashMap;
use std::time::Duration;

use crate::plan::Plan;
use crate::results::{EventKind, Outcome};
use crate::schedule::{CellId, Schedule, search};
use crate::tools;

/// What is known of the samples that are to come.
///
/// Work is counted in the time that samples were predicted to take; how fast it is done, by how
/// many run side by side and how many fail, is learnt as the run goes on.
#[derive(Debug, Default)]
pub(super) struct Outlook {
    tests: HashMap<String, OfTest>,
    /// Samples of the cells that have begun and not ended.
    begun: HashMap<CellId, u32>,
    ended: usize,
    all: usize,
    /// Predicted seconds of what was done before it was looked at.
    before: f64,
}

/// The cells of a test.
#[derive(Debug, Default)]
struct OfTest {
    /// What a sample takes.
    sample: Duration,
    /// The fewest that a cell gets.
    least: u32,
    open: u32,
    /// Samples of the open ones.
    taken: u32,
    /// Those that were measured, and their samples.
    measured: u32,
    samples: u32,
    /// Samples of those that failed.
    lost: u32,
}

impl OfTest {
    /// Samples yet to come: a cell is expected to take as many as those before it.
    fn to_come(&self) -> f64 {
        let expected = if self.measured == 0 {
            f64::from(self.least)
        } else {
            f64::from(self.samples) / f64::from(self.measured)
        };
        let open = f64::from(self.open);
        (open * expected - f64::from(self.taken)).max(open.min(1.0))
    }

    fn done(&self) -> f64 {
        f64::from(self.taken) + f64::from(self.samples) + f64::from(self.lost)
    }
}

impl Outlook {
    pub fn of(plan: &Plan, schedule: &Schedule) -> Self {
        let mut tests: Vec<OfTest> = plan
            .tests
            .iter()
            .map(|test| OfTest {
                sample: tools::usual_sample(test),
                least: search::samples_of(test).0,
                ..OfTest::default()
            })
            .collect();
        for cell in &schedule.cells {
            let row = schedule.rows.get(cell.row);
            if let Some(test) = row.and_then(|row| tests.get_mut(row.test)) {
                test.open += 1;
            }
        }
        Self {
            tests: plan
                .tests
                .iter()
                .map(|t| t.name.clone())
                .zip(tests)
                .collect(),
            begun: HashMap::new(),
            ended: 0,
            all: schedule.cells.len(),
            before: 0.0,
        }
    }

    /// Takes note of an event.
    pub fn on(&mut self, event: &EventKind) {
        match event {
            EventKind::Sample(sample) => {
                *self.begun.entry(sample.cell.clone()).or_default() += 1;
                if let Some(test) = self.tests.get_mut(sample.cell.test()) {
                    test.taken += 1;
                }
            }
            EventKind::CellEnded { cell, outcome } => {
                self.ended += 1;
                let taken = self.begun.remove(cell).unwrap_or_default();
                if let Some(test) = self.tests.get_mut(cell.test()) {
                    test.open = test.open.saturating_sub(1);
                    test.taken = test.taken.saturating_sub(taken);
                    if let Outcome::Measured { .. } = outcome {
                        test.measured += 1;
                        test.samples += taken;
                    } else {
                        test.lost += taken;
                    }
                }
            }
            _ => {}
        }
    }

    /// Cells that have ended, and all.
    pub fn cells(&self) -> (usize, usize) {
        (self.ended, self.all)
    }

    /// The share of the work that is done, 0 to 1.
    pub fn share(&self) -> f64 {
        let (done, to_come) = self.work();
        if done + to_come > 0.0 {
            done / (done + to_come)
        } else {
            1.0
        }
    }

    /// What was done so far says nothing about the pace.
    pub fn begin_here(&mut self) {
        self.before = self.work().0;
    }

    /// How long it takes yet, when what is done since it was looked at took `elapsed`.
    pub fn left(&self, elapsed: Duration) -> Duration {
        let (done, to_come) = self.work();
        let seen = done - self.before;
        let pace = if seen > 0.0 {
            elapsed.as_secs_f64() / seen
        } else {
            1.0
        };
        Duration::try_from_secs_f64(to_come * pace).unwrap_or(Duration::MAX)
    }

    /// Predicted seconds of the samples that were taken, and of those to come.
    fn work(&self) -> (f64, f64) {
        self.tests
            .values()
            .fold((0.0, 0.0), |(done, to_come), test| {
                let sample = test.sample.as_secs_f64();
                (
                    done + sample * test.done(),
                    to_come + sample * test.to_come(),
                )
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::Source;
    use crate::plan;
    use crate::results::Sample;
    use crate::schedule::{Params, Selection};
    use crate::tools::Metrics;

    /// Ten cells that take 3 to 20 samples, and what one sample takes.
    fn outlook() -> (Outlook, Vec<CellId>, f64) {
        let text = "
version: 1
name: p
workers: { w1: {}, w2: {} }
paths: [{ name: a, from: w1, to: w2, via: pod_ip }]
defaults: { duration: 1s, repeat: { min: 3, max: 20, until: 2% } }
tests: [{ iperf3: { mss: { from: 100, to: 1000, step: 100 } } }]
";
        let plan = plan::load(Source::new("p", text), &[]).unwrap();
        let schedule = Schedule::of(&plan, &Selection::all());
        let cells = schedule
            .cells
            .iter()
            .map(|cell| schedule.id(&plan, cell))
            .collect();
        let one = tools::usual_sample(&plan.tests[0]).as_secs_f64();
        (Outlook::of(&plan, &schedule), cells, one)
    }

    fn sample(cell: &CellId) -> EventKind {
        EventKind::Sample(Sample {
            cell: cell.clone(),
            path: String::new(),
            tool: String::new(),
            sample: 1,
            attempt: 1,
            params: Params::default(),
            started: jiff::Timestamp::UNIX_EPOCH,
            wall_s: 1.0,
            command: Vec::new(),
            server_command: Vec::new(),
            metrics: Metrics::default(),
            doubts: Vec::new(),
            raw: None,
        })
    }

    fn close(a: Duration, seconds: f64) -> bool {
        (a.as_secs_f64() - seconds).abs() < 1e-6
    }

    #[test]
    fn what_is_left_follows_what_cells_turn_out_to_take() {
        let (mut outlook, cells, one) = outlook();
        assert!(close(outlook.left(Duration::ZERO), 30.0 * one));
        for _ in 0..6 {
            outlook.on(&sample(&cells[0]));
        }
        outlook.on(&EventKind::CellEnded {
            cell: cells[0].clone(),
            outcome: Outcome::Measured {
                samples: 6,
                reached: Some(true),
                found: None,
            },
        });
        // Nine more of six samples; two ran at a time.
        let half = Duration::from_secs_f64(3.0 * one);
        assert!(close(outlook.left(half), 27.0 * one));
        assert_eq!(outlook.cells(), (1, 10));
        assert!((outlook.share() - 0.1).abs() < 1e-9);
        for cell in &cells[1..] {
            let reason = String::new();
            outlook.on(&EventKind::CellEnded {
                cell: cell.clone(),
                outcome: Outcome::Skipped { reason },
            });
        }
        assert_eq!(outlook.left(half), Duration::ZERO);
        assert!((outlook.share() - 1.0).abs() < 1e-9);
    }
}

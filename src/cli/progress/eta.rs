//! How far a run has come, and how long the rest takes. Pure.

use std::collections::HashMap;
use std::time::Duration;

use crate::plan::{Plan, Test};
use crate::results::{EventKind, Outcome};
use crate::schedule::{CellId, Forecast, Schedule, search};
use crate::tools;

/// What is known of the samples that are to come.
///
/// Work is counted in the time that samples were predicted to take; how fast it is done, by how
/// many run side by side and how many fail, is learnt during the run.
#[derive(Debug, Default)]
pub(super) struct Eta {
    tests: HashMap<String, TestWork>,
    /// Samples of the cells that have begun and not ended.
    begun: HashMap<CellId, u32>,
    ended: usize,
    all: usize,
    /// Predicted seconds of the work that was done before the run was watched.
    before: f64,
}

/// The cells of a test and their samples.
#[derive(Debug, Default)]
struct TestWork {
    /// What a sample takes.
    sample: Duration,
    /// The fewest and the most samples that a cell gets.
    least: u32,
    most: u32,
    /// Cells that have not ended, and the samples that they have.
    open: Samples,
    /// Cells that were measured, and the samples that they got.
    measured: Samples,
    /// Samples of all cells.
    done: u32,
}

#[derive(Clone, Copy, Debug, Default)]
struct Samples {
    cells: u32,
    samples: u32,
}

/// Bounds on the predicted seconds of work.
#[derive(Clone, Copy, Debug, Default)]
struct Work {
    least: f64,
    most: f64,
}

impl TestWork {
    fn new(test: &Test) -> Self {
        let (least, most) = search::samples_of(test);
        Self {
            sample: tools::usual_sample(test),
            least,
            most,
            ..Self::default()
        }
    }

    /// Samples yet to come. Cells get as many as those that were measured, on average; one more cell,
    /// which gets the fewest or the most, keeps a few early ones from speaking for all.
    fn to_come(&self) -> Work {
        let open = f64::from(self.open.cells);
        let bound = |of_one_more: u32| {
            let samples = f64::from(self.measured.samples) + f64::from(of_one_more);
            let average = samples / (f64::from(self.measured.cells) + 1.0);
            // One that is open gets another sample, whatever the average is.
            (open * average - f64::from(self.open.samples)).max(open)
        };
        Work {
            least: bound(self.least),
            most: bound(self.most),
        }
    }
}

impl Eta {
    pub fn new(plan: &Plan, schedule: &Schedule) -> Self {
        let mut tests: Vec<TestWork> = plan.tests.iter().map(TestWork::new).collect();
        for cell in &schedule.cells {
            let row = schedule.rows.get(cell.row);
            if let Some(test) = row.and_then(|row| tests.get_mut(row.test)) {
                test.open.cells += 1;
            }
        }
        let names = plan.tests.iter().map(|test| test.name.clone());
        Self {
            tests: names.zip(tests).collect(),
            all: schedule.cells.len(),
            ..Self::default()
        }
    }

    /// Counts an event.
    pub fn on(&mut self, event: &EventKind) {
        match event {
            EventKind::Sample(sample) => {
                *self.begun.entry(sample.cell.clone()).or_default() += 1;
                if let Some(test) = self.tests.get_mut(sample.cell.test()) {
                    test.open.samples += 1;
                    test.done += 1;
                }
            }
            EventKind::CellEnded { cell, outcome } => {
                self.ended += 1;
                let taken = self.begun.remove(cell).unwrap_or_default();
                if let Some(test) = self.tests.get_mut(cell.test()) {
                    test.open.cells = test.open.cells.saturating_sub(1);
                    test.open.samples -= taken;
                    if let Outcome::Measured { .. } = outcome {
                        test.measured.cells += 1;
                        test.measured.samples += taken;
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

    /// The share of the work that is done, 0 to 1: in the middle of what it may be.
    pub fn share(&self) -> f64 {
        let (done, to_come) = self.work();
        let to_come = f64::midpoint(to_come.least, to_come.most);
        if done + to_come > 0.0 {
            done / (done + to_come)
        } else {
            1.0
        }
    }

    /// What was done before this moment does not count for the pace.
    pub fn begin_here(&mut self) {
        self.before = self.work().0;
    }

    /// How long the rest takes, when the work since [`Self::begin_here`] took `elapsed`.
    pub fn left(&self, elapsed: Duration) -> Forecast {
        let (done, to_come) = self.work();
        let seen = done - self.before;
        let pace = if seen > 0.0 {
            elapsed.as_secs_f64() / seen
        } else {
            1.0
        };
        let time = |work: f64| Duration::try_from_secs_f64(work * pace).unwrap_or(Duration::MAX);
        Forecast {
            least: time(to_come.least),
            most: time(to_come.most),
        }
    }

    /// Predicted seconds of the samples that were taken, and of those to come.
    fn work(&self) -> (f64, Work) {
        let mut done = 0.0;
        let mut all = Work::default();
        for test in self.tests.values() {
            let sample = test.sample.as_secs_f64();
            let to_come = test.to_come();
            done += sample * f64::from(test.done);
            all.least += sample * to_come.least;
            all.most += sample * to_come.most;
        }
        (done, all)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::diag::Source;
    use crate::plan;
    use crate::results::Sample;
    use crate::schedule::Selection;

    /// Ten cells that take 3 to 20 samples, and what one sample takes.
    fn eta() -> (Eta, Vec<CellId>, f64) {
        let text = "
version: 1
name: p
workers: { w1: {}, w2: {} }
paths: [{ name: a, from: w1, to: w2, via: pod_ip }]
defaults: { duration: 1s, repeat: { min: 3, max: 20, until: 2% } }
tests: [{ iperf3: { mss: { from: 100, to: 1000, step: 100 } } }]
";
        let plan = plan::load(Source::new("p", text), &[]).unwrap();
        let schedule = Schedule::new(&plan, &Selection::all());
        let cells = schedule
            .cells
            .iter()
            .map(|cell| schedule.id(&plan, cell))
            .collect();
        let one = tools::usual_sample(&plan.tests[0]).as_secs_f64();
        (Eta::new(&plan, &schedule), cells, one)
    }

    fn sample(cell: &CellId) -> EventKind {
        EventKind::Sample(Sample::example(cell))
    }

    fn close(forecast: Forecast, least: f64, most: f64) -> bool {
        let close = |a: Duration, seconds: f64| (a.as_secs_f64() - seconds).abs() < 1e-6;
        close(forecast.least, least) && close(forecast.most, most)
    }

    fn ended(cell: &CellId, samples: u32) -> EventKind {
        EventKind::CellEnded {
            cell: cell.clone(),
            outcome: Outcome::Measured {
                samples,
                reached: Some(true),
                found: None,
            },
        }
    }

    #[test]
    fn what_is_left_follows_what_cells_turn_out_to_take() {
        let (mut eta, cells, one) = eta();
        assert!(close(eta.left(Duration::ZERO), 30.0 * one, 200.0 * one));
        for _ in 0..6 {
            eta.on(&sample(&cells[0]));
        }
        eta.on(&ended(&cells[0], 6));
        // Nine more get 4.5 to 13 samples each. Two ran at a time.
        let half = Duration::from_secs_f64(3.0 * one);
        let left = eta.left(half);
        assert!(close(left, 20.25 * one, 58.5 * one), "{left:?}");
        assert_eq!(eta.cells(), (1, 10));
        assert!((eta.share() - 6.0 / 84.75).abs() < 1e-9);
        for cell in &cells[1..] {
            let reason = String::new();
            eta.on(&EventKind::CellEnded {
                cell: cell.clone(),
                outcome: Outcome::Skipped { reason },
            });
        }
        assert_eq!(eta.left(half), Forecast::default());
        assert!((eta.share() - 1.0).abs() < 1e-9);
    }

    proptest! {
        /// Whatever happens, the forecast is finite, its ends are in order, and each cell that has not
        /// ended takes at least one sample and at most as many as the plan allows.
        #[test]
        fn the_forecast_is_sane(events in prop::collection::vec((0..10usize, 0..4u8), 0..150)) {
            let (mut eta, cells, one) = eta();
            let mut open: BTreeSet<usize> = (0..10).collect();
            for (cell, what) in events {
                let id = cells[cell].clone();
                let is_full = eta.begun.get(&id) == Some(&20);
                if !open.contains(&cell) || (is_full && what != 0) {
                    continue;
                }
                eta.on(&if what == 0 {
                    open.remove(&cell);
                    ended(&id, 0)
                } else {
                    sample(&id)
                });
                let work = eta.work().1;
                prop_assert!(work.least <= work.most);
                let open = open.len() as f64 * one;
                prop_assert!((open..=open * 20.0 + 1e-9).contains(&work.least), "{work:?}");
                prop_assert!((0.0..=1.0).contains(&eta.share()));
                let left = eta.left(Duration::from_secs(1));
                prop_assert!(left.least <= left.most && left.most < Duration::MAX);
            }
        }
    }
}

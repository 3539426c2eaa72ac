//! How far a run has come, and how long it takes yet. Pure.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use crate::plan::Plan;
use crate::results::{EventKind, Outcome};
use crate::schedule::{CellId, Forecast, Schedule, search};
use crate::tools;

/// What is known of the samples that are to come.
///
/// Work is counted in the time that samples were predicted to take; how fast it is done, by how
/// many run side by side and how many fail, is learnt as the run goes on.
#[derive(Debug, Default)]
pub(super) struct Eta {
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
    /// The fewest and the most that a cell gets.
    least: u32,
    most: u32,
    /// How many of the open cells have taken so many samples.
    open: BTreeMap<u32, u32>,
    /// How many of the measured ones took so many in all.
    measured: BTreeMap<u32, u32>,
    /// Samples of all cells.
    done: u32,
}

/// Bounds on the predicted seconds of work.
#[derive(Clone, Copy, Debug, Default)]
struct Work {
    least: f64,
    most: f64,
}

impl OfTest {
    /// Samples yet to come.
    fn to_come(&self) -> Work {
        let ends = self.ends();
        let mut work = Work::default();
        for (taken, cells) in &self.open {
            let of_cell = self.of_cell(*taken, &ends);
            work.least += f64::from(*cells) * of_cell.least;
            work.most += f64::from(*cells) * of_cell.most;
        }
        work
    }

    /// After how many samples cells have ended, and the share of those that came so far which went on,
    /// open ones among them (Kaplan and Meier's estimate). One cell more is thought to have gone on,
    /// so that a few that ended early do not speak for all.
    fn ends(&self) -> Vec<(u32, f64)> {
        let mut open = self.open.iter().rev().peekable();
        let mut came = 1;
        let mut ends = Vec::new();
        for (took, of) in self.measured.iter().rev() {
            while let Some((_, cells)) = open.next_if(|(taken, _)| *taken >= took) {
                came += cells;
            }
            came += of;
            let goes_on = if *took >= self.most {
                0.0
            } else {
                f64::from(came - of) / f64::from(came)
            };
            ends.push((*took, goes_on));
        }
        ends.reverse();
        ends
    }

    /// Samples yet to come of a cell that has taken so many. It is expected to go on as others did from
    /// there; beyond those there is nothing to expect but what the plan allows.
    fn of_cell(&self, taken: u32, ends: &[(u32, f64)]) -> Work {
        let mut at = taken;
        let mut goes_on = 1.0;
        let mut sure = 0.0;
        for (took, share) in ends.iter().filter(|(took, _)| *took > taken) {
            sure += goes_on * f64::from(took - at);
            goes_on *= share;
            at = *took;
        }
        // One that is open is not done, whatever the plan says.
        let rest = |of: u32| sure + goes_on * f64::from(of.saturating_sub(at).max(1));
        Work {
            least: rest(self.least),
            most: rest(self.most),
        }
    }

    fn takes_one(&mut self, taken: u32) {
        self.leaves(taken);
        *self.open.entry(taken + 1).or_default() += 1;
        self.done += 1;
    }

    fn leaves(&mut self, taken: u32) {
        if let Some(cells) = self.open.get_mut(&taken) {
            *cells -= 1;
            if *cells == 0 {
                self.open.remove(&taken);
            }
        }
    }
}

impl Eta {
    pub fn of(plan: &Plan, schedule: &Schedule) -> Self {
        let mut tests: Vec<OfTest> = plan
            .tests
            .iter()
            .map(|test| {
                let (least, most) = search::samples_of(test);
                OfTest {
                    sample: tools::usual_sample(test),
                    least,
                    most,
                    ..OfTest::default()
                }
            })
            .collect();
        for cell in &schedule.cells {
            let row = schedule.rows.get(cell.row);
            if let Some(test) = row.and_then(|row| tests.get_mut(row.test)) {
                *test.open.entry(0).or_default() += 1;
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
                let taken = self.begun.entry(sample.cell.clone()).or_default();
                if let Some(test) = self.tests.get_mut(sample.cell.test()) {
                    test.takes_one(*taken);
                }
                *taken += 1;
            }
            EventKind::CellEnded { cell, outcome } => {
                self.ended += 1;
                let taken = self.begun.remove(cell).unwrap_or_default();
                if let Some(test) = self.tests.get_mut(cell.test()) {
                    test.leaves(taken);
                    if let Outcome::Measured { .. } = outcome {
                        *test.measured.entry(taken).or_default() += 1;
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

    /// What was done so far says nothing about the pace.
    pub fn begin_here(&mut self) {
        self.before = self.work().0;
    }

    /// How long it takes yet, when what is done since it was looked at took `elapsed`.
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
    use super::*;
    use crate::diag::Source;
    use crate::plan;
    use crate::results::Sample;
    use crate::schedule::{Params, Selection};
    use crate::tools::Metrics;

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
        let schedule = Schedule::of(&plan, &Selection::all());
        let cells = schedule
            .cells
            .iter()
            .map(|cell| schedule.id(&plan, cell))
            .collect();
        let one = tools::usual_sample(&plan.tests[0]).as_secs_f64();
        (Eta::of(&plan, &schedule), cells, one)
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
            command: [].into(),
            server_command: [].into(),
            metrics: Metrics::default(),
            warnings: Vec::new(),
            raw: None,
            raw_cut_bytes: 0,
        })
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
        // Nine more of six samples, and half of a way to go on: 0.5 to 7 each. Two ran at a time.
        let half = Duration::from_secs_f64(3.0 * one);
        let left = eta.left(half);
        assert!(close(left, 29.25 * one, 58.5 * one), "{left:?}");
        assert_eq!(eta.cells(), (1, 10));
        assert!((eta.share() - 6.0 / 93.75).abs() < 1e-9);
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

    /// Those that have ended took fewer than the others have taken already, and say nothing of them.
    #[test]
    fn in_turns_cells_that_go_on_are_not_expected_to_end() {
        let (mut eta, cells, one) = eta();
        for _ in 0..3 {
            for cell in &cells {
                eta.on(&sample(cell));
            }
        }
        let pace = |samples: f64| Duration::from_secs_f64(samples * one);
        let left = eta.left(pace(30.0));
        assert!(close(left, 10.0 * one, 170.0 * one), "{left:?}");
        eta.on(&ended(&cells[0], 3));
        eta.on(&ended(&cells[1], 3));
        let left = eta.left(pace(30.0));
        assert!(close(left, 8.0 * one, 136.0 * one), "{left:?}");
        // The next is one sample ahead of the rest when it ends: these may do the same, or not.
        eta.on(&sample(&cells[2]));
        eta.on(&ended(&cells[2], 4));
        let left = eta.left(pace(31.0));
        assert!(close(left, 10.5 * one, 63.0 * one), "{left:?}");
        for cell in &cells[3..] {
            eta.on(&sample(cell));
        }
        let left = eta.left(pace(38.0));
        assert!(close(left, 7.0 * one, 112.0 * one), "{left:?}");
    }

    #[test]
    fn the_more_have_ended_the_surer_it_is() {
        let (mut eta, cells, one) = eta();
        for cell in &cells[..9] {
            for _ in 0..5 {
                eta.on(&sample(cell));
            }
            eta.on(&ended(cell, 5));
        }
        let left = eta.left(Duration::from_secs_f64(45.0 * one));
        assert!(close(left, 5.1 * one, 6.5 * one), "{left:?}");
    }
}

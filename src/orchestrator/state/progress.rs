//! How far a cell has come; also from the journal of a run that was cut off.

use super::task::Work;
use crate::plan::{Find, Repeat};
use crate::results::{EventKind, Outcome, Sample};
use crate::schedule::search::{self, Probe, Step};
use crate::schedule::{CellId, Param};
use crate::statistics::stopping_rule::{Decision, decide};
use crate::tools::{Cause, Failure};

/// A cell that loses its worker this often in one sample has failed: the plan's `retries` count
/// only what the tool did, and something must end a pod that dies of each sample.
pub const MAX_LOSSES: u32 = 3;

/// A cell of a plan with variants fails when one more sample in a row has failed for good.
const MAX_DROPPED: u32 = 2;

/// The same for a Service that does not lead to its worker, with a clock that does not advance.
pub const MAX_NOT_READY: u32 = 40;

/// How far one cell has come.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Progress {
    samples: u32,
    /// The results that decide about further samples.
    results: Results,
    /// Of the sample that comes next.
    attempts: u32,
    tool_failures: u32,
    losses: u32,
    not_ready: u32,
    /// Samples that failed for good; only pairs are lost with them.
    dropped: u32,
    dropped_in_a_row: u32,
    last_failure: Option<Box<Failure>>,
    ended: bool,
}

/// The results of a cell that decide about further samples.
#[derive(Clone, Debug, Default, PartialEq)]
enum Results {
    #[default]
    Nothing,
    /// By the tool's headline metric.
    Values(Vec<f64>),
    /// Of a search.
    Probes(Vec<Probe>),
}

/// What a cell needs next.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Next {
    Attempt {
        sample: u32,
        attempt: u32,
        /// The one to probe, in a search.
        rate_bps: Option<u64>,
    },
    End(Outcome),
    Nothing,
}

impl Progress {
    pub fn ended(&self) -> bool {
        self.ended
    }

    /// Samples so far.
    pub fn samples(&self) -> u32 {
        self.samples
    }

    /// An attempt of the next sample was begun and yielded nothing.
    pub fn was_tried(&self) -> bool {
        self.attempts > 0
    }

    /// How often in a row its Service did not lead to the worker.
    pub fn not_ready(&self) -> u32 {
        self.not_ready
    }

    /// What the cell needs next. `round`: what the rounds of all variants say, where they decide.
    pub fn next(&self, work: &Work, round: Option<Decision>) -> Next {
        if self.ended {
            return Next::Nothing;
        }
        let rate_bps = match self.next_rate(work, round) {
            Ok(rate_bps) => rate_bps,
            Err(outcome) => return Next::End(outcome),
        };
        match &self.last_failure {
            Some(failure) if self.has_failed(work, failure) => {
                Next::End(Outcome::Failed(Failure::clone(failure)))
            }
            _ => Next::Attempt {
                sample: self.samples + 1,
                attempt: self.attempts + 1,
                rate_bps,
            },
        }
    }

    /// Whether the next sample has failed for good.
    fn has_failed(&self, work: &Work, failure: &Failure) -> bool {
        is_final(failure.cause)
            || self.tool_failures > work.timing.retries
            || self.losses >= MAX_LOSSES
            || self.not_ready >= MAX_NOT_READY
    }

    /// Whether a sample that failed for good takes no more than its pairs with it: the cell was measured before,
    /// and not too many samples in a row failed.
    fn may_drop(&self, work: &Work, failure: &Failure) -> bool {
        work.is_paired
            && !is_final(failure.cause)
            && self.samples > self.dropped
            && self.dropped_in_a_row < MAX_DROPPED
    }

    /// The rate of the next sample, if it belongs to a search.
    ///
    /// # Errors
    /// How the cell has ended, when there are enough samples.
    fn next_rate(&self, work: &Work, round: Option<Decision>) -> Result<Option<u64>, Outcome> {
        let repeat = &work.timing.repeat;
        let (mut reached, mut found) = (None, None);
        match (&work.find, repeat) {
            (Some(find), _) => match search::next(find, repeat.least(), self.probes()) {
                Step::Probe(rate_bps) => return Ok(Some(rate_bps)),
                Step::Found(rate) => found = Some(rate),
                Step::NoneHolds => return Err(Outcome::Failed(self.none_holds(find))),
            },
            (None, Repeat::Times(times)) if self.samples < (*times).max(1) => return Ok(None),
            (None, Repeat::Times(_)) => {}
            (None, Repeat::Until(until)) => {
                match round.unwrap_or_else(|| decide(until, self.values())) {
                    Decision::More => return Ok(None),
                    Decision::Reached => reached = Some(true),
                    Decision::GivenUp => reached = Some(false),
                }
            }
        }
        Err(Outcome::Measured {
            samples: self.samples - self.dropped,
            reached,
            found,
        })
    }

    fn none_holds(&self, find: &Find) -> Failure {
        // None when the last probe was a sample.
        let last = self.last_failure.as_ref();
        let last = last.map(|failure| format!("; the last probe failed with {failure}"));
        Failure {
            cause: Cause::NoRateHolds,
            words: format!(
                "not even {}, the lowest rate that the plan allows, keeps `{}`{}",
                find.from,
                find.condition,
                last.unwrap_or_default()
            ),
            note: String::new(),
        }
    }

    /// The results by sample, where they decide about further ones; NaN for one that says nothing.
    pub fn values(&self) -> &[f64] {
        match &self.results {
            Results::Values(values) => values,
            Results::Nothing | Results::Probes(_) => &[],
        }
    }

    fn probes(&self) -> &[Probe] {
        match &self.results {
            Results::Probes(probes) => probes,
            Results::Nothing | Results::Values(_) => &[],
        }
    }

    /// Keeps the result of a sample.
    fn add_sample(&mut self, work: &Work, sample: &Sample) {
        if let Some(find) = &work.find {
            let value = sample.metrics.get(find.condition.metric.name());
            let probe = sample.params.get(Param::Rate).map(|rate_bps| Probe {
                rate_bps,
                // An unknown value does not hold.
                held: value.is_some_and(|value| find.condition.holds(value)),
            });
            self.add_probe(probe);
        } else if let Repeat::Until(_) = work.timing.repeat {
            // A sample without the metric is one all the same.
            let value = sample.metrics.get(work.tool.headline());
            self.add_value(value.unwrap_or(f64::NAN));
        }
    }

    fn add_value(&mut self, value: f64) {
        match &mut self.results {
            Results::Values(values) => values.push(value),
            results => *results = Results::Values(vec![value]),
        }
    }

    /// Gives up the next sample, which failed for good. The cell continues with the next round.
    fn drop_sample(&mut self, work: &Work) {
        if let Repeat::Until(_) = work.timing.repeat {
            self.add_value(f64::NAN);
        }
        *self = Self {
            samples: self.samples + 1,
            results: std::mem::take(&mut self.results),
            dropped: self.dropped + 1,
            dropped_in_a_row: self.dropped_in_a_row + 1,
            ..Self::default()
        };
    }

    fn add_probe(&mut self, probe: Option<Probe>) {
        match &mut self.results {
            Results::Probes(probes) => probes.extend(probe),
            results => *results = Results::Probes(Vec::from_iter(probe)),
        }
    }

    /// Keeps an attempt of a search in which nothing arrived: its rate is far too high, which is a
    /// result. The rate follows from the probes before it, as when the attempt was started.
    fn add_lost_probe(&mut self, work: &Work, find: &Find) {
        let needed = work.timing.repeat.least();
        if let Step::Probe(rate_bps) = search::next(find, needed, self.probes()) {
            let held = false;
            self.add_probe(Some(Probe { rate_bps, held }));
        }
        (self.tool_failures, self.losses, self.not_ready) = (0, 0, 0);
    }

    /// Applies an event of this cell.
    pub fn apply(&mut self, work: &Work, event: &EventKind) {
        match event {
            EventKind::SampleStarted { attempt, .. } => self.attempts = *attempt,
            // One that was measured again after a restart is the same sample: the first counts.
            EventKind::Sample(sample) if sample.sample <= self.samples => {}
            EventKind::Sample(sample) => {
                self.add_sample(work, sample);
                *self = Self {
                    samples: sample.sample,
                    results: std::mem::take(&mut self.results),
                    dropped: self.dropped,
                    ..Self::default()
                };
            }
            // Of a sample that was given up, after a restart.
            EventKind::AttemptFailed { sample, .. } if *sample <= self.samples => {}
            EventKind::AttemptFailed {
                failure, attempt, ..
            } => {
                self.attempts = *attempt;
                match (failure.cause, &work.find) {
                    (Cause::WorkerLost, _) => self.losses += 1,
                    (Cause::ServiceNotReady, _) => self.not_ready += 1,
                    (Cause::NothingMoved, Some(find)) => self.add_lost_probe(work, find),
                    _ => self.tool_failures += 1,
                }
                if self.has_failed(work, failure) && self.may_drop(work, failure) {
                    self.drop_sample(work);
                } else {
                    self.last_failure = Some(Box::new(failure.clone()));
                }
            }
            EventKind::CellEnded { .. } => self.ended = true,
            EventKind::LoadSample { .. }
            | EventKind::RunStarted { .. }
            | EventKind::WorkerJoined { .. }
            | EventKind::WorkerLeft { .. }
            | EventKind::PathUnreachable { .. }
            | EventKind::Mark(_)
            | EventKind::RunEnded { .. } => {}
        }
    }
}

#[cfg(test)]
impl Progress {
    pub fn with_samples(samples: u32) -> Self {
        Self {
            samples,
            ..Self::default()
        }
    }
}

/// The cell that an event is about.
pub(super) fn cell_of(event: &EventKind) -> Option<&CellId> {
    match event {
        EventKind::SampleStarted { cell, .. }
        | EventKind::AttemptFailed { cell, .. }
        | EventKind::CellEnded { cell, .. } => Some(cell),
        EventKind::Sample(sample) | EventKind::LoadSample { sample, .. } => Some(&sample.cell),
        EventKind::RunStarted { .. }
        | EventKind::WorkerJoined { .. }
        | EventKind::WorkerLeft { .. }
        | EventKind::PathUnreachable { .. }
        | EventKind::Mark(_)
        | EventKind::RunEnded { .. } => None,
    }
}

/// Trying again would give the same answer.
fn is_final(cause: Cause) -> bool {
    matches!(
        cause,
        Cause::ToolMissing
            | Cause::MssRefused
            | Cause::SocketBufferRefused
            | Cause::CongestionRefused
            | Cause::OptionRefused
    )
}

#[cfg(test)]
mod tests {
    use super::super::table::{CellIndex, Id};
    use super::super::tests::{CellSpec, LISTED, cell, tasks};
    use super::*;

    /// The next attempt's rate, after it has been told that nothing arrived of this one.
    fn nothing_arrived(progress: &mut Progress, work: &Work) -> Next {
        let Next::Attempt {
            sample, attempt, ..
        } = progress.next(work, None)
        else {
            panic!("the cell has ended")
        };
        progress.apply(
            work,
            &EventKind::AttemptFailed {
                cell: CellId("a".to_owned()),
                sample,
                attempt,
                failure: Failure::new(Cause::NothingMoved, "no datagram arrived"),
                raw: None,
                raw_cut_bytes: 0,
            },
        );
        progress.next(work, None)
    }

    #[test]
    fn in_a_search_a_rate_at_which_nothing_arrives_is_too_high() {
        let tasks = tasks(
            &[CellSpec {
                search: true,
                ..cell(0, 0)
            }],
            LISTED,
        );
        let work = tasks.at(CellIndex::from_index(0)).work;
        let mut progress = Progress::default();
        let mut rates = Vec::new();
        let end = loop {
            match nothing_arrived(&mut progress, work) {
                Next::Attempt { rate_bps, .. } => rates.extend(rate_bps),
                end => break end,
            }
        };
        assert_eq!(rates, [2828, 1682, 1682, 1297, 1297, 1000, 1000]);
        let Next::End(Outcome::Failed(failure)) = end else {
            panic!("{end:?}")
        };
        assert_eq!(failure.cause, Cause::NoRateHolds);
        assert!(failure.words.ends_with("no datagram arrived"), "{failure}");
    }

    #[test]
    fn elsewhere_it_is_a_failure() {
        let tasks = tasks(&[cell(0, 0)], LISTED);
        let work = tasks.at(CellIndex::from_index(0)).work;
        let end = nothing_arrived(&mut Progress::default(), work);
        assert!(matches!(end, Next::End(Outcome::Failed(_))), "{end:?}");
    }
}

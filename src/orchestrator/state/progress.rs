//! How far a cell has come; also from the journal of a run that was cut off.

use super::task::Task;
use crate::plan::{Repeat, Timing};
use crate::results::sequential::{Decision, decide};
use crate::results::{EventKind, Outcome};
use crate::schedule::CellId;
use crate::tools::{Cause, Failure};

/// A cell that loses its worker this often in one sample has failed: the plan's `retries` count
/// only what the tool did, and something must end a pod that dies of each sample.
pub const MAX_LOSSES: u32 = 3;

/// How far one cell has come.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Progress {
    samples: u32,
    /// What the samples say by the tool's headline metric, where their number depends on it.
    values: Vec<f64>,
    /// Of the sample that comes next.
    attempts: u32,
    tool_failures: u32,
    losses: u32,
    last_failure: Option<Failure>,
    ended: bool,
}

/// What a cell needs next.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Next {
    Attempt { sample: u32, attempt: u32 },
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

    pub fn next(&self, timing: &Timing) -> Next {
        if self.ended {
            return Next::Nothing;
        }
        if let Some(outcome) = self.enough(timing.repeat) {
            return Next::End(outcome);
        }
        let retries = timing.retries;
        match &self.last_failure {
            Some(failure)
                if is_final(failure.cause)
                    || self.tool_failures > retries
                    || self.losses >= MAX_LOSSES =>
            {
                Next::End(Outcome::Failed(failure.clone()))
            }
            _ => Next::Attempt {
                sample: self.samples + 1,
                attempt: self.attempts + 1,
            },
        }
    }

    /// How the cell has ended, when there are enough samples.
    fn enough(&self, repeat: Repeat) -> Option<Outcome> {
        let (enough, reached) = match repeat {
            Repeat::Times(times) => (self.samples >= times.max(1), None),
            Repeat::Until(until) => match decide(&until, &self.values) {
                Decision::More => (false, None),
                Decision::Reached => (true, Some(true)),
                Decision::GivenUp => (true, Some(false)),
            },
        };
        enough.then_some(Outcome::Measured {
            samples: self.samples,
            reached,
        })
    }

    /// Takes note of an event of this cell of `task`.
    pub fn note(&mut self, task: &Task, event: &EventKind) {
        match event {
            EventKind::SampleStarted { attempt, .. } => self.attempts = *attempt,
            // One that was measured again after a restart is the same sample: the first counts.
            EventKind::Sample(sample) if sample.sample <= self.samples => {}
            EventKind::Sample(sample) => {
                let mut values = std::mem::take(&mut self.values);
                if let Repeat::Until(_) = task.timing.repeat {
                    let value = sample.metrics.get(task.tool.headline());
                    // A sample without the metric is one all the same.
                    values.push(value.unwrap_or(f64::NAN));
                }
                *self = Self {
                    samples: sample.sample,
                    values,
                    ..Self::default()
                };
            }
            EventKind::AttemptFailed {
                failure, attempt, ..
            } => {
                self.attempts = *attempt;
                if failure.cause == Cause::WorkerLost {
                    self.losses += 1;
                } else {
                    self.tool_failures += 1;
                }
                self.last_failure = Some(failure.clone());
            }
            EventKind::CellEnded { .. } => self.ended = true,
            EventKind::RunStarted { .. }
            | EventKind::WorkerJoined { .. }
            | EventKind::WorkerLeft { .. }
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
        EventKind::Sample(sample) => Some(&sample.cell),
        EventKind::RunStarted { .. }
        | EventKind::WorkerJoined { .. }
        | EventKind::WorkerLeft { .. }
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

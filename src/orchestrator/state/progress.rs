//! How far a cell has come; also from the journal of a run that was cut off.

use crate::results::{EventKind, Outcome};
use crate::schedule::CellId;
use crate::tools::{Cause, Failure};

/// A cell that loses its worker this often in one sample has failed: the plan's `retries` count
/// only what the tool did, and something must end a pod that dies of each sample.
pub const MAX_LOSSES: u32 = 3;

/// The same for a Service that does not lead to its worker, over a clock that stands.
pub const MAX_NOT_READY: u32 = 40;

/// How far one cell has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Progress {
    samples: u32,
    /// Of the sample that comes next.
    attempts: u32,
    tool_failures: u32,
    losses: u32,
    not_ready: u32,
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

    /// How often in a row its Service did not lead to the worker.
    pub fn not_ready(&self) -> u32 {
        self.not_ready
    }

    pub fn next(&self, repeat: u32, retries: u32) -> Next {
        if self.ended {
            return Next::Nothing;
        }
        if self.samples >= repeat {
            return Next::End(Outcome::Measured {
                samples: self.samples,
            });
        }
        match &self.last_failure {
            Some(failure)
                if is_final(failure.cause)
                    || self.tool_failures > retries
                    || self.losses >= MAX_LOSSES
                    || self.not_ready >= MAX_NOT_READY =>
            {
                Next::End(Outcome::Failed(failure.clone()))
            }
            _ => Next::Attempt {
                sample: self.samples + 1,
                attempt: self.attempts + 1,
            },
        }
    }

    /// Takes note of an event of this cell.
    pub fn note(&mut self, event: &EventKind) {
        match event {
            EventKind::SampleStarted { attempt, .. } => self.attempts = *attempt,
            EventKind::Sample(sample) => {
                *self = Self {
                    samples: sample.sample,
                    ..Self::default()
                };
            }
            EventKind::AttemptFailed {
                failure, attempt, ..
            } => {
                self.attempts = *attempt;
                match failure.cause {
                    Cause::WorkerLost => self.losses += 1,
                    Cause::ServiceNotReady => self.not_ready += 1,
                    _ => self.tool_failures += 1,
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

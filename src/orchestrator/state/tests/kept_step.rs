//! What a worker keeps of a step that outlives its session.

use super::super::copy::epoch::Epoch;
use super::super::message::{Input, Process};

/// A step that outlives sessions.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) worker: &'static str,
    pub(super) epoch: Epoch,
    /// In the worker's newest session.
    pub(super) process: Process,
    pub(super) is_client: bool,
    /// Its answer, once it has ended.
    pub(super) end: Option<Input>,
}

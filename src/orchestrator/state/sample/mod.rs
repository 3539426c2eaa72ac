//! A sample: when it is taken, its attempts, what their ends mean, and its publication.

mod attempt;
mod attempt_end;
pub(super) mod load;
mod next_samples;
pub(super) mod order;
pub(super) mod outcome;
mod pending;
pub(super) mod rounds;
pub(super) mod target;

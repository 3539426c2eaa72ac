//! The processes of tools: confined, supervised with deadlines, read with bounds, and ended whole.

pub(in crate::worker) mod bounded_output;
pub(in crate::worker) mod confine;
pub(in crate::worker) mod leftovers;
pub(in crate::worker) mod path_lookup;
pub mod process;
pub(in crate::worker) mod programs;
pub(in crate::worker) mod stream;

//! Tree → values: scalars, sweeps, the keys of a mapping, names. All problems are noted, none stops the reading.

pub mod decoder;
pub(super) mod fields;
pub(super) mod names;
pub(super) mod scalars;
mod sweeps;

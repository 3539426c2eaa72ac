//! The plan's matrix: which cells there are, in which order they run, how long that takes.

mod cell;

pub use cell::{Cell, CellId, Param, Params, Row, Schedule};

//! The plan's matrix: which cells there are, in which order they run, how long that takes.

mod cell;
mod expand;
mod forecast;
mod params;
mod rounds;
pub mod search;
mod selection;
mod together;

pub use cell::{Cell, CellId, Params, Row, Schedule};
pub use expand::slots;
pub use forecast::{Forecast, forecast};
pub use params::Param;
pub use rounds::Member;
pub use selection::Selection;

//! Two or more sides of runs beside each other: what changed, how sure that is, and what follows.
//!
//! ```text
//! reports ─▶ Run (figures of each cell) ─▶ Side ─▶ matching (which cells are comparable)
//!         ─▶ questions (a value for each run) ─▶ statistics::judge (answers) ─▶ Comparison ─▶ document
//! ```
//!
//! Pure: a comparison is a function of the reports, the options and the stored A/A floor.

mod build;
mod calibrate;
mod comparison;
pub mod document;
mod floor;
mod limit;
mod options;
mod outcome;
mod questions;
mod sides;

pub use build::compare;
pub use calibrate::{CalibrateError, FEWEST_RUNS, calibrate};
pub use comparison::{Comparison, Factor, Machines, Pair, PathVerdict, Versus};
pub use floor::{Floor, FloorEntry, Floors};
pub use limit::{Limit, LimitError, nameable};
pub use options::Options;
pub use outcome::Outcome;
pub use questions::mark::Mark;
pub use questions::subject::Subject;
pub use sides::matching::{Matching, Unmatched, Why};
pub use sides::run::{Run, RunCell, RunTest};
pub use sides::side::{MachinesDiffer, Side};

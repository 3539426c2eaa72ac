//! Many runs as series over time: what moved, when, and whether somebody accepted it.
//!
//! Summaries of runs make series; each series is searched for moves and drift; all of them are judged together;
//! moves at the same run are one finding. Everything here is a pure function of the summaries.

mod acceptance;
mod change;
mod document;
mod finding;
mod judge;
mod moves;
mod series;
mod steps;

pub use acceptance::{Acceptance, AcceptanceError, Acceptances};
pub use change::{Change, Direction, JudgedSeries, Kind, Status};
pub use finding::Finding;
pub use judge::{History, JudgedTimeline, Settings};
pub use moves::{Drift, LEAST_BASE, Move, Moves, SETTLED_FROM, WINDOW};
pub use series::{Mark, Point, Series, SeriesName, Timeline, TimelineRun, timelines};

//! Tests of the state as a whole: cases, random histories, and the figures that large plans must reach.

mod actions;
mod cases;
mod cells;
mod fake_tool;
mod histories;
mod journal_check;
mod kept;
mod kept_step;
mod mesh;
mod plans;
mod policies;
mod queue_model;
mod successions;
mod variants;
mod world;

pub(super) use cells::{CellSpec, LISTED, cell, tasks};

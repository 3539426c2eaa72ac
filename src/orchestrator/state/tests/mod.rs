//! Tests of the state as a whole: cases, random histories, and the figures that large plans must reach.

mod actions;
mod cases;
mod cells;
mod copying;
mod fake_tool;
mod good_end;
mod histories;
mod journal_check;
mod kept;
mod kept_step;
mod load_names;
mod machine;
mod mesh;
mod orders;
mod path_orders;
mod paths;
mod plans;
mod policies;
mod queue_model;
mod successions;
mod variants;
mod worker_copy;
mod worker_events;
mod world;

pub(super) use cells::{CellSpec, LISTED, cell, tasks};

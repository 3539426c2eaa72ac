//! How runs, series and changes are named.

use crate::history::change::{Change, Direction, Status};
use crate::history::judge::JudgedTimeline;
use crate::history::series::SeriesName;
use crate::report::document::Meaning;
use crate::report::labels;

/// What a finding is marked with.
pub fn sign(direction: Direction, status: Status) -> (&'static str, Meaning) {
    match (status, direction) {
        (Status::Recovered, _) => ("·", Meaning::Dim),
        (_, Direction::Faster) => ("↑", Meaning::Good),
        (Status::Suspected, Direction::Slower) => ("?", Meaning::Warning),
        (Status::Confirmed, Direction::Slower) => ("✗", Meaning::Failed),
    }
}

/// `7f3a9c (2026-11-22)`.
pub fn run_name(judged: &JudgedTimeline, run: usize) -> String {
    let run = judged.timeline.runs.get(run);
    run.map_or_else(String::new, |run| {
        format!("{} ({})", run.id, run.started.strftime("%Y-%m-%d"))
    })
}

/// `remote-service / remote-pod throughput`.
pub fn series_title(name: &SeriesName) -> String {
    format!("{} {}", path_title(name), labels::short(&name.metric))
}

pub fn path_title(name: &SeriesName) -> String {
    match &name.relative_to {
        Some(plain) => format!("{} / {plain}", name.path),
        None => name.path.clone(),
    }
}

pub fn share(change: &Change) -> String {
    format!("{:+.1} %", change.share * 100.0)
}

//! How far a run came, in sentences.

use super::fold::{Report, RunState};
use crate::diag;

/// `118 cells: 117 measured, 1 failed; took 6 min 2 s`, `… took 6 min 2 s in 2 parts`.
#[must_use]
pub fn totals(report: &Report) -> String {
    let counts = report.counts();
    let ended: Vec<String> = [
        (counts.measured, "measured"),
        (counts.failed, "failed"),
        (counts.skipped, "skipped"),
        (counts.partial, "partial"),
        (counts.missing, "missing"),
    ]
    .into_iter()
    .filter(|(n, _)| *n > 0)
    .map(|(n, word)| format!("{n} {word}"))
    .collect();
    let mut line = diag::count(counts.cells, "cell");
    if !ended.is_empty() {
        line = format!("{line}: {}", ended.join(", "));
    }
    if let Some(seconds) = report.elapsed_s() {
        line = format!("{line}; took {}", diag::elapsed(seconds));
        let resumed = report.sessions.resumed();
        if resumed > 0 {
            line = format!("{line} in {} parts", resumed + 1);
        }
    }
    line
}

/// Why the report is not whole; none when it is.
#[must_use]
pub fn partial(report: &Report) -> Option<String> {
    let why = match report.state {
        RunState::Complete if report.is_complete() => return None,
        RunState::Complete => "the journal lacks the end of some cells",
        RunState::Cancelled => "the run was cancelled",
        RunState::CutOff => "the journal stops before the run's end",
    };
    let counts = report.counts();
    let cells = diag::count(counts.cells, "cell");
    let rest = match (counts.missing, counts.partial) {
        (0, 0) => "no cell is missing".to_owned(),
        (missing, 0) => format!("{missing} of {cells} missing (…)"),
        (0, partial) => format!("{partial} of {cells} without all samples (…)"),
        (missing, partial) => {
            format!("of {cells} {missing} missing and {partial} without all samples (…)")
        }
    };
    Some(format!("partial: {why}; {rest}"))
}

/// What is wrong with the journal.
#[must_use]
pub fn damage(report: &Report) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(tear) = &report.damage {
        lines.push(format!(
            "the journal is damaged, and nothing behind that place was read: {tear}"
        ));
    }
    if report.strangers > 0 {
        lines.push(format!(
            "{} of cells that this plan does not have were left out: the journal is of another \
             plan or version",
            diag::count(report.strangers, "event")
        ));
    }
    lines
}

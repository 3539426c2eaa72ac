//! A figure that theory knows beside the one that was found, and what to make of it.

use serde::Serialize;

use super::theory::claim;
use crate::report::{CellReport, CellState, Report, RunState};
use crate::results::Warning;
use crate::results::warnings::Kind;

/// A figure that theory knows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Line {
    pub what: String,
    pub unit: &'static str,
    /// None where theory needs a figure that was not found.
    pub theory: Option<f64>,
    /// The median over the samples.
    pub found: Option<f64>,
    pub allowed: Allowed,
    #[serde(flatten)]
    pub verdict: Verdict,
    /// Of the samples, where the line failed: why that may be.
    pub warnings: Vec<Kind>,
}

/// How far off a figure may be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Allowed {
    /// Of theory, to either side.
    Percent(f64),
    /// Theory lies within the binomial interval of what was found (Wilson's), at 99.9 %. In the
    /// line's unit; None when nothing was found.
    Interval(Option<(f64, f64)>),
}

/// What to make of a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", content = "why", rename_all = "snake_case")]
pub enum Verdict {
    Passed,
    /// Why, where there is more to say than that the figure is off.
    Failed(Option<String>),
    Skipped(String),
}

/// A line for each cell of which theory says something. `skipped` is the reason for which the plan
/// was not run.
#[must_use]
pub fn of(report: &Report, skipped: Option<&str>) -> Vec<Line> {
    let line = |cell: &CellReport| {
        let (_, test, _) = report.row(cell.row)?;
        let mut line = claim(report, &test.tool, cell)?;
        match (&cell.state, skipped) {
            (_, Some(reason)) => line.verdict = Verdict::Skipped(reason.to_owned()),
            (CellState::Skipped(reason), None) => line.verdict = Verdict::Skipped(reason.clone()),
            (CellState::Failed(failure), None) => {
                let why = failure.sentence(test.tool.name());
                line.verdict = Verdict::Failed(Some(why));
            }
            (CellState::Missing | CellState::Partial, None)
                if report.state == RunState::Cancelled =>
            {
                line.verdict = Verdict::Skipped("the run was interrupted".to_owned());
            }
            (CellState::Missing | CellState::Partial, None) => {
                line.verdict = Verdict::Failed(Some("it was not measured".to_owned()));
            }
            (CellState::Measured, None) => {}
        }
        if let Verdict::Failed(_) = line.verdict {
            let warnings = cell.samples.iter().flat_map(|sample| &sample.warnings);
            line.warnings = warnings.map(Warning::kind).collect();
            line.warnings.sort_unstable();
            line.warnings.dedup();
        }
        Some(line)
    };
    report.cells.iter().filter_map(line).collect()
}

/// How many lines passed, failed, and were skipped.
#[must_use]
pub fn counts(lines: &[Line]) -> [usize; 3] {
    let mut counts = [0; 3];
    for line in lines {
        counts[match line.verdict {
            Verdict::Passed => 0,
            Verdict::Failed(_) => 1,
            Verdict::Skipped(_) => 2,
        }] += 1;
    }
    counts
}

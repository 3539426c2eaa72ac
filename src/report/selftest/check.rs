//! A measured figure, compared with theory.

use serde::Serialize;

use crate::report::CellReport;
use crate::results::warnings::Kind;
use crate::statistics::Summary;

/// A figure that theory gives, and the measured one.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Check {
    pub what: String,
    pub unit: &'static str,
    /// None where theory needs a figure that was not found.
    pub theory: Option<f64>,
    /// The median over the samples.
    pub found: Option<f64>,
    pub allowed: Allowed,
    #[serde(flatten)]
    pub verdict: Verdict,
    /// The warnings of the samples of a failed check, which may be its cause.
    pub warnings: Vec<Kind>,
    /// Of a check of gaps: by how much each is off.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub differences_ms: Vec<f64>,
}

/// How far off a figure may be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Allowed {
    /// Of theory, to either side.
    Percent(f64),
    /// Theory lies within the binomial interval of what was found (Wilson's), at 99.9 %. In the
    /// check's unit; `None` when nothing was found.
    Interval(Option<(f64, f64)>),
    /// What was found may be less than theory, but not less than this, in the check's unit.
    AtLeast(f64),
}

/// How a check came out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", content = "why", rename_all = "snake_case")]
pub enum Verdict {
    Passed,
    /// Why, where there is more to say than that the figure is off.
    Failed(Option<String>),
    Skipped(String),
}

/// How many checks passed, failed, and were skipped.
#[must_use]
pub fn counts(checks: &[Check]) -> [usize; 3] {
    let mut counts = [0; 3];
    for check in checks {
        counts[match check.verdict {
            Verdict::Passed => 0,
            Verdict::Failed(_) => 1,
            Verdict::Skipped(_) => 2,
        }] += 1;
    }
    counts
}

/// A figure that may be off theory by so many percent.
pub fn within(
    what: String,
    unit: &'static str,
    theory: Option<f64>,
    found: Option<f64>,
    percent: f64,
) -> Check {
    let verdict = match theory.zip(found) {
        Some((theory, found)) if (found - theory).abs() <= theory * percent / 100.0 => {
            Verdict::Passed
        }
        Some(_) => Verdict::Failed(None),
        None => Verdict::Failed(Some("a figure is missing".to_owned())),
    };
    Check {
        what,
        unit,
        theory,
        found,
        allowed: Allowed::Percent(percent),
        verdict,
        warnings: Vec::new(),
        differences_ms: Vec::new(),
    }
}

/// The median of a metric over the samples of a cell.
pub fn median(cell: &CellReport, metric: &str) -> Option<f64> {
    let values = cell.samples.iter().filter_map(|s| s.metrics.get(metric));
    Some(Summary::from_values(values)?.median)
}

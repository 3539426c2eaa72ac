//! What it takes to know every TCP cell of the default matrix to ±2 %.

use netplan::results::{EventKind, Outcome};

use super::runs::{run, shipped};
use super::table::{Goal, Unit, figure};

/// One fixed sample of a cell. It gives a figure, and no interval to go with it.
const FIXED_S: f64 = 10.0;

pub fn measure() -> anyhow::Result<()> {
    let plan = std::fs::read_to_string(shipped("adaptive.yaml"))?;
    let run = run(&plan, &[])?;
    let ended: Vec<Option<bool>> = run
        .events
        .iter()
        .filter_map(|event| match &event.kind {
            EventKind::CellEnded {
                outcome: Outcome::Measured { reached, .. },
                ..
            } => Some(*reached),
            _ => None,
        })
        .collect();
    let cells = ended.len() as f64;
    let reached = ended.iter().filter(|r| **r == Some(true)).count() as f64;
    let samples = run.samples().count() as f64;
    let measuring_s: f64 = run.samples().map(|sample| sample.wall_s).sum();
    figure(
        "TCP cells known to ±2 %",
        [reached / cells * 100.0],
        Unit("%", 1),
        Goal::AtLeast(100.0),
        &format!("`plans/adaptive.yaml`: {reached} of {cells} cells, by the stricter interval"),
    )?;
    figure(
        "samples of a second that a cell took",
        [samples / cells],
        Unit("", 1),
        Goal::None,
        &format!("{samples} samples in {:.0} s of wall time", run.wall_s()),
    )?;
    figure(
        "measuring time, by one 10 s sample a cell",
        [measuring_s / (cells * FIXED_S)],
        Unit("", 2),
        Goal::AtMost(0.5),
        &format!(
            "all `wall_s`, {measuring_s:.0} s, over {cells} × {FIXED_S} s, which has no interval"
        ),
    )?;
    figure(
        "measuring time, by three 10 s samples a cell",
        [measuring_s / (cells * FIXED_S * 3.0)],
        Unit("", 2),
        Goal::AtMost(0.5),
        "the same over the fewest fixed samples that have a usable interval",
    )
}

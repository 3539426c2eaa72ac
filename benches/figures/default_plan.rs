//! The whole default plan beside nptest's schedule of the same matrix.

use super::runs::{run, shipped};
use super::table::{Goal, Unit, figure};

/// nptest measures a cell for 10 s and sleeps for 10 s after it.
const NPTEST_CELL_S: f64 = 20.0;

pub fn measure() -> anyhow::Result<()> {
    let plan = std::fs::read_to_string(shipped("default.yaml"))?;
    let run = run(&plan, &[])?;
    let cells = run.samples().count();
    let wall_s = run.wall_s();
    figure(
        "the whole default plan",
        [wall_s],
        Unit("s", 0),
        Goal::None,
        &format!("wall time of `netplan run plans/default.yaml`, {cells} cells"),
    )?;
    figure(
        "the whole default plan, times faster",
        [cells as f64 * NPTEST_CELL_S / wall_s],
        Unit("", 1),
        Goal::AtLeast(4.0),
        &format!("nptest's {cells} × {NPTEST_CELL_S} s over that"),
    )
}

//! What it takes to know TCP cells of the default matrix to ±2 %, by adaptive repetition and by
//! fixed samples.

use std::collections::HashMap;

use netplan::results::{EventKind, Outcome};
use netplan::schedule::CellId;
use netplan::statistics::{Summary, critical};
use netplan::tools::name;

use super::runs::{Run, run, shipped};
use super::table::{Goal, Unit, figure};

/// Every seventh of the sweep's 22 sizes, on all five paths: 20 of the 110 cells.
const SIZES: &str = "tests.0.iperf3.mss={from: 96, to: 1460, step: 448}";
/// What a fixed sample takes, and how many of a cell show how they spread.
const FIXED: [&str; 2] = ["defaults.duration=10s", "defaults.repeat=6"];
const FIXED_S: f64 = 10.0;
const BOUND: f64 = 0.02;

pub fn measure() -> anyhow::Result<()> {
    let plan = std::fs::read_to_string(shipped("adaptive.yaml"))?;
    let adaptive = run(&plan, &["--set", SIZES])?;
    let ended: Vec<Option<bool>> = adaptive
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
    let taken = spreads(&adaptive);
    let measuring_s: f64 = adaptive.samples().map(|sample| sample.wall_s).sum();
    figure(
        "TCP cells known to ±2 %",
        [reached / cells * 100.0],
        Unit("%", 1),
        Goal::AtLeast(100.0),
        &format!("`plans/adaptive.yaml` at four sizes: {reached} of {cells} cells"),
    )?;
    figure(
        "samples of a second that a cell took",
        taken.iter().map(|cell| cell.samples),
        Unit("", 0),
        Goal::None,
        &format!("measuring {measuring_s:.0} s, all `wall_s`"),
    )?;
    let percent = |cells: &[Spread]| -> Vec<f64> { cells.iter().map(|c| c.cv * 100.0).collect() };
    figure(
        "spread of a cell's samples of a second",
        percent(&taken),
        Unit("%", 1),
        Goal::None,
        "standard deviation by mean, the cells' median",
    )?;

    let [duration, repeat] = FIXED;
    let fixed = run(&plan, &["--set", SIZES, "--set", duration, "--set", repeat])?;
    let fixed = spreads(&fixed);
    figure(
        "spread of a cell's samples of ten seconds",
        percent(&fixed),
        Unit("%", 1),
        Goal::None,
        "the same, of six samples a cell",
    )?;
    // A plan repeats all cells alike. What the widest cell needs is known badly from six samples; the
    // cells' mean variance is known well, and asks for less.
    let variance = fixed.iter().map(|cell| cell.cv.powi(2)).sum::<f64>() / fixed.len() as f64;
    let needed = needed(variance.sqrt());
    figure(
        "measuring time, by that of fixed samples",
        [measuring_s / (cells * needed * FIXED_S)],
        Unit("", 2),
        Goal::AtMost(0.5),
        &format!(
            "beside {needed} samples of 10 s a cell, which bring cells that spread by {:.1} % to ±2 %",
            variance.sqrt() * 100.0
        ),
    )
}

/// How a cell's samples spread.
struct Spread {
    samples: f64,
    /// The coefficient of variation, a share of 1.
    cv: f64,
}

fn spreads(run: &Run) -> Vec<Spread> {
    let mut cells: HashMap<&CellId, Vec<f64>> = HashMap::new();
    for sample in run.samples() {
        let values = cells.entry(&sample.cell).or_default();
        values.extend(sample.metrics.get(name::THROUGHPUT_BPS));
    }
    let summaries = cells.into_values().filter_map(Summary::from_values);
    summaries
        .filter_map(|summary| {
            Some(Spread {
                samples: summary.count as f64,
                cv: summary.cv?,
            })
        })
        .collect()
}

/// How many samples of such a coefficient of variation have a 95 % interval within the bound.
fn needed(cv: f64) -> f64 {
    let within = |n: &f64| critical(0.05, n - 1.0).is_some_and(|t| t * cv / n.sqrt() <= BOUND);
    (2..10_000)
        .map(f64::from)
        .find(within)
        .unwrap_or(f64::INFINITY)
}

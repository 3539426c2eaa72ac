//! Plans far larger than those that people write.

use std::time::Instant;

use anyhow::{Context, ensure};
use netplan::diag::Source;
use netplan::orchestrator::state::copy::holder::Ledger;
use netplan::orchestrator::state::replay::Replay;
use netplan::orchestrator::state::task::Tasks;
use netplan::orchestrator::state::{Limits, State};
use netplan::plan;
use netplan::schedule::Selection;

use crate::table::{Goal, Unit, figure};

/// A thousand sizes, ten write sizes, a hundred paths.
const CELLS: usize = 1_000_000;

pub fn measure() -> anyhow::Result<()> {
    let text = million();
    let before = peak_mb()?;
    let begun = Instant::now();
    let plan = plan::load(Source::new("million.yaml", text), &[]).map_err(anyhow::Error::msg)?;
    let tasks = Tasks::new(plan, &Selection::all());
    let state = {
        let history = Replay::new(&tasks).finish();
        State::new(tasks, Limits::default(), history, Ledger::default())
    };
    let seconds = begun.elapsed().as_secs_f64();
    ensure!(state.count() == (0, CELLS), "{:?}", state.count());
    drop(state);
    figure(
        "1 000 000 cells planned",
        [seconds],
        Unit("s", 2),
        Goal::AtMost(1.0),
        "plan read, cells expanded, the orchestrator's state made",
    )?;
    figure(
        "memory for it",
        [peak_mb()? - before],
        Unit("MB", 0),
        Goal::AtMost(200.0),
        "growth of `VmHWM` meanwhile",
    )
}

fn million() -> String {
    let text = "version: 1\nname: million\nworkers: { w1: {}, w2: {} }\npaths:\n".to_owned();
    let paths: Vec<String> = (0..100)
        .map(|path| format!("  - {{ name: p{path}, from: w1, to: w2, via: pod_ip }}\n"))
        .collect();
    let streams: Vec<String> = (1..=10).map(|n| n.to_string()).collect();
    text + &paths.concat()
        + "tests:\n  - name: t\n    iperf3: { mss: { from: 100, to: 1099, step: 1 }, streams: ["
        + &streams.join(", ")
        + "] }\n"
}

/// The most memory that this process has had, in MB.
fn peak_mb() -> anyhow::Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next());
    let kib: f64 = kib.context("the kernel says no `VmHWM`")?.parse()?;
    Ok(kib * 1024.0 / 1e6)
}

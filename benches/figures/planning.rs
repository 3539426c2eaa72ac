//! What it costs to plan a great many cells: from the text of a plan to its schedule.

use std::env;
use std::fs;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, ensure};
use netplan::diag::Source;
use netplan::plan;
use netplan::schedule::{Schedule, Selection};

use super::table::{Goal, Unit, figure};

const TIMES: usize = 5;
/// Set in the process that plans, so that its memory is that of planning alone.
const CHILD: &str = "NETPLAN_BENCH_PLAN";

const SWEEP: &str = "version: 1
name: sweep
workers: { w1: {}, w2: {} }
paths: [{ name: pod, from: w1, to: w2, via: pod_ip }]
tests:
  - iperf3: { streams: { from: 1, to: 125, step: 1 }, mss: { from: 88, to: 8087, step: 1 } }
";

const MESH: &str = "version: 1
name: mesh
workers: { mesh: { one_per_node: true, count: 500 } }
paths: { mesh: { workers: mesh, via: pod_ip, both_directions: false } }
concurrency: disjoint-nodes
tests:
";

pub fn measure() -> anyhow::Result<()> {
    let mesh = |streams: u32| {
        format!("{MESH}  - iperf3: {{ streams: {{ from: 1, to: {streams}, step: 1 }} }}\n")
    };
    for (what, text, cells) in [
        ("1 000 000 cells, a sweep", SWEEP.to_owned(), 1_000_000),
        ("a mesh of 500 nodes, one cell a pair", mesh(1), 124_750),
        ("a mesh of 500 nodes, eight cells a pair", mesh(8), 998_000),
    ] {
        let mut seconds = Vec::with_capacity(TIMES);
        let mut megabytes = Vec::with_capacity(TIMES);
        for _ in 0..TIMES {
            let child = Command::new(env::current_exe()?)
                .env(CHILD, &text)
                .output()?;
            let said = String::from_utf8(child.stdout)?;
            let figures: Vec<f64> = said
                .split_whitespace()
                .map_while(|w| w.parse().ok())
                .collect();
            let [planned, time, memory] = figures[..] else {
                anyhow::bail!("the planning process said `{said}`");
            };
            ensure!(
                (planned - f64::from(cells)).abs() < 0.5,
                "{planned} cells were planned"
            );
            seconds.push(time);
            megabytes.push(memory);
        }
        let how =
            format!("from the plan's text to its schedule, in a process of its own, {TIMES} times");
        figure(
            &format!("planning {what}"),
            seconds,
            Unit("s", 2),
            Goal::AtMost(1.0),
            &how,
        )?;
        let how = "`VmHWM` of that process";
        figure(
            &format!("planning {what}: memory"),
            megabytes,
            Unit("MB", 0),
            Goal::AtMost(200.0),
            how,
        )?;
    }
    Ok(())
}

/// Plans, and prints cells, seconds and megabytes, when this is the process that is to.
pub fn child() -> Option<anyhow::Result<()>> {
    let text = env::var(CHILD).ok()?;
    Some(plan_once(&text))
}

fn plan_once(text: &str) -> anyhow::Result<()> {
    let started = Instant::now();
    let plan = plan::load(Source::new("plan.yaml", text), &[])?;
    let schedule = Schedule::new(&plan, &Selection::all());
    let seconds = started.elapsed().as_secs_f64();
    let status = fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.and_then(|line| line.trim().strip_suffix("kB"));
    let kilobytes: f64 = peak
        .context("no VmHWM in /proc/self/status")?
        .trim()
        .parse()?;
    println!(
        "{} {seconds} {}",
        schedule.cells.len(),
        kilobytes * 1024.0 / 1e6
    );
    Ok(())
}

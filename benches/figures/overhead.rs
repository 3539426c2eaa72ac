//! What a cell costs beyond the tool's own time, and what memory the roles take.

use std::collections::BTreeMap;
use std::fs;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use netplan::results::EventKind;

use super::runs::{FIVE_PATHS, Run, Running, seconds, start};
use super::table::{Goal, Unit, figure};

pub fn measure() -> anyhow::Result<()> {
    let plan = format!(
        "{FIVE_PATHS}defaults: {{ duration: 1s }}\ntests:\n  \
         - iperf3: {{ mss: [536, 768, 1000, 1232, 1448] }}\n"
    );
    let mut running = start(&plan, &[])?;
    let peaks = watch_memory(&mut running)?;
    let run = running.finish()?;
    overhead(&run)?;
    memory(&peaks)
}

fn overhead(run: &Run) -> anyhow::Result<()> {
    let starts: Vec<_> = run.sample_starts().collect();
    let walls: Vec<f64> = run.samples().map(|sample| sample.wall_s).collect();
    let cells = walls.len();
    // With an attempt that failed the two would not belong together.
    ensure!(
        starts.len() == cells,
        "{} samples were started and {cells} measured",
        starts.len()
    );
    let gaps = starts
        .windows(2)
        .zip(&walls)
        .map(|(pair, wall)| (seconds(pair[0], pair[1]) - wall) * 1e3);
    figure(
        "overhead a cell",
        gaps,
        Unit("ms", 1),
        Goal::AtMost(20.0),
        &format!(
            "{cells} cells of 1 s iperf3 on five paths: one `sample_started` to the next, less the \
             sample's `wall_s`"
        ),
    )?;
    let rest = run.wall_s() - walls.iter().sum::<f64>() - run.up_s()? - run.down_s()?;
    figure(
        "overhead a cell, by the run's total",
        [rest * 1e3 / cells as f64],
        Unit("ms", 1),
        Goal::AtMost(20.0),
        "that run's wall time less all `wall_s`, up and down, by cells",
    )
}

fn memory(peaks: &BTreeMap<String, f64>) -> anyhow::Result<()> {
    let (orchestrators, workers): (Vec<_>, Vec<_>) = peaks
        .iter()
        .partition(|(role, _)| role.as_str() == "orchestrator");
    for (role, peaks) in [("orchestrator", orchestrators), ("worker", workers)] {
        figure(
            &format!("peak memory of {role}"),
            peaks.into_iter().map(|(_, peak)| *peak),
            Unit("MB", 1),
            Goal::AtMost(20.0),
            "`VmHWM` in /proc/PID/status during that run",
        )?;
    }
    Ok(())
}

/// The peak resident memory of each role, in MB of 10^6 bytes, read from outside until the run
/// ends. The kernel keeps the peak; a value that is a moment old misses at most the teardown.
fn watch_memory(running: &mut Running) -> anyhow::Result<BTreeMap<String, f64>> {
    const WORKERS: usize = 3;
    let mut pids = BTreeMap::new();
    let mut peaks = BTreeMap::new();
    while !running.is_over()? {
        sleep(Duration::from_millis(100));
        if pids.len() <= WORKERS {
            let Some(run) = run_id(running) else { continue };
            pids = roles(&run)?;
        }
        for (role, pid) in &pids {
            if let Some(peak) = peak_bytes(pid) {
                peaks.insert(role.clone(), peak / 1e6);
            }
        }
    }
    Ok(peaks)
}

fn run_id(running: &Running) -> Option<String> {
    running
        .events()
        .into_iter()
        .find_map(|event| match event.kind {
            EventKind::RunStarted { run, .. } => Some(run),
            _ => None,
        })
}

/// The process of each role of a run: the run's id is in its command line.
fn roles(run: &str) -> anyhow::Result<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir("/proc").context("cannot list the processes")? {
        let pid = entry?.file_name().to_string_lossy().into_owned();
        if !pid.bytes().all(|byte| byte.is_ascii_digit()) {
            continue;
        }
        // A process may have ended meanwhile.
        let Ok(line) = fs::read_to_string(format!("/proc/{pid}/cmdline")) else {
            continue;
        };
        if !line.contains(run) {
            continue;
        }
        let mut words = line.split('\0');
        match (words.next(), words.next(), words.next()) {
            (Some("netplan"), Some("orchestrator"), _) => {
                found.insert("orchestrator".to_owned(), pid);
            }
            (Some("netplan"), Some("worker"), Some(name)) => {
                found.insert(name.to_owned(), pid);
            }
            _ => {}
        }
    }
    Ok(found)
}

fn peak_bytes(pid: &str) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024.0)
}

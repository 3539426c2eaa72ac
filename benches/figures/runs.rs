//! Whole `netplan` processes, and what their journals say.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, bail};
use jiff::Timestamp;
use netplan::results::{Event, EventKind, Sample, journal};
use tempfile::TempDir;

/// The workers and paths that all plans here share.
pub const FIVE_PATHS: &str = "\
version: 1
name: bench
workers: { w1: {}, w2: { same_node_as: w1 }, w3: { other_node_than: w1 } }
paths:
  - { name: same-node-pod, from: w1, to: w2, via: pod_ip }
  - { name: same-node-service, from: w1, to: w2, via: cluster_ip }
  - { name: remote-pod, from: w3, to: w2, via: pod_ip }
  - { name: remote-service, from: w3, to: w2, via: cluster_ip }
  - { name: hairpin, from: w2, to: w2, via: cluster_ip }
";

/// The binary that these benches were built with.
pub fn netplan() -> Command {
    Command::new(env!("CARGO_BIN_EXE_netplan"))
}

/// A plan that ships.
pub fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("plans")
        .join(name)
}

/// Seconds from one time to another.
pub fn seconds(from: Timestamp, to: Timestamp) -> f64 {
    to.duration_since(from).as_secs_f64()
}

/// A `netplan run` that continues.
pub struct Running {
    folder: TempDir,
    child: Child,
    started: Timestamp,
}

/// A `netplan run` that came to its end.
pub struct Run {
    pub started: Timestamp,
    pub ended: Timestamp,
    pub events: Vec<Event>,
}

/// Starts a run of a plan's text, which may be a shipped one's, with more arguments.
pub fn start(plan: &str, arguments: &[&str]) -> anyhow::Result<Running> {
    let folder = TempDir::new()?;
    let path = folder.path().join("plan.yaml");
    std::fs::write(&path, plan)?;
    let mut command = netplan();
    command
        .arg("run")
        .arg(&path)
        .args(["--on", "local"])
        .args(arguments);
    command.arg("--output").arg(folder.path().join("run"));
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command.stderr(std::fs::File::create(folder.path().join("stderr"))?);
    let started = Timestamp::now();
    let child = command.spawn().context("cannot start netplan")?;
    Ok(Running {
        folder,
        child,
        started,
    })
}

/// Runs a plan's text to its end.
pub fn run(plan: &str, arguments: &[&str]) -> anyhow::Result<Run> {
    start(plan, arguments)?.finish()
}

impl Running {
    /// What the journal holds until now.
    pub fn events(&self) -> Vec<Event> {
        journal::read(&self.folder.path().join("run")).map_or_else(|_| Vec::new(), |r| r.events)
    }

    /// Whether the process has ended.
    pub fn is_over(&mut self) -> anyhow::Result<bool> {
        Ok(self.child.try_wait()?.is_some())
    }

    /// Waits for the end. A run in which anything failed has no figures.
    pub fn finish(mut self) -> anyhow::Result<Run> {
        let status = self.child.wait()?;
        let ended = Timestamp::now();
        if !status.success() {
            let said = std::fs::read_to_string(self.folder.path().join("stderr"))?;
            bail!("`netplan run` ended with {status}:\n{said}");
        }
        Ok(Run {
            started: self.started,
            ended,
            events: self.events(),
        })
    }
}

impl Run {
    pub fn samples(&self) -> impl Iterator<Item = &Sample> {
        self.events.iter().filter_map(|event| match &event.kind {
            EventKind::Sample(sample) => Some(sample),
            _ => None,
        })
    }

    /// When the events of a kind happened.
    fn times(&self, is: impl Fn(&EventKind) -> bool) -> impl DoubleEndedIterator<Item = Timestamp> {
        self.events
            .iter()
            .filter(move |event| is(&event.kind))
            .map(|event| event.at)
    }

    /// When each client was about to run.
    pub fn sample_starts(&self) -> impl Iterator<Item = Timestamp> {
        self.times(|kind| matches!(kind, EventKind::SampleStarted { .. }))
    }

    /// From the start of the process until the last worker had joined, seconds.
    pub fn up_s(&self) -> anyhow::Result<f64> {
        self.times(|kind| matches!(kind, EventKind::WorkerJoined { .. }))
            .next_back()
            .map(|at| seconds(self.started, at))
            .context("no worker joined")
    }

    /// From the end of the last cell to the end of the process, seconds.
    pub fn down_s(&self) -> anyhow::Result<f64> {
        self.times(|kind| matches!(kind, EventKind::RunEnded { .. }))
            .next_back()
            .map(|at| seconds(at, self.ended))
            .context("the run has no end")
    }

    /// The whole process, seconds.
    pub fn wall_s(&self) -> f64 {
        seconds(self.started, self.ended)
    }
}

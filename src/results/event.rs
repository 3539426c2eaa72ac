//! Things that happened in a run. The engine emits them; journal, terminal and reports consume them.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::environment::worker::WorkerEnvironment;
use super::mark::Mark;
use super::warnings::Warning;
use crate::schedule::search::Found;
use crate::schedule::{CellId, Params};
use crate::tools::{Failure, Metrics, Outages, Series};

/// The version of the journal's format, in every line as `v`.
pub const VERSION: u32 = 2;
/// The oldest version that can be read. Version 1 called the warnings of a sample `doubts`.
pub const OLDEST_VERSION: u32 = 1;

/// One line of `events.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    pub v: u32,
    /// Contiguous from 0.
    pub seq: u64,
    pub at: Timestamp,
    #[serde(flatten)]
    pub kind: EventKind,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum EventKind {
    /// Always the first. Plan and selection give the schedule again.
    RunStarted {
        run: String,
        netplan: String,
        /// The resolved plan, as YAML.
        plan: String,
        /// The `--only` selection.
        only: Option<String>,
    },
    WorkerJoined {
        worker: String,
        node: String,
        pod_ip: String,
        cluster_ip: Option<String>,
        /// The pod's address and cluster IP of the other family.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        other_pod_ip: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        other_cluster_ip: Option<String>,
        /// Where its connection comes from, when that is another address than the pod's own.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        peer_ip: Option<String>,
        environment: WorkerEnvironment,
    },
    WorkerLeft {
        worker: String,
    },
    /// The destination of a path did not answer before the first sample.
    PathUnreachable {
        path: String,
        /// Which layer of the network is broken, with the evidence.
        found: String,
    },
    /// A client is about to run.
    SampleStarted {
        cell: CellId,
        /// Counts from 1.
        sample: u32,
        /// Counts from 1 for each sample.
        attempt: u32,
    },
    Sample(Sample),
    /// What a load of the test moved around the sample of this cell, number and attempt that follows. `path` is the
    /// load's.
    LoadSample {
        /// Counts the paths of the test's loads from 1.
        load: u32,
        #[serde(flatten)]
        sample: Sample,
    },
    /// An attempt that yielded no measurement; the cell is tried again or ends.
    AttemptFailed {
        cell: CellId,
        sample: u32,
        attempt: u32,
        failure: Failure,
        /// File under `raw/`, when the tool printed anything.
        raw: Option<String>,
        /// Bytes of the output that were not kept, and are missing in the middle of the file.
        #[serde(default, skip_serializing_if = "is_zero")]
        raw_cut_bytes: u64,
    },
    /// Something was done while samples ran.
    Mark(Mark),
    /// Exactly one for each cell of a finished run.
    CellEnded {
        cell: CellId,
        outcome: Outcome,
    },
    /// Always the last of a run that ended by itself or was cancelled.
    RunEnded {
        /// Cells without an outcome were not reached.
        cancelled: bool,
    },
}

impl EventKind {
    /// Whether it says something about a cell: the run has begun to measure.
    #[must_use]
    pub fn is_of_a_cell(&self) -> bool {
        match self {
            Self::SampleStarted { .. }
            | Self::Sample(_)
            | Self::LoadSample { .. }
            | Self::AttemptFailed { .. }
            | Self::CellEnded { .. } => true,
            Self::RunStarted { .. }
            | Self::WorkerJoined { .. }
            | Self::WorkerLeft { .. }
            | Self::PathUnreachable { .. }
            | Self::Mark(_)
            | Self::RunEnded { .. } => false,
        }
    }

    /// What to say of a worker whose connection comes from another address than it announces. Samples go to the
    /// announced one, which may then lead somewhere else.
    #[must_use]
    pub fn address_warning(&self) -> Option<String> {
        let Self::WorkerJoined {
            worker,
            pod_ip,
            peer_ip: Some(peer_ip),
            ..
        } = self
        else {
            return None;
        };
        Some(format!(
            "worker `{worker}` announces the address {pod_ip}, and its connection comes from {peer_ip}; SNAT, a second \
             address family or the host network can be why; samples go to {pod_ip}"
        ))
    }

    /// What to say of a path whose destination did not answer before the first sample.
    #[must_use]
    pub fn path_warning(&self) -> Option<String> {
        match self {
            Self::PathUnreachable { path, found } => {
                Some(format!("path `{path}` does not work: {found}"))
            }
            _ => None,
        }
    }

    /// The file under `raw/` that it names.
    #[must_use]
    pub fn raw_name(&self) -> Option<&str> {
        match self {
            Self::Sample(sample) | Self::LoadSample { sample, .. } => sample.raw.as_deref(),
            Self::AttemptFailed { raw, .. } => raw.as_deref(),
            Self::RunStarted { .. }
            | Self::WorkerJoined { .. }
            | Self::WorkerLeft { .. }
            | Self::PathUnreachable { .. }
            | Self::SampleStarted { .. }
            | Self::Mark(_)
            | Self::CellEnded { .. }
            | Self::RunEnded { .. } => None,
        }
    }
}

/// How a cell ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Measured {
        samples: u32,
        /// Whether the mean came to be known as well as the plan asks; null where it asks for a
        /// number of samples.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reached: Option<bool>,
        /// What the search of the plan's `find` has found.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        found: Option<Found>,
    },
    Failed(Failure),
    Skipped {
        reason: String,
    },
}

/// A program and its arguments. Many samples have the same, and can share it.
pub type CommandLine = Arc<[Arc<str>]>;

/// A command line from a program and its arguments.
#[must_use]
pub fn command_line(argv: &[String]) -> CommandLine {
    argv.iter().map(|arg| arg.as_str().into()).collect()
}

/// A measurement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    pub cell: CellId,
    pub path: String,
    pub tool: String,
    /// Counts from 1.
    pub sample: u32,
    /// Counts from 1.
    pub attempt: u32,
    /// What was asked for: the requested MSS is `params.mss`.
    pub params: Params,
    /// When the client was told to run.
    pub started: Timestamp,
    /// Wall time of the tool's client, without a warm-up of its own invocation.
    pub wall_s: f64,
    /// The client's exact command line.
    pub command: CommandLine,
    pub server_command: CommandLine,
    /// What the tool said, and what both ends observed around it (see `host_metrics`).
    pub metrics: Metrics,
    /// When no answer arrived, of each kind of traffic with gaps; only of a probe.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outages: Vec<Outages>,
    /// Reasons not to take the figures at their word; none in journals older than this field.
    #[serde(default, alias = "doubts", skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
    /// The rates within the sample, where the plan asks for them and the tool gave them: a series for each metric.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub series: Vec<Series>,
    /// File under `raw/`.
    pub raw: Option<String>,
    /// Bytes of the output that were not kept, and are missing in the middle of the file.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub raw_cut_bytes: u64,
}

#[cfg(test)]
impl Sample {
    /// The first sample of a cell, of one second, without figures.
    #[must_use]
    pub fn example(cell: &CellId) -> Sample {
        Sample {
            cell: cell.clone(),
            path: String::new(),
            tool: String::new(),
            sample: 1,
            attempt: 1,
            params: Params::default(),
            started: Timestamp::UNIX_EPOCH,
            wall_s: 1.0,
            command: [].into(),
            server_command: [].into(),
            metrics: Metrics::default(),
            outages: Vec::new(),
            warnings: Vec::new(),
            series: Vec::new(),
            raw: None,
            raw_cut_bytes: 0,
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(bytes: &u64) -> bool {
    *bytes == 0
}

//! Who a worker is, whom it works for, and how long it waits.

use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use crate::rpc::Identity;

/// How long a worker that no orchestrator takes keeps trying, by default: an orchestrator's
/// image may have to be pulled, its node may have to restart.
pub const PATIENCE: Duration = Duration::from_secs(300);

/// How long a worker that holds the journal of a finished run waits for somebody to collect it, by default.
pub const COPY_PATIENCE: Duration = Duration::from_secs(12 * 60 * 60);

/// Who a worker is, and whom it works for.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The plan's name for it.
    pub name: String,
    /// The orchestrator's `host:port`.
    pub orchestrator: String,
    /// The host name of the worker's own Service, if it has one.
    pub service: Option<String>,
    pub identity: Identity,
    /// The address that others dial by default.
    pub pod_ip: IpAddr,
    /// The pod's address of the other family, if any.
    pub other_pod_ip: Option<IpAddr>,
    pub node: String,
    /// The loopback port on which it answers the command line, if any.
    pub control_ports: Option<RangeInclusive<u16>>,
    /// Programs of declared tools: the worker announces which files they are.
    pub programs: Vec<String>,
    /// How long it keeps trying while no orchestrator takes it; see [`PATIENCE`].
    pub patience: Duration,
    /// The folder for a copy of the run's journal; `None` when this worker holds none.
    pub copy: Option<PathBuf>,
    /// How long it keeps trying when it holds the journal of a finished run; see [`COPY_PATIENCE`].
    pub copy_patience: Duration,
    /// Takes a line for people whenever the worker joins, or waits for the orchestrator.
    pub tell: fn(&str),
}

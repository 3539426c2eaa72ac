//! What goes into the orchestrator's state, and what comes out.

use std::net::IpAddr;
use std::time::Duration;

use jiff::Timestamp;

use super::copy::claim::Claim;
use super::copy::epoch::Epoch;
use crate::connectivity::Answer;
use crate::results::EventKind;
use crate::results::environment::WorkerEnvironment;
use crate::results::environment::host_metrics::Observation;
use crate::results::mark::Edge;
use crate::results::warnings::VanishedSegment;
use crate::tools::{Client, Ended, Server};

/// One stay of a worker: from its Hello to the end of its stream. Later sessions have greater
/// numbers, over all workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Session(pub u64);

/// One start of a server or client; never used twice, so that a late answer is known as such.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Step(pub u64);

/// A timer that was set; one that fires when nobody waits for it any more does nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timer(pub u64);

/// A server or client that may be alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process {
    /// The worker's session that runs it.
    pub session: Session,
    pub step: Step,
}

/// Where a worker can be reached and what it runs on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    pub node: String,
    pub pod_ip: String,
    /// None when the worker has no Service.
    pub cluster_ip: Option<String>,
    /// The pod's address of the other family, if any.
    pub other_pod_ip: Option<String>,
    /// The cluster IP of the other family, if any.
    pub other_cluster_ip: Option<String>,
    /// Where its connection comes from, when that is another address than the pod's own.
    pub peer_ip: Option<String>,
    pub environment: WorkerEnvironment,
    /// What it says of the run's past.
    pub claim: Claim,
    /// What has outlived its earlier sessions.
    pub kept: Vec<KeptStep>,
}

/// A step that has outlived a session of its worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeptStep {
    /// Of the orchestrator that started it.
    pub epoch: Epoch,
    pub step: Step,
    pub is_client: bool,
    /// Else it has ended, and its end follows as an input.
    pub is_running: bool,
    /// The worker kills it after this long by itself.
    pub ends_within: Duration,
}

/// What the client's kernel said of the tool's TCP connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcpConnection {
    /// Payload bytes of a full segment; 0 when unknown.
    pub mss: u32,
    pub retransmits: Option<u32>,
    pub rtt_us: Option<u32>,
}

/// The end of a client.
#[derive(Clone, Debug, PartialEq)]
pub struct ClientEnd {
    pub ended: Ended,
    /// Of the measuring invocation.
    pub wall: Duration,
    pub tcp: Option<TcpConnection>,
    /// Around the measuring invocation.
    pub observed: Option<Observation>,
}

/// Something that happened outside.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "an input lives for one call")]
pub enum Input {
    WorkerJoined {
        worker: String,
        session: Session,
        place: Place,
    },
    WorkerLeft {
        worker: String,
        session: Session,
    },
    /// The cluster does not start the worker's pod again.
    WorkerGivenUp {
        worker: String,
        /// Why, for people.
        reason: String,
    },
    ServerReady(Process),
    /// The traffic of a load arrives at its server.
    ServerFlowing(Process),
    ServerEnded {
        process: Process,
        ended: Ended,
        /// From its readiness to its end.
        observed: Option<Observation>,
    },
    ClientEnded(Process, ClientEnd),
    /// The worker accepts connections on a port, or why it cannot.
    Accepting(Process, Result<(), String>),
    /// Whether a connection could be made at last.
    ConnectionTried(Process, bool),
    /// What became of a worker's targets.
    PathsTested(Process, PathFindings),
    TimerFired(Timer),
    /// The worker has the copy's records before this number on its disk; or why it has not.
    Held {
        session: Session,
        held: Result<u64, String>,
    },
    /// The command line says what was done while samples ran.
    Mark(SetMark),
    Cancel,
}

/// Something to do. Commands are carried out in the order given.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    Send {
        session: Session,
        order: Order,
    },
    /// End a session whose worker does not do what it is told. A worker whose session ends kills
    /// all that it runs before it comes back, except for what outlives sessions.
    Disconnect {
        session: Session,
    },
    Emit(Box<Emission>),
    /// Any number may run; one that nobody waits for any more does nothing when it fires.
    SetTimer {
        timer: Timer,
        after: Duration,
    },
    /// Send these records to the worker that holds the copy: from `from` to the one before `through`. Replaces an earlier
    /// command of this kind.
    Copy {
        session: Session,
        from: u64,
        through: u64,
    },
    /// A worker has obeyed an orchestrator of this greater epoch: this one decides nothing any more.
    StepDown(Epoch),
    /// No worker is there although some were: another orchestrator may have them. So nothing is decided any more, and
    /// the process ends; the next one finds out.
    StepAside,
    /// There will be no more events.
    Finish,
}

/// What a worker is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    StartServer {
        step: Step,
        server: Server,
        ready_within: Duration,
        /// How long it outlives its session; `None` when it ends with it.
        outlives: Option<Duration>,
        /// Texts of which its output has one as soon as traffic arrives; none where nobody waits for that.
        flow_signs: Vec<String>,
    },
    RunClient {
        step: Step,
        client: Client,
        deadline: Duration,
        /// How much is kept of what it prints.
        output_bytes: usize,
        /// Whether it outlives its session.
        outlives: bool,
    },
    /// The end of a step that outlives sessions has arrived, or nobody waits for it.
    Forget {
        step: Step,
    },
    /// Accept connections on a TCP port until Stop.
    Accept {
        step: Step,
        port: u16,
    },
    /// Connect to a TCP port again and again, until that fails, or succeeds if this is wanted, or `settle` is over.
    TryConnection {
        step: Step,
        address: String,
        port: u16,
        /// For each attempt.
        within: Duration,
        settle: Duration,
        until_connected: bool,
    },
    /// Dial workers that accept connections, and exchange full TCP segments with them.
    TestPaths {
        step: Step,
        targets: Vec<Target>,
        /// How long to dial a target again until it answers: its node may not know the pod yet, or where the Service leads.
        connect_within: Duration,
        /// For all of them together.
        within: Duration,
    },
    Stop {
        step: Step,
    },
    Goodbye,
}

/// Where a worker accepts connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    pub address: String,
    pub port: u16,
    /// The address of the pod, where `address` is of its Service.
    pub pod_address: Option<String>,
}

/// What a worker has found out about its targets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PathFindings {
    /// The targets that answered, by their places in the order. Of others that are not in `unreached` nothing is known.
    pub reached: Vec<usize>,
    pub lost: Vec<LostSegment>,
    pub unreached: Vec<Unreached>,
}

/// A target that did not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreached {
    /// Its place in the order.
    pub target: usize,
    pub address: (IpAddr, Answer),
    /// That of the pod, where the target has one.
    pub pod_address: Option<(IpAddr, Answer)>,
}

/// A full segment that did not arrive, while small ones did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LostSegment {
    /// The target's place in the order.
    pub target: usize,
    pub segment: VanishedSegment,
}

/// An event for the journal, with the tool's output that belongs to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Emission {
    pub kind: EventKind,
    /// Content of the file under `raw/` that the event names.
    pub raw: Option<Vec<u8>>,
}

/// What the command line says of something that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetMark {
    /// The id of the go.
    pub go: u64,
    pub entry: u32,
    pub edge: Edge,
    pub happened: Timestamp,
    pub uncertainty: Duration,
    pub exit_code: Option<i32>,
    pub text: String,
}

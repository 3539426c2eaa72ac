//! The phases of an attempt: it runs, its processes are stopped, its nodes cool down.

use std::time::Duration;

use jiff::Timestamp;

use super::load_run::LoadRun;
use super::message::{Process, Session, Step, Timer};
use super::queue::ReservedNodes;
use super::table::CellIndex;
use crate::results::environment::host_metrics::Observation;
use crate::results::{Circumstances, Sample};
use crate::schedule::Params;

/// Names a lane; never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct LaneId(pub u64);

/// A sample under way, with the nodes that it reserves until nothing of it is left.
#[derive(Debug)]
pub(super) struct Lane {
    pub cell: CellIndex,
    /// `None` for one of a batch, which has the nodes of all.
    pub nodes: Option<ReservedNodes>,
    pub phase: LanePhase,
}

#[derive(Debug)]
pub(super) enum LanePhase {
    Running(Box<Attempt>),
    /// Until these processes have ended.
    Stopping {
        /// Of a run that was cancelled: its client may have finished before.
        last: Option<Box<Attempt>>,
        processes: Vec<Process>,
        /// They outlive sessions.
        keeps_processes: bool,
        /// The client among them, if it outlives sessions, and when its worker has killed it.
        kept_client: Option<(Process, Timestamp)>,
        cooldown: Duration,
        timer: Timer,
        /// Waits until its server's end has reported its observation, or has ended.
        pending: Option<Box<PendingSample>>,
    },
    Cooling(Timer),
}

#[derive(Debug)]
pub(super) struct Attempt {
    pub sample: u32,
    pub number: u32,
    pub params: Params,
    pub target: String,
    /// The sessions of both ends; the attempt is lost with either.
    pub from: Session,
    pub to: Session,
    pub server: Step,
    pub is_ready: bool,
    /// What runs around it.
    pub loads: Vec<LoadRun>,
    pub server_ended: bool,
    /// By the end of a server that ends by itself, if it has ended.
    pub server_observed: Option<Observation>,
    pub server_command: Vec<String>,
    /// Its processes outlive sessions.
    pub keeps_processes: bool,
    pub stage: Stage,
    pub timer: Timer,
}

#[derive(Debug)]
pub(super) enum Stage {
    /// A server is not ready yet.
    Starting,
    /// The servers are ready; the client waits for those of the other cells of its batch.
    Ready,
    /// The clients may start; they wait until the copy of the journal has all events.
    Copying,
    /// The clients of the loads run, and not all of their traffic arrives yet.
    Loading,
    /// The client runs.
    Measuring {
        client: Step,
        command: Vec<String>,
        started: Timestamp,
        /// The worker has killed it by then.
        ends_by: Timestamp,
    },
    /// The client has ended; its sample waits until the loads have ended too.
    Unloading(Box<PendingSample>),
}

/// A sample that waits for the observation of its server's end.
#[derive(Debug)]
pub(super) struct PendingSample {
    pub cell: CellIndex,
    pub server: Process,
    pub circumstances: Circumstances,
    /// Without the warnings that follow from both ends' observations.
    pub sample: Sample,
    pub raw: Option<Vec<u8>>,
    /// Bytes that all interfaces of the client's end carried.
    pub carried_bytes: Option<u64>,
}

impl Lane {
    /// The attempt, while it runs.
    pub fn running(&self) -> Option<&Attempt> {
        match &self.phase {
            LanePhase::Running(attempt) => Some(attempt),
            LanePhase::Stopping { .. } | LanePhase::Cooling(_) => None,
        }
    }

    pub fn running_mut(&mut self) -> Option<&mut Attempt> {
        match &mut self.phase {
            LanePhase::Running(attempt) => Some(attempt),
            LanePhase::Stopping { .. } | LanePhase::Cooling(_) => None,
        }
    }

    pub fn timer(&self) -> Timer {
        match &self.phase {
            LanePhase::Running(attempt) => attempt.timer,
            LanePhase::Stopping { timer, .. } | LanePhase::Cooling(timer) => *timer,
        }
    }

    /// The attempt whose client this process is, if its result counts.
    pub fn measured_by(&self, process: Process) -> Option<&Attempt> {
        let attempt = match &self.phase {
            LanePhase::Running(attempt) => attempt,
            // The tool finished before Stop reached it: nothing measured is lost.
            LanePhase::Stopping {
                last: Some(attempt),
                processes,
                ..
            } if processes.contains(&process) => attempt,
            LanePhase::Stopping { .. } | LanePhase::Cooling(_) => return None,
        };
        (attempt.client() == Some(process)).then_some(attempt)
    }

    /// Whether the attempt is lost with this session.
    pub fn runs_in(&self, session: Session) -> bool {
        self.running()
            .is_some_and(|attempt| attempt.sessions().any(|other| other == session))
    }

    /// Whether the process belongs to an attempt whose processes outlive sessions.
    pub fn keeps(&self, process: Process) -> bool {
        match &self.phase {
            LanePhase::Running(attempt) => {
                attempt.keeps_processes
                    && (attempt.server() == process || attempt.client() == Some(process))
            }
            LanePhase::Stopping {
                processes,
                keeps_processes,
                ..
            } => *keeps_processes && processes.contains(&process),
            LanePhase::Cooling(_) => false,
        }
    }

    /// Removes processes that have ended from those that the lane waits for.
    pub fn remove_processes(&mut self, has_ended: impl Fn(&Process) -> bool) {
        if let LanePhase::Stopping { processes, .. } = &mut self.phase {
            processes.retain(|process| !has_ended(process));
        }
    }

    /// Whether a pending sample waits for the end of this server.
    pub fn awaits_server(&self, server: Process) -> bool {
        matches!(&self.phase, LanePhase::Stopping { pending: Some(pending), .. } if pending.server == server)
    }

    /// The cooldown that follows, when all processes have ended.
    pub fn cooldown_if_stopped(&self) -> Option<Duration> {
        match &self.phase {
            LanePhase::Stopping {
                processes,
                cooldown,
                ..
            } if processes.is_empty() => Some(*cooldown),
            _ => None,
        }
    }
}

impl Attempt {
    pub fn server(&self) -> Process {
        Process {
            session: self.to,
            step: self.server,
        }
    }

    pub fn client(&self) -> Option<Process> {
        match self.stage {
            Stage::Starting
            | Stage::Ready
            | Stage::Copying
            | Stage::Loading
            | Stage::Unloading(_) => None,
            Stage::Measuring { client, .. } => Some(Process {
                session: self.from,
                step: client,
            }),
        }
    }

    /// Whether it goes on when a session of its workers ends: its client runs and outlives it.
    pub fn outlives(&self) -> bool {
        self.keeps_processes && self.client().is_some()
    }

    /// The steps of its processes that run in a session.
    pub fn steps_in(&self, session: Session) -> Vec<Step> {
        let processes = self.processes().into_iter();
        let own = processes.filter(|process| process.session == session);
        own.map(|process| process.step).collect()
    }

    /// Its worker is back: what ran in one session belongs to another.
    pub fn move_to(&mut self, session: Session, new: Session) {
        for own in [&mut self.from, &mut self.to] {
            if *own == session {
                *own = new;
            }
        }
    }

    /// Its client, if that outlives sessions, and when its worker has killed it.
    pub fn kept_client(&self) -> Option<(Process, Timestamp)> {
        match self.stage {
            Stage::Measuring { ends_by, .. } if self.keeps_processes => {
                Some((self.client()?, ends_by))
            }
            _ => None,
        }
    }

    /// Those of both ends, and of the ends of the loads.
    pub fn sessions(&self) -> impl Iterator<Item = Session> + '_ {
        let loads = self.loads.iter().flat_map(|load| [load.from, load.to]);
        [self.from, self.to].into_iter().chain(loads)
    }

    pub fn processes(&self) -> Vec<Process> {
        let server = (!self.server_ended).then(|| self.server());
        let loads = self.loads.iter().flat_map(LoadRun::processes);
        self.client()
            .into_iter()
            .chain(server)
            .chain(loads)
            .collect()
    }
}

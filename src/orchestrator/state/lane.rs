//! The life of an attempt: it runs, its processes are cleared away, its nodes cool down.

use std::time::Duration;

use jiff::Timestamp;

use super::message::{Session, Step, Timer};
use super::pending_sample::Held;
use super::queue::Seat;
use crate::rpc::pb::Observed;
use crate::schedule::Params;

/// A sample under way, with the nodes that it holds until nothing of it is left.
#[derive(Debug)]
pub(super) struct Lane {
    pub task: usize,
    pub seat: Seat,
    pub life: Life,
}

#[derive(Debug)]
pub(super) enum Life {
    Running(Box<Attempt>),
    /// Until these processes are gone.
    Clearing {
        /// Of a run that was cancelled: its client may have been done before.
        last: Option<Box<Attempt>>,
        processes: Vec<Process>,
        cooldown: Duration,
        timer: Timer,
        /// Until its server's end has said what it observed, or is gone.
        held: Option<Box<Held>>,
    },
    Cooling(Timer),
}

/// A process that may live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Process {
    pub session: Session,
    pub step: Step,
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
    pub server_gone: bool,
    /// By the end of a server that ends by itself, if it has ended.
    pub server_observed: Option<Observed>,
    pub server_command: Vec<String>,
    pub stage: Stage,
    pub timer: Timer,
}

#[derive(Debug)]
pub(super) enum Stage {
    /// The server is not ready yet.
    Starting,
    /// The client runs.
    Measuring {
        client: Step,
        command: Vec<String>,
        started: Timestamp,
    },
}

impl Lane {
    /// The attempt, while it runs.
    pub fn running(&self) -> Option<&Attempt> {
        match &self.life {
            Life::Running(attempt) => Some(attempt),
            Life::Clearing { .. } | Life::Cooling(_) => None,
        }
    }

    pub fn timer(&self) -> Timer {
        match &self.life {
            Life::Running(attempt) => attempt.timer,
            Life::Clearing { timer, .. } | Life::Cooling(timer) => *timer,
        }
    }

    /// The attempt whose client this process is, if what it measured counts.
    pub fn measured_by(&self, process: Process) -> Option<&Attempt> {
        let attempt = match &self.life {
            Life::Running(attempt) => attempt,
            // The tool was done before Stop reached it: nothing measured is lost.
            Life::Clearing {
                last: Some(attempt),
                processes,
                ..
            } if processes.contains(&process) => attempt,
            Life::Clearing { .. } | Life::Cooling(_) => return None,
        };
        (attempt.client() == Some(process)).then_some(attempt)
    }

    /// Whether the attempt is lost with this session.
    pub fn runs_in(&self, session: Session) -> bool {
        self.running()
            .is_some_and(|attempt| attempt.from == session || attempt.to == session)
    }

    /// Takes note that processes are gone.
    pub fn forget(&mut self, gone: impl Fn(&Process) -> bool) {
        if let Life::Clearing { processes, .. } = &mut self.life {
            processes.retain(|process| !gone(process));
        }
    }

    /// Whether the end of this process completes what was measured.
    pub fn holds_for(&self, process: Process) -> bool {
        matches!(&self.life, Life::Clearing { held: Some(held), .. } if held.server == process)
    }

    /// Nothing of it is left, but for a cooldown that has not begun.
    pub fn is_clear(&self) -> bool {
        matches!(&self.life, Life::Clearing { processes, .. } if processes.is_empty())
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
            Stage::Starting => None,
            Stage::Measuring { client, .. } => Some(Process {
                session: self.from,
                step: client,
            }),
        }
    }

    pub fn processes(&self) -> Vec<Process> {
        let server = (!self.server_gone).then(|| self.server());
        self.client().into_iter().chain(server).collect()
    }
}

//! A load of an attempt: its server, its client and how far they have come.

use jiff::Timestamp;

use super::message::{ClientEnd, Process, Session, Step};

/// A load of an attempt.
#[derive(Debug)]
pub(super) struct LoadRun {
    pub from: Session,
    pub to: Session,
    pub target: String,
    pub server: Step,
    pub server_command: Vec<String>,
    pub is_ready: bool,
    pub is_flowing: bool,
    pub server_ended: bool,
    pub client: Option<LoadClient>,
    pub end: Option<ClientEnd>,
}

#[derive(Debug)]
pub(super) struct LoadClient {
    pub step: Step,
    pub command: Vec<String>,
    pub started: Timestamp,
}

impl LoadRun {
    pub fn server(&self) -> Process {
        Process {
            session: self.to,
            step: self.server,
        }
    }

    pub fn client(&self) -> Option<Process> {
        let client = self.client.as_ref()?;
        Some(Process {
            session: self.from,
            step: client.step,
        })
    }

    /// Those that may be alive.
    pub fn processes(&self) -> impl Iterator<Item = Process> + use<> {
        let client = self.client().filter(|_| self.end.is_none());
        let server = (!self.server_ended).then(|| self.server());
        client.into_iter().chain(server)
    }
}

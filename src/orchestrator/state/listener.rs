//! Workers that accept connections before the first sample, for the checks that dial them.

use super::State;
use super::message::{Order, Process, Session};

/// A worker that was told to accept connections.
#[derive(Debug)]
pub(super) struct Listener {
    pub process: Process,
    pub port: u16,
    /// It has said that it does.
    pub accepts: bool,
}

impl Listener {
    pub fn is_at(&self, session: Session, port: u16) -> bool {
        (self.process.session, self.port) == (session, port)
    }
}

impl State {
    /// Has a worker accept connections on a port.
    pub(super) fn start_listener(&mut self, session: Session, port: u16) -> Listener {
        let step = self.new_step();
        self.send(session, Order::Accept { step, port });
        Listener {
            process: Process { session, step },
            port,
            accepts: false,
        }
    }
}

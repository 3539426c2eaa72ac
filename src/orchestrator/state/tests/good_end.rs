//! A world in which all goes well from some moment on: its run must come to its end.

use super::super::message::{Input, Process};
use super::cells::WORKERS;
use super::load_names::split;
use super::machine::Machine;
use super::world::World;
use crate::tools::How;

impl World {
    /// From here on all goes well; the run must come to its end.
    pub(super) fn end_well(&mut self) {
        for (i, worker) in WORKERS.into_iter().enumerate() {
            self.vanish(worker);
            // Nearly all on nodes of their own.
            self.join(worker, Machine::on_node(i % 4));
        }
        for _ in 0..10_000 {
            if self.finished || self.superseded {
                return;
            }
            if !self.mail.is_empty() {
                let input = self.mail.remove(0);
                self.deliver(input);
            } else if let Some(i) = self.servers.iter().position(|(.., ready)| !ready) {
                self.ready(i);
            } else if let Some(i) = self.next_to_flow() {
                self.ready(i);
            } else if let Some(process) = self.next_to_end() {
                self.end_client(process, How::Code(0));
            } else if let Some(missing) = WORKERS.iter().find(|w| !self.sessions.contains_key(*w)) {
                self.join(missing, Machine::on_node(0));
            } else if !self.timers.is_empty() {
                let timer = self.timers.remove(0);
                self.deliver(Input::TimerFired(timer));
            }
        }
        panic!("the run does not end: {:?}", self.state.phase);
    }

    /// The server of a load whose client runs and that has not said so.
    fn next_to_flow(&self) -> Option<usize> {
        self.servers.iter().position(|(_, cell, ready)| {
            let runs = self.clients.iter().any(|(_, argv, _)| argv[1] == *cell);
            *ready && runs && split(cell).1.is_some() && !self.flowing.contains(cell)
        })
    }

    /// The measured client before its loads.
    fn next_to_end(&self) -> Option<Process> {
        let is_load = |(_, argv, _): &&(Process, Vec<String>, u64)| split(&argv[1]).1.is_some();
        let next = self.clients.iter().min_by_key(is_load)?;
        Some(next.0)
    }
}

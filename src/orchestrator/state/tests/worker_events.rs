//! What happens to workers and their processes: they join and vanish, servers become ready, processes end.

use std::time::Duration;

use super::super::message::{ClientEnd, Input, Place, Process, Session};
use super::cells::WORKERS;
use super::load_names::split;
use super::machine::Machine;
use super::worker_copy::WorkerCopy;
use super::world::World;
use crate::results::WorkerEnvironment;
use crate::results::environment::host_metrics::{self, Observation};
use crate::tools::{Ended, How};

impl World {
    pub(super) fn end_server(&mut self, process: Process, how: How) {
        if let Some(i) = self.servers.iter().position(|(p, ..)| *p == process) {
            self.servers.remove(i);
            self.answer(
                process,
                Input::ServerEnded {
                    process,
                    ended: Ended::silent(how),
                    observed: Some(Observation {
                        figures: vec![(host_metrics::OBSERVED_S, 1.5)],
                        carried_bytes: None,
                    }),
                },
            );
        }
    }

    pub(super) fn end_client(&mut self, process: Process, how: How) {
        if let Some(i) = self.clients.iter().position(|(p, ..)| *p == process) {
            let (_, argv, start) = self.clients.remove(i);
            let end = ClientEnd {
                ended: Ended::new(how, format!("{} {} {start}", argv[1], argv[2]), ""),
                wall: Duration::from_secs(1),
                tcp: None,
                observed: None,
            };
            self.answer(process, Input::ClientEnded(process, end));
        }
    }

    pub(super) fn join(&mut self, worker: &'static str, machine: Machine) {
        let session = Session(self.next_session);
        self.next_session += 1;
        let cluster_ip = || format!("10.1.0.{}", session.0);
        let tools = [("fake".to_owned(), "1".to_owned())];
        let copy = self.copies.entry(worker).or_default();
        if copy.node != machine.node {
            *copy = WorkerCopy {
                node: machine.node,
                ..WorkerCopy::default()
            };
            self.end_pod(worker);
        }
        let copy = self.copies.entry(worker).or_default();
        let claim = copy.claim();
        let (kept, answers) = self.begin_session(worker, session);
        let place = Place {
            node: format!("n{}", machine.node),
            pod_ip: format!("10.0.0.{}", session.0),
            cluster_ip: machine.has_cluster_ip.then(cluster_ip),
            other_pod_ip: None,
            other_cluster_ip: None,
            peer_ip: None,
            claim,
            kept,
            environment: WorkerEnvironment {
                tools: tools.into_iter().filter(|_| machine.has_tool).collect(),
                ..WorkerEnvironment::default()
            },
        };
        self.sessions.insert(worker, session);
        self.places.insert(session, place.clone());
        self.mail.push(Input::WorkerJoined {
            worker: worker.to_owned(),
            session,
            place,
        });
        self.mail.extend(answers);
    }

    /// All workers join, on one node.
    pub(super) fn join_all(&mut self) {
        for worker in WORKERS {
            self.join(worker, Machine::on_node(0));
        }
    }

    pub(super) fn vanish(&mut self, worker: &'static str) {
        if let Some(session) = self.sessions.get(worker).copied() {
            self.end_session(session);
            self.mail.push(Input::WorkerLeft {
                worker: worker.to_owned(),
                session,
            });
        }
        self.end_pod(worker);
    }

    pub(super) fn ready(&mut self, nth: usize) {
        let len = self.servers.len();
        if len > 0 {
            let (process, cell, ready) = &mut self.servers[nth % len];
            if !*ready {
                *ready = true;
                self.were_ready.insert(cell.clone());
                self.mail.push(Input::ServerReady(*process));
            } else if split(cell).1.is_some()
                && self.clients.iter().any(|(_, argv, _)| argv[1] == *cell)
                && self.flowing.insert(cell.clone())
            {
                self.mail.push(Input::ServerFlowing(*process));
            }
        }
    }
}

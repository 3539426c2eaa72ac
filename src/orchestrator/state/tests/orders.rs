//! What workers do when they are given orders. It checks that a real worker could follow each order.

use super::super::message::{Order, Process, Session};
use super::cells::{CellSpec, WORKERS, cells_of_command, loads_of};
use super::load_names::{number, split};
use super::plans::LOAD_MARK;
use super::world::World;
use crate::plan::Concurrency;
use crate::tools::How;

impl World {
    pub(super) fn receive(&mut self, session: Session, order: Order) {
        if let Order::Stop { step } = order {
            self.stopped.insert((session, step));
        }
        let obeying = self.sessions.iter().find(|(_, living)| **living == session);
        if let Some(copy) = obeying.and_then(|(worker, _)| self.copies.get_mut(worker)) {
            assert!(
                copy.obeyed <= self.state.epoch(),
                "an order of an old orchestrator"
            );
            copy.obeyed = self.state.epoch();
        }
        assert!(
            !self.over.contains(&session),
            "{order:?} to a session that has left"
        );
        if !self.sessions.values().any(|living| *living == session) {
            return; // It vanished, and the orchestrator cannot know yet.
        }
        if self.deaf.contains(&session) {
            return;
        }
        match order {
            Order::StartServer {
                step,
                server,
                outlives,
                ..
            } => {
                let name = &server.argv[1];
                let cell = if split(name).1.is_some() {
                    name.clone()
                } else {
                    let to = self.worker_of(session);
                    let cells = cells_of_command(&self.specs, &server.argv, Some(to), None);
                    format!("cell-{}", cells[0])
                };
                let listens = |(process, _): &(Process, u16)| process.session == session;
                assert!(!self.acceptors.iter().any(listens), "a port is in use");
                self.were_ready.remove(&cell);
                self.flowing.remove(&cell);
                let process = Process { session, step };
                if outlives.is_some() {
                    self.keep(process, false);
                }
                self.servers.push((process, cell, false));
            }
            Order::RunClient {
                step,
                client,
                outlives,
                ..
            } => {
                let (_, nth) = split(&client.argv[1]);
                let measured = self.cell_of_client(session, &client.argv);
                let name = format!("cell-{measured}");
                let cell = match nth {
                    Some(_) => client.argv[1].clone(),
                    None => name.clone(),
                };
                assert!(
                    self.were_ready.contains(&cell),
                    "client before its server: {cell}"
                );
                let is_in_batch = |cell: &str| self.specs[number(split(cell).0)].together;
                if is_in_batch(&cell) {
                    // One whose attempt has failed is told to stop, and not waited for.
                    let waits = self.servers.iter().find(|(process, cell, ready)| {
                        let is_stopped = self.stopped.contains(&(process.session, process.step));
                        let is_due = self.is_believed(process.session) && !is_stopped;
                        is_in_batch(cell) && !ready && is_due
                    });
                    assert_eq!(waits, None, "starts before another server of the batch");
                }
                let loads = loads_of(&self.specs, measured, self.policy);
                let index = nth.map_or(measured, |nth| loads[nth]);
                if nth.is_none() {
                    let load = |nth| format!("{cell}{LOAD_MARK}{nth}");
                    let mut loads = (0..loads.len()).map(load);
                    assert!(
                        loads.all(|load| self.flowing.contains(&load)),
                        "no load flows: {cell}"
                    );
                }
                let CellSpec {
                    from,
                    to,
                    by_cluster_ip,
                    ..
                } = self.specs[index];
                let place = &self.places[&self.believed[WORKERS[to]]];
                let own = &self.places[&self.believed[WORKERS[from]]];
                let nodes = [own.node.clone(), place.node.clone()];
                for (_, argv, other) in &self.clients {
                    // Loads run beside the measured client.
                    if split(&argv[1]).0 == name && split(&argv[1]).1.is_some() {
                        continue;
                    }
                    let shared = self.loads[other].iter().any(|node| nodes.contains(node));
                    let serial = self.policy.concurrency == Concurrency::Serial;
                    let at_once =
                        self.specs[measured].together && self.batch_starts.contains(other);
                    assert!(
                        at_once || !serial && !shared,
                        "two clients at once: {:?}",
                        self.clients
                    );
                }
                self.loads.insert(self.next_start, nodes);
                if self.specs[measured].together {
                    self.batch_starts.insert(self.next_start);
                }
                let address = if by_cluster_ip {
                    place.cluster_ip.as_deref()
                } else {
                    Some(place.pod_ip.as_str())
                };
                assert_eq!(
                    Some(client.argv[2].as_str()),
                    address,
                    "dials an old address"
                );
                let process = Process { session, step };
                if outlives {
                    self.keep(process, true);
                }
                self.clients.push((process, client.argv, self.next_start));
                self.next_start += 1;
            }
            Order::Stop { step } => {
                let process = Process { session, step };
                self.end_server(process, How::Stopped);
                self.end_client(process, How::Stopped);
                self.end_acceptor(process);
            }
            Order::Forget { step } => self.forget(Process { session, step }),
            Order::Accept { step, port } => self.accept(Process { session, step }, port),
            Order::TestPaths { step, targets, .. } => {
                self.test_paths(Process { session, step }, &targets);
            }
            Order::TryConnection { .. } => panic!("{order:?}"),
            Order::Goodbye => {}
        }
    }

    /// The cell that a client in this session measures, or whose load it is.
    fn cell_of_client(&self, session: Session, argv: &[String]) -> usize {
        if let (name, Some(_)) = split(&argv[1]) {
            return number(name);
        }
        let from = self.worker_of(session);
        let cells = cells_of_command(&self.specs, argv, None, Some(from));
        let dials = |cell: &&usize| {
            let spec = &self.specs[**cell];
            let session = self.believed.get(WORKERS[spec.to]);
            let place = session.and_then(|session| self.places.get(session));
            let target = Some(&argv[2]);
            place.is_some_and(|place| {
                target == Some(&place.pod_ip) || target == place.cluster_ip.as_ref()
            })
        };
        *cells.iter().find(dials).unwrap_or(&cells[0])
    }

    /// The worker of a session that lives.
    pub(super) fn worker_of(&self, session: Session) -> usize {
        let mut living = self.sessions.iter();
        let (worker, _) = living.find(|(_, living)| **living == session).unwrap();
        WORKERS.iter().position(|name| name == worker).unwrap()
    }
}

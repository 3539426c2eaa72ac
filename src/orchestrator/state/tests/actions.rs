//! What may happen in the world: workers come and go, processes end, messages arrive late, doubled,
//! out of order or never.

use std::time::Duration;

use proptest::prelude::*;

use super::super::*;
use super::cells::WORKERS;
use super::world::World;
use crate::results::WorkerEnvironment;
use crate::rpc::pb::Observed;
use crate::tools::{Ended, How};

/// What every server's end says that it observed.
const SERVER_SAW: Observed = Observed {
    window_us: 1_500_000,
    cpu: None,
    throttling: None,
    traffic: None,
    all_traffic: None,
};

impl World {
    pub(super) fn end_server(&mut self, process: Process, how: How) {
        if let Some(i) = self.servers.iter().position(|(p, ..)| *p == process) {
            self.servers.remove(i);
            self.mail.push(Input::ServerEnded {
                session: process.session,
                step: process.step,
                ended: Ended::silent(how),
                observed: Some(SERVER_SAW),
            });
        }
    }

    pub(super) fn end_client(&mut self, process: Process, how: How) {
        if let Some(i) = self.clients.iter().position(|(p, ..)| *p == process) {
            let (_, argv, start) = self.clients.remove(i);
            self.mail.push(Input::ClientEnded {
                session: process.session,
                step: process.step,
                ended: Ended::new(how, format!("{} {} {start}", argv[1], argv[2]), ""),
                wall: Duration::from_secs(1),
                tcp: None,
                observed: None,
            });
        }
    }

    /// What happens to a worker whose session ends: all that it ran is gone.
    pub(super) fn kill(&mut self, session: Session) {
        self.sessions.retain(|_, living| *living != session);
        self.servers.retain(|(p, ..)| p.session != session);
        self.clients.retain(|(p, ..)| p.session != session);
    }

    pub(super) fn join(&mut self, worker: &'static str, pick: usize) {
        let session = Session(self.next_session);
        self.next_session += 1;
        let tools = [("fake".to_owned(), "1".to_owned())];
        let place = Place {
            node: format!("n{}", pick / 7 % 4),
            pod_ip: format!("10.0.0.{}", session.0),
            cluster_ip: (!pick.is_multiple_of(11)).then(|| format!("10.1.0.{}", session.0)),
            peer_ip: None,
            environment: WorkerEnvironment {
                tools: tools.into_iter().filter(|_| pick % 7 != 1).collect(),
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
    }

    pub(super) fn vanish(&mut self, worker: &'static str) {
        if let Some(session) = self.sessions.get(worker).copied() {
            self.kill(session);
            self.mail.push(Input::WorkerLeft {
                worker: worker.to_owned(),
                session,
            });
        }
    }

    pub(super) fn act(&mut self, kind: u8, pick: usize) {
        let worker = WORKERS[pick % WORKERS.len()];
        let of = |len: usize| (len > 0).then(|| pick % len.max(1));
        match kind {
            0..=5 if !self.sessions.contains_key(worker) => self.join(worker, pick),
            6 => self.vanish(worker),
            7 => {
                self.vanish(worker);
                self.join(worker, pick);
            }
            8..=19 if !self.mail.is_empty() => {
                let input = self.mail.remove(0);
                self.deliver(input);
            }
            20..=23 => {
                if let Some(i) = of(self.mail.len()) {
                    let input = self.mail.remove(i);
                    self.deliver(input);
                }
            }
            24..=26 => {
                if let Some(i) = of(self.delivered.len()) {
                    self.deliver(self.delivered[i].clone());
                }
            }
            27 => {
                if let Some(i) = of(self.mail.len()) {
                    self.mail.remove(i);
                }
            }
            28..=35 => self.ready(pick),
            36..=43 => {
                if let Some(i) = of(self.clients.len()) {
                    let how = match pick % 9 {
                        0..=4 => How::Code(0),
                        5 => How::Deadline,
                        6 => How::Signal(9),
                        7 => How::NotFound("client".to_owned()),
                        _ => How::Code(i32::try_from(pick / 9).unwrap_or(1).max(1)),
                    };
                    self.end_client(self.clients[i].0, how);
                }
            }
            44..=45 => {
                if let Some(i) = of(self.servers.len()) {
                    let how = [
                        How::Code(1),
                        How::Deadline,
                        How::NotStarted("no".to_owned()),
                    ];
                    self.end_server(self.servers[i].0, how[pick / 7 % 3].clone());
                }
            }
            46 => {
                if let Some(&timer) = self.timers.last() {
                    self.deliver(Input::TimerFired(timer));
                }
            }
            47 => {
                if let Some(i) = of(self.timers.len()) {
                    self.deliver(Input::TimerFired(self.timers[i]));
                }
            }
            48 if pick.is_multiple_of(8) => self.deliver(Input::Cancel),
            49 => {
                if let Some(input) = self.mail.first() {
                    self.deliver(input.clone());
                }
            }
            50 => self.deaf.extend(self.sessions.get(worker)),
            51 => self.mail.push(Input::WorkerGivenUp {
                worker: worker.to_owned(),
                words: "gone".to_owned(),
            }),
            _ => {}
        }
    }

    pub(super) fn ready(&mut self, pick: usize) {
        let len = self.servers.len();
        if len > 0 {
            let (process, cell, ready) = &mut self.servers[pick % len];
            if !*ready {
                *ready = true;
                self.were_ready.insert(cell.clone());
                self.mail.push(Input::ServerReady {
                    session: process.session,
                    step: process.step,
                });
            }
        }
    }

    /// From here on all goes well; the run must come to its end.
    pub(super) fn end_well(&mut self) {
        for (i, worker) in WORKERS.into_iter().enumerate() {
            self.vanish(worker);
            // Nearly all on nodes of their own.
            self.join(worker, 2 + 77 * i);
        }
        for _ in 0..10_000 {
            if self.finished {
                return;
            }
            if !self.mail.is_empty() {
                let input = self.mail.remove(0);
                self.deliver(input);
            } else if let Some(i) = self.servers.iter().position(|(.., ready)| !ready) {
                self.ready(i);
            } else if let Some((process, ..)) = self.clients.first() {
                self.end_client(*process, How::Code(0));
            } else if let Some(missing) = WORKERS.iter().find(|w| !self.sessions.contains_key(*w)) {
                self.join(missing, 2);
            } else if !self.timers.is_empty() {
                let timer = self.timers.remove(0);
                self.deliver(Input::TimerFired(timer));
            }
        }
        panic!("the run does not end: {:?}", self.state.phase);
    }
}

/// Which of them happen, each with a number to pick by: see [`World::act`].
pub(super) fn actions() -> impl Strategy<Value = Vec<(u8, usize)>> {
    prop::collection::vec((0..52_u8, 0..1000_usize), 0..250)
}

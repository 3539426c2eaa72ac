//! What outlives sessions: the worker's side in the world, and the histories in which sessions are cut and nothing else
//! goes wrong.

use proptest::prelude::*;

use super::super::message::{KeptStep, Process};
use super::super::*;
use super::cells::{CellSpec, WORKERS, cells, policy};
use super::journal_check::check;
use super::kept_step::Kept;
use super::machine::Machine;
use super::world::World;
use crate::plan::Repeat;
use crate::tools::How;

impl World {
    pub(super) fn is_alive(&self, session: Session) -> bool {
        self.sessions.values().any(|living| *living == session)
    }

    /// Whether the orchestrator believes that this session lasts.
    pub(super) fn is_believed(&self, session: Session) -> bool {
        self.believed.values().any(|believed| *believed == session) && !self.over.contains(&session)
    }

    /// The worker of a session that lives keeps the answer of a step.
    pub(super) fn keep(&mut self, process: Process, is_client: bool) {
        let mut living = self.sessions.iter();
        let worker = living.find(|(_, session)| **session == process.session);
        let (worker, _) = worker.unwrap();
        self.kept.push(Kept {
            worker,
            epoch: self.state.epoch(),
            process,
            is_client,
            end: None,
        });
    }

    pub(super) fn forget(&mut self, process: Process) {
        self.kept.retain(|kept| {
            assert!(
                kept.process != process || kept.end.is_some(),
                "forgets a step that runs: {kept:?}"
            );
            kept.process != process
        });
    }

    /// The answer of a step that has ended: on its way, if there is one, and kept, if its step is.
    pub(super) fn answer(&mut self, process: Process, answer: Input) {
        let kept = self.kept.iter_mut().find(|kept| kept.process == process);
        if let Some(kept) = kept {
            kept.end = Some(answer.clone());
        }
        if self.is_alive(process.session) {
            self.mail.push(answer);
        }
    }

    /// Ends a session, and all that runs in it and does not outlive it.
    pub(super) fn end_session(&mut self, session: Session) {
        self.sessions.retain(|_, living| *living != session);
        let outlives = |process: Process| self.kept.iter().any(|kept| kept.process == process);
        let stays = |process: &Process| process.session != session || outlives(*process);
        self.servers.retain(|(process, ..)| stays(process));
        self.clients.retain(|(process, ..)| stays(process));
        self.acceptors
            .retain(|(process, _)| process.session != session);
    }

    /// Ends all that has outlived the sessions of a worker.
    pub(super) fn end_pod(&mut self, worker: &'static str) {
        self.end_kept(|kept| kept.worker == worker);
    }

    fn end_kept(&mut self, ends: impl Fn(&Kept) -> bool) {
        let gone: Vec<Process> = self
            .kept
            .extract_if(.., |kept| ends(kept))
            .map(|kept| kept.process)
            .collect();
        self.servers.retain(|(process, ..)| !gone.contains(process));
        self.clients.retain(|(process, ..)| !gone.contains(process));
    }

    /// The connection breaks. The pod goes on.
    pub(super) fn cut(&mut self, worker: &'static str, loses_mail: bool) {
        let Some(session) = self.sessions.get(worker).copied() else {
            return;
        };
        if loses_mail {
            self.mail.retain(|input| match input {
                Input::ServerReady(process)
                | Input::ServerEnded { process, .. }
                | Input::ClientEnded(process, _) => process.session != session,
                _ => true,
            });
        }
        self.end_session(session);
        self.mail.push(Input::WorkerLeft {
            worker: worker.to_owned(),
            session,
        });
    }

    /// What a worker says in the Hello of a new session, and the answers that follow.
    pub(super) fn begin_session(
        &mut self,
        worker: &'static str,
        session: Session,
    ) -> (Vec<KeptStep>, Vec<Input>) {
        let (mut steps, mut answers) = (Vec::new(), Vec::new());
        for kept in self.kept.iter_mut().filter(|kept| kept.worker == worker) {
            let old = kept.process;
            let new = Process { session, ..old };
            kept.process = new;
            let servers = self.servers.iter_mut().map(|(process, ..)| process);
            let clients = self.clients.iter_mut().map(|(process, ..)| process);
            for process in servers.chain(clients).filter(|process| **process == old) {
                *process = new;
            }
            if let Some(Input::ServerEnded { process, .. } | Input::ClientEnded(process, _)) =
                &mut kept.end
            {
                *process = new;
            }
            answers.extend(kept.end.clone());
            steps.push(KeptStep {
                epoch: kept.epoch,
                step: old.step,
                is_client: kept.is_client,
                is_running: kept.end.is_none(),
                ends_within: Duration::from_secs(10),
            });
        }
        (steps, answers)
    }

    /// A worker that the orchestrator believes to be away kills its clients at their deadline; a timer that fires may come
    /// after it. The pod of a worker that is given up is gone.
    pub(super) fn end_unknown_clients(&mut self, deadline_has_passed: bool) {
        let believed = &self.believed;
        let over = &self.over;
        let unknown: Vec<Kept> = self
            .kept
            .iter()
            .filter(|kept| {
                let session = kept.process.session;
                believed.get(kept.worker) != Some(&session) || over.contains(&session)
            })
            .cloned()
            .collect();
        for kept in unknown {
            if self.given_up.contains(kept.worker) {
                self.end_kept(|other| other.process == kept.process);
            } else if deadline_has_passed && kept.is_client {
                self.end_client(kept.process, How::Deadline);
            }
        }
    }

    /// From here on sessions last, and all tools end well. No timer fires.
    fn end_without_timers(&mut self) {
        for _ in 0..10_000 {
            if self.finished {
                return;
            }
            if !self.mail.is_empty() {
                let input = self.mail.remove(0);
                self.deliver(input);
            } else if let Some(missing) = WORKERS.iter().find(|w| !self.sessions.contains_key(*w)) {
                self.join(missing, Machine::on_node(0));
            } else if let Some(i) = self.servers.iter().position(|(.., ready)| !ready) {
                self.ready(i);
            } else if let Some((process, ..)) = self.clients.first() {
                self.end_client(*process, How::Code(0));
            }
        }
        panic!("the run does not end: {:?}", self.state.phase);
    }
}

/// What happens when nothing but sessions breaks.
#[derive(Clone, Copy, Debug)]
enum Event {
    MessageArrives,
    Cut { worker: usize, loses_mail: bool },
    ComesBack { worker: usize },
    ServerIsReady { nth: usize },
    ClientEndsWell { nth: usize },
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let worker = || 0..WORKERS.len();
    let event = prop_oneof![
        6 => Just(Event::MessageArrives),
        3 => (worker(), any::<bool>()).prop_map(|(worker, loses_mail)| Event::Cut { worker, loses_mail }),
        3 => worker().prop_map(|worker| Event::ComesBack { worker }),
        3 => (0..5_usize).prop_map(|nth| Event::ServerIsReady { nth }),
        2 => (0..5_usize).prop_map(|nth| Event::ClientEndsWell { nth }),
    ];
    prop::collection::vec(event, 0..200)
}

/// All cells have tools that outlive sessions.
fn kept_cells() -> impl Strategy<Value = Vec<CellSpec>> {
    cells().prop_map(|mut cells| {
        for cell in &mut cells {
            cell.outlives = true;
            // An attempt with loads ends with its sessions.
            cell.loads = 0;
            cell.search = false;
            cell.cooldown = false;
            cell.repeat = Repeat::Times(2);
        }
        cells
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2000,
        ..ProptestConfig::default()
    })]

    #[test]
    fn what_was_measured_while_sessions_were_cut_counts_once(
        cells in kept_cells(),
        policy in policy(),
        events in events(),
    ) {
        let mut world = World::new(&cells, policy, &[]);
        world.join_all();
        for event in events {
            match event {
                Event::MessageArrives if !world.mail.is_empty() => {
                    let input = world.mail.remove(0);
                    world.deliver(input);
                }
                Event::Cut { worker, loses_mail } => world.cut(WORKERS[worker], loses_mail),
                Event::ComesBack { worker } if !world.sessions.contains_key(WORKERS[worker]) => {
                    world.join(WORKERS[worker], Machine::on_node(0));
                }
                Event::ServerIsReady { nth } => world.ready(nth),
                Event::ClientEndsWell { nth } if !world.clients.is_empty() => {
                    let nth = nth % world.clients.len();
                    world.end_client(world.clients[nth].0, How::Code(0));
                }
                Event::MessageArrives | Event::ComesBack { .. } | Event::ClientEndsWell { .. } => {}
            }
        }
        world.end_without_timers();
        check(&world.journal, &cells, policy, false, &[]);
        let measured = u64::try_from(world.starts_seen.len()).unwrap();
        prop_assert_eq!(measured, world.next_start - 1, "a result is lost");
        let mut clients = world.kept.iter().filter(|kept| kept.is_client);
        prop_assert!(clients.all(|kept| kept.end.is_some()), "{:?}", world.kept);
    }
}

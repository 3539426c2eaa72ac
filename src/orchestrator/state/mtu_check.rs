//! Whether large packets vanish on the paths: before the first sample, full TCP segments are exchanged on all of them at once.
//! Paths by cluster IP are dialled until their Services lead to the pods, so that the first attempts find them ready.
//!
//! The destinations accept connections on a TCP port that the path's tool uses, so that Services and policies let them through, and end
//! before the first tool listens there. What is found goes into the warnings of the path's samples, and into the
//! words of its failures. Whatever cannot be found out is left out: no run fails from it. It is not in the journal: an
//! orchestrator that continues a run looks again, when nothing is under way.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use super::listener::Listener;
use super::message::{LostSegment, Order, Process, Session, Target};
use super::sample::target::address;
use super::table::CellIndex;
use super::{Phase, State};
use crate::plan::Via;
use crate::results::warnings::VanishedSegment;
use crate::tools::Cause;

/// For Services to lead to their pods: kube-proxy and its peers follow a new endpoint within a second or two.
const CONNECTED_WITHIN: Duration = Duration::from_secs(3);
/// For all exchanges after that. Healthy paths take some round trips.
const EXCHANGED_WITHIN: Duration = Duration::from_secs(3);

/// How far the check is, and what it has found.
#[derive(Debug, Default)]
pub(super) struct MtuCheck {
    stage: Stage,
    listeners: Vec<Listener>,
    routes: Vec<Route>,
    clients: Vec<Client>,
    /// By the path's index in the plan.
    found: HashMap<usize, Vec<VanishedSegment>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Due,
    /// Until all destinations accept connections, or cannot.
    Listening,
    /// Until all origins have answered.
    Exchanging,
    /// Until the ports are free again.
    Stopping,
    Over,
}

/// What is dialled for a path.
#[derive(Debug)]
struct Route {
    path: usize,
    from: Session,
    to: Session,
    target: Target,
}

/// An origin that was told to exchange segments.
#[derive(Debug)]
struct Client {
    process: Process,
    /// In the order of its targets.
    paths: Vec<usize>,
}

impl State {
    /// Begins the check if it is due, and continues it. Whether the first sample has to wait for it.
    pub(super) fn must_wait_for_mtu_check(&mut self) -> bool {
        if self.mtu_check.stage == Stage::Due {
            if !self.lanes.is_empty() || !self.strays.is_empty() || self.queue.is_empty() {
                return false;
            }
            self.begin_mtu_check();
        }
        let check = &self.mtu_check;
        if check.stage == Stage::Listening && check.listeners.iter().all(|one| one.accepts) {
            self.exchange_segments();
        }
        if self.mtu_check.stage == Stage::Exchanging && self.mtu_check.clients.is_empty() {
            self.stop_mtu_listeners();
        }
        if self.mtu_check.stage == Stage::Stopping && self.mtu_check.listeners.is_empty() {
            self.mtu_check.stage = Stage::Over;
        }
        self.mtu_check.stage != Stage::Over
    }

    fn begin_mtu_check(&mut self) {
        let routes = self.mtu_routes();
        for Route { to, target, .. } in &routes {
            let mut listeners = self.mtu_check.listeners.iter();
            if !listeners.any(|one| one.is_at(*to, target.port)) {
                let listener = self.start_listener(*to, target.port);
                self.mtu_check.listeners.push(listener);
            }
        }
        if !routes.is_empty() {
            let exchanged = CONNECTED_WITHIN + EXCHANGED_WITHIN;
            let timer = self.set_timer(self.limits.answer + exchanged + self.limits.answer);
            self.phase = Phase::CheckingMtu(timer);
        }
        self.mtu_check.routes = routes;
        self.mtu_check.stage = Stage::Listening;
    }

    /// The paths of cells that have not ended, and whose tools listen on a TCP port.
    fn mtu_routes(&self) -> Vec<Route> {
        let plan = self.tasks.plan();
        let mut is_known = vec![false; plan.paths.len()];
        let mut routes = Vec::new();
        for (cell, task) in self.tasks.iter() {
            let index = task.path_index();
            if is_known[index] || self.progress[cell].ended() {
                continue;
            }
            let Some(port) = task.tcp_port() else {
                continue;
            };
            is_known[index] = true;
            let ends = self.ends(cell);
            let [Some(to), Some(from)] = ends.map(|worker| self.workers[worker].present.as_ref())
            else {
                continue;
            };
            let family = plan.family_of(task.path);
            // On one host network nothing listens apart from the other end.
            let shares_host = task.path.via == Via::Host && from.place.node == to.place.node;
            if let Ok(address) = address(task.path, family, &from.place, &to.place)
                && !shares_host
            {
                routes.push(Route {
                    path: index,
                    from: from.session,
                    to: to.session,
                    target: Target {
                        address,
                        port,
                        connect_within: match task.path.via {
                            Via::ClusterIp => CONNECTED_WITHIN,
                            Via::PodIp | Via::Host => Duration::ZERO,
                        },
                    },
                });
            }
        }
        routes
    }

    /// Has each origin dial the destinations that accept connections.
    fn exchange_segments(&mut self) {
        self.mtu_check.stage = Stage::Exchanging;
        let mut by_client: BTreeMap<Session, (Vec<usize>, Vec<Target>)> = BTreeMap::new();
        for route in std::mem::take(&mut self.mtu_check.routes) {
            let mut listeners = self.mtu_check.listeners.iter();
            let is_heard = listeners.any(|one| one.is_at(route.to, route.target.port));
            if is_heard && self.is_present(route.from) {
                let (paths, targets) = by_client.entry(route.from).or_default();
                paths.push(route.path);
                targets.push(route.target);
            }
        }
        for (session, (paths, targets)) in by_client {
            let step = self.new_step();
            let order = Order::TestSegments {
                step,
                targets,
                within: CONNECTED_WITHIN + EXCHANGED_WITHIN,
            };
            self.send(session, order);
            let process = Process { session, step };
            self.mtu_check.clients.push(Client { process, paths });
        }
    }

    fn stop_mtu_listeners(&mut self) {
        self.mtu_check.stage = Stage::Stopping;
        let listeners = self.mtu_check.listeners.iter();
        let processes: Vec<Process> = listeners.map(|one| one.process).collect();
        if processes.is_empty() {
            return;
        }
        for Process { session, step } in processes {
            self.send(session, Order::Stop { step });
        }
        self.phase = Phase::CheckingMtu(self.set_timer(self.limits.stop));
    }

    /// A destination accepts connections, or cannot.
    pub(super) fn mtu_listener_accepts(&mut self, process: Process, accepts: bool) {
        let listeners = &mut self.mtu_check.listeners;
        let Some(nth) = listeners.iter().position(|one| one.process == process) else {
            return;
        };
        if accepts {
            listeners[nth].accepts = true;
        } else {
            listeners.swap_remove(nth);
        }
        self.advance();
    }

    /// A port is free again. Whether it was one of this check.
    pub(super) fn mtu_listener_ended(&mut self, process: Process) -> bool {
        let listeners = &mut self.mtu_check.listeners;
        let before = listeners.len();
        listeners.retain(|one| one.process != process);
        let is_own = listeners.len() < before;
        if is_own {
            self.advance();
        }
        is_own
    }

    /// An origin has exchanged segments with its destinations.
    pub(super) fn segments_tested(&mut self, process: Process, lost: &[LostSegment]) {
        let MtuCheck { clients, found, .. } = &mut self.mtu_check;
        let Some(nth) = clients.iter().position(|one| one.process == process) else {
            return;
        };
        let client = clients.swap_remove(nth);
        for one in lost {
            if let Some(path) = client.paths.get(one.target) {
                found.entry(*path).or_default().push(one.segment);
            }
        }
        self.advance();
    }

    /// Leaves out what needs a worker's session, which has ended.
    pub(super) fn end_mtu_check_in(&mut self, session: Session) {
        let MtuCheck {
            listeners, clients, ..
        } = &mut self.mtu_check;
        listeners.retain(|one| one.process.session != session);
        clients.retain(|one| one.process.session != session);
    }

    /// Waits no longer for answers. A worker whose port is not free after Stop does not do what it is told.
    pub(super) fn mtu_check_timed_out(&mut self) {
        if self.mtu_check.stage == Stage::Stopping {
            let listeners = self.mtu_check.listeners.iter();
            let sessions: Vec<Session> = listeners.map(|one| one.process.session).collect();
            for session in sessions {
                self.disconnect(session);
            }
        } else {
            self.mtu_check.clients.clear();
            self.stop_mtu_listeners();
        }
        self.advance();
    }

    /// What was found on the path of a cell.
    pub(super) fn vanished_segments(&self, cell: CellIndex) -> Vec<VanishedSegment> {
        let path = self.tasks.at(cell).path_index();
        self.mtu_check.found.get(&path).cloned().unwrap_or_default()
    }

    /// The words of a failure, with what was found on the path if that may be why.
    pub(super) fn with_vanished_segments(
        &self,
        cell: CellIndex,
        cause: Cause,
        words: String,
    ) -> String {
        let found = self.vanished_segments(cell);
        if found.is_empty() || cause == Cause::WorkerLost {
            return words;
        }
        let found: Vec<String> = found.iter().map(ToString::to_string).collect();
        format!(
            "{words}; before the first sample, large packets vanished on this path: {}",
            found.join("; ")
        )
    }
}

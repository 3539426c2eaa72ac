//! Whether the paths work: before the first sample, the destinations of all paths are dialled at once until they answer, and full
//! TCP segments are exchanged with them.
//!
//! So the first attempts find Services that lead to their pods; a path that stays silent is reported with the layer that is broken;
//! and a path on which large packets vanish is known. The destinations accept connections on a TCP port that the path's tool
//! uses, so that Services and policies let them through, and end before the first tool listens there. What is found goes into
//! the warnings of the path's samples and into the notes of its failures; that a destination is silent is an event, too. Whatever cannot be
//! found out is left out: no run fails from it. An orchestrator that continues a run looks again, when nothing is under way.

mod silence;

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use self::silence::{Asked, Silence};
use super::listener::Listener;
use super::message::{Order, PathFindings, Process, Session, Target};
use super::sample::target::{address, of_family};
use super::table::CellIndex;
use super::{Phase, State};
use crate::plan::Via;
use crate::results::EventKind;
use crate::results::warnings::VanishedSegment;
use crate::tools::Cause;

/// For destinations to answer: kube-proxy, its peers and pod networks follow a new pod within a second or two.
const CONNECTED_WITHIN: Duration = Duration::from_secs(3);
/// For all exchanges after that. Healthy paths take some round trips.
const EXCHANGED_WITHIN: Duration = Duration::from_secs(3);

/// How far the check is, and what it has found.
#[derive(Debug, Default)]
pub(super) struct PathCheck {
    stage: Stage,
    listeners: Vec<Listener>,
    routes: Vec<Route>,
    clients: Vec<Client>,
    silence: Silence,
    /// By the path's index in the plan.
    vanished: HashMap<usize, Vec<VanishedSegment>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Due,
    /// Until all destinations accept connections, or cannot.
    Listening,
    /// Until all origins have answered.
    Testing,
    /// Until the ports are free again.
    Stopping,
    Over,
}

/// What is dialled for a path.
#[derive(Debug)]
struct Route {
    asked: Asked,
    from: Session,
    to: Session,
    target: Target,
}

/// An origin that was told to try its destinations.
#[derive(Debug)]
struct Client {
    process: Process,
    /// In the order of its targets.
    paths: Vec<Asked>,
}

impl State {
    /// Begins the check if it is due, and continues it. Whether the first sample has to wait for it.
    pub(super) fn must_wait_for_path_check(&mut self) -> bool {
        if self.path_check.stage == Stage::Due {
            if !self.lanes.is_empty() || !self.strays.is_empty() || self.queue.is_empty() {
                return false;
            }
            self.begin_path_check();
        }
        let check = &self.path_check;
        if check.stage == Stage::Listening && check.listeners.iter().all(|one| one.accepts) {
            self.test_routes();
        }
        if self.path_check.stage == Stage::Testing && self.path_check.clients.is_empty() {
            self.report_silence();
            self.stop_path_listeners();
        }
        if self.path_check.stage == Stage::Stopping && self.path_check.listeners.is_empty() {
            self.path_check.stage = Stage::Over;
        }
        self.path_check.stage != Stage::Over
    }

    fn begin_path_check(&mut self) {
        let routes = self.routes();
        for Route { to, target, .. } in &routes {
            let mut listeners = self.path_check.listeners.iter();
            if !listeners.any(|one| one.is_at(*to, target.port)) {
                let listener = self.start_listener(*to, target.port);
                self.path_check.listeners.push(listener);
            }
        }
        if !routes.is_empty() {
            let exchanged = CONNECTED_WITHIN + EXCHANGED_WITHIN;
            let timer = self.set_timer(self.limits.answer + exchanged + self.limits.answer);
            self.phase = Phase::CheckingPaths(timer);
        }
        self.path_check.routes = routes;
        self.path_check.stage = Stage::Listening;
    }

    /// The paths of cells that have not ended, and whose tools listen on a TCP port.
    fn routes(&self) -> Vec<Route> {
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
                let pod_address = match task.path.via {
                    Via::ClusterIp => {
                        let pod = [Some(to.place.pod_ip.clone()), to.place.other_pod_ip.clone()];
                        of_family(pod, family)
                    }
                    Via::PodIp | Via::Host => None,
                };
                routes.push(Route {
                    asked: Asked::new(index, task.path, to.session, [&from.place, &to.place]),
                    from: from.session,
                    to: to.session,
                    target: Target {
                        address,
                        port,
                        pod_address,
                    },
                });
            }
        }
        routes
    }

    /// Has each origin try the destinations that accept connections.
    fn test_routes(&mut self) {
        self.path_check.stage = Stage::Testing;
        let mut by_client: BTreeMap<Session, (Vec<Asked>, Vec<Target>)> = BTreeMap::new();
        for route in std::mem::take(&mut self.path_check.routes) {
            let mut listeners = self.path_check.listeners.iter();
            let is_heard = listeners.any(|one| one.is_at(route.to, route.target.port));
            if is_heard && self.is_present(route.from) {
                let (paths, targets) = by_client.entry(route.from).or_default();
                paths.push(route.asked);
                targets.push(route.target);
            }
        }
        for (session, (paths, targets)) in by_client {
            let step = self.new_step();
            let order = Order::TestPaths {
                step,
                targets,
                connect_within: CONNECTED_WITHIN,
                within: CONNECTED_WITHIN + EXCHANGED_WITHIN,
            };
            self.send(session, order);
            let process = Process { session, step };
            self.path_check.clients.push(Client { process, paths });
        }
    }

    fn stop_path_listeners(&mut self) {
        self.path_check.stage = Stage::Stopping;
        let listeners = self.path_check.listeners.iter();
        let processes: Vec<Process> = listeners.map(|one| one.process).collect();
        if processes.is_empty() {
            return;
        }
        for Process { session, step } in processes {
            self.send(session, Order::Stop { step });
        }
        self.phase = Phase::CheckingPaths(self.set_timer(self.limits.stop));
    }

    /// A destination accepts connections, or cannot.
    pub(super) fn path_listener_accepts(&mut self, process: Process, accepts: bool) {
        let listeners = &mut self.path_check.listeners;
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
    pub(super) fn path_listener_ended(&mut self, process: Process) -> bool {
        let listeners = &mut self.path_check.listeners;
        let before = listeners.len();
        listeners.retain(|one| one.process != process);
        let is_own = listeners.len() < before;
        if is_own {
            self.advance();
        }
        is_own
    }

    /// An origin has tried its destinations.
    pub(super) fn paths_tested(&mut self, process: Process, findings: PathFindings) {
        let check = &mut self.path_check;
        let Some(nth) = check.clients.iter().position(|one| one.process == process) else {
            return;
        };
        let Client { paths, .. } = check.clients.swap_remove(nth);
        for one in findings.lost {
            if let Some(asked) = paths.get(one.target) {
                let vanished = check.vanished.entry(asked.path).or_default();
                vanished.push(one.segment);
            }
        }
        for nth in findings.reached {
            if let Some(asked) = paths.get(nth) {
                check.silence.note_answer(asked);
            }
        }
        for one in findings.unreached {
            if let Some(asked) = paths.get(one.target)
                && self.is_present(asked.to)
            {
                self.path_check.silence.add(asked, one);
            }
        }
        self.advance();
    }

    /// Reports which layers keep the silent destinations from their origins.
    fn report_silence(&mut self) {
        for (path, found) in self.path_check.silence.explain() {
            self.emit(EventKind::PathUnreachable {
                path: self.tasks.plan().paths[path].name.clone(),
                found,
            });
        }
    }

    /// A sample was measured on the path of this cell.
    pub(super) fn note_that_path_works(&mut self, cell: CellIndex) {
        let path = self.tasks.at(cell).path_index();
        self.path_check.silence.end(path);
    }

    /// Leaves out what needs a worker's session, which has ended.
    pub(super) fn end_path_check_in(&mut self, session: Session) {
        let PathCheck {
            listeners, clients, ..
        } = &mut self.path_check;
        listeners.retain(|one| one.process.session != session);
        clients.retain(|one| one.process.session != session);
    }

    /// Waits no longer for answers. A worker whose port is not free after Stop does not do what it is told.
    pub(super) fn path_check_timed_out(&mut self) {
        if self.path_check.stage == Stage::Stopping {
            let listeners = self.path_check.listeners.iter();
            let sessions: Vec<Session> = listeners.map(|one| one.process.session).collect();
            for session in sessions {
                self.disconnect(session);
            }
        } else {
            self.path_check.clients.clear();
            self.report_silence();
            self.stop_path_listeners();
        }
        self.advance();
    }

    /// The segments that vanished on the path of a cell.
    pub(super) fn vanished_segments(&self, cell: CellIndex) -> Vec<VanishedSegment> {
        let path = self.tasks.at(cell).path_index();
        let vanished = self.path_check.vanished.get(&path);
        vanished.cloned().unwrap_or_default()
    }

    /// What was found on the path of a cell, if that may be why it failed; else empty.
    pub(super) fn path_note(&self, cell: CellIndex, cause: Cause) -> String {
        if cause == Cause::WorkerLost {
            return String::new();
        }
        let path = self.tasks.at(cell).path_index();
        if let Some(found) = self.path_check.silence.of(path) {
            return format!("before the first sample, {found}");
        }
        let found = self.vanished_segments(cell);
        if found.is_empty() {
            return String::new();
        }
        let found: Vec<String> = found.iter().map(ToString::to_string).collect();
        format!(
            "before the first sample, large packets vanished on this path: {}",
            found.join("; ")
        )
    }
}

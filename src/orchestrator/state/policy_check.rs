//! Whether the cluster enforces the policies of variants: before the first sample, connections that they forbid are
//! tried.
//!
//! Each check has two connections, over each family of addresses that the variant's paths use. The first one is permitted and
//! has to succeed: else a failure of the second says nothing about policies. The second one is forbidden, and is tried until
//! it fails. The cells of a variant whose forbidden connection succeeds to the end are skipped: their figures would say that
//! the policies cost nothing.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use super::listener::Listener;
use super::message::{Order, Process, Session};
use super::sample::target::of_family;
use super::table::CellIndex;
use super::{Phase, Present, State};
use crate::plan::{Connection, Family, ForbiddenConnection};

/// A policy that takes effect later than this counts as one that is not enforced; a network that lets the permitted connection
/// through later, as broken.
const SETTLES_WITHIN: Duration = Duration::from_secs(10);
/// For each attempt to connect.
const CONNECT_WITHIN: Duration = Duration::from_millis(1500);

/// The checks of a run, and what accepts their connections.
#[derive(Debug, Default)]
pub(super) struct PolicyChecks {
    checks: Vec<PolicyCheck>,
    listeners: Vec<Listener>,
}

/// The connections of a variant, and what has come of them.
#[derive(Debug)]
struct PolicyCheck {
    tried: ForbiddenConnection,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    Due,
    Open {
        /// What is to be tried; the first one is, if there is a client.
        dials: VecDeque<Dial>,
        client: Option<Process>,
    },
    Enforced,
    /// Why the cells of the variant are skipped.
    Unproven(String),
}

/// A connection over one family of addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Dial {
    connection: Connection,
    from: Session,
    to: Session,
    address: String,
    is_forbidden: bool,
}

impl PolicyCheck {
    fn is_open(&self) -> bool {
        matches!(self.stage, Stage::Open { .. })
    }

    fn dials(&self) -> impl Iterator<Item = &Dial> {
        let dials = match &self.stage {
            Stage::Open { dials, .. } => Some(dials),
            Stage::Due | Stage::Enforced | Stage::Unproven(_) => None,
        };
        dials.into_iter().flatten()
    }
}

impl Dial {
    fn is_to(&self, listener: &Listener) -> bool {
        listener.is_at(self.to, self.connection.port)
    }
}

impl State {
    /// The same run, which tries these connections before its first sample.
    #[must_use]
    pub fn with_forbidden(mut self, forbidden: Vec<ForbiddenConnection>) -> Self {
        let check = |tried| PolicyCheck {
            tried,
            stage: Stage::Due,
        };
        self.policy_checks.checks = forbidden.into_iter().map(check).collect();
        self
    }

    /// Begins the checks that are due. Whether the first sample has to wait for them.
    pub(super) fn begin_policy_checks(&mut self) -> bool {
        if let Phase::TryingForbidden(_) = self.phase {
            let is_open = self.policy_checks.checks.iter().any(PolicyCheck::is_open);
            if !is_open {
                for Listener { process, .. } in std::mem::take(&mut self.policy_checks.listeners) {
                    let Process { session, step } = process;
                    self.send(session, Order::Stop { step });
                }
            }
            return is_open;
        }
        let due = |check: &PolicyCheck| matches!(check.stage, Stage::Due);
        if self.queue.is_empty() || !self.policy_checks.checks.iter().any(due) {
            return false;
        }
        let mut longest = 0;
        for index in 0..self.policy_checks.checks.len() {
            let stage = match self.dials_of(&self.policy_checks.checks[index].tried) {
                Ok(dials) => {
                    longest = longest.max(dials.len());
                    for dial in &dials {
                        self.listen_for(dial);
                    }
                    let client = None;
                    Stage::Open { dials, client }
                }
                Err(why) => unchecked(&why),
            };
            self.policy_checks.checks[index].stage = stage;
        }
        if longest == 0 {
            return false;
        }
        let each = SETTLES_WITHIN + CONNECT_WITHIN + self.limits.answer;
        let dials = u32::try_from(longest).unwrap_or(u32::MAX);
        let timer = self.set_timer(self.limits.answer + each.saturating_mul(dials));
        self.phase = Phase::TryingForbidden(timer);
        true
    }

    /// What a check tries, in order.
    ///
    /// # Errors
    /// Why it cannot be tried.
    fn dials_of(&self, tried: &ForbiddenConnection) -> Result<VecDeque<Dial>, String> {
        let mut dials = VecDeque::new();
        for family in self.families_of(&tried.variant) {
            for (connection, is_forbidden) in [(&tried.permitted, false), (&tried.forbidden, true)]
            {
                let to = self.worker_for_check(&connection.to)?;
                let addresses = [Some(to.place.pod_ip.clone()), to.place.other_pod_ip.clone()];
                let dial = Dial {
                    connection: connection.clone(),
                    from: self.worker_for_check(&connection.from)?.session,
                    to: to.session,
                    address: of_family(addresses, family).ok_or_else(|| {
                        let family = family.map(Family::name).unwrap_or_default();
                        format!("worker `{}` has no {family} address", connection.to)
                    })?,
                    is_forbidden,
                };
                // The cluster's first family is one of both.
                if !dials.contains(&dial) {
                    dials.push_back(dial);
                }
            }
        }
        Ok(dials)
    }

    fn worker_for_check(&self, name: &str) -> Result<&Present, String> {
        let worker = self.names.get(name).map(|id| &self.workers[*id]);
        let present = worker.and_then(|worker| worker.present.as_ref());
        present.ok_or_else(|| format!("worker `{name}` is absent"))
    }

    /// The families that the paths of a variant use; `None` is the cluster's first.
    fn families_of(&self, variant: &str) -> BTreeSet<Option<Family>> {
        let plan = self.tasks.plan();
        let paths = plan.paths.iter();
        let own = paths.filter(|path| plan.variant_name(path.variant) == Some(variant));
        own.map(|path| plan.family_of(path)).collect()
    }

    /// Has the destination accept connections, if it was not told before.
    fn listen_for(&mut self, dial: &Dial) {
        let mut listeners = self.policy_checks.listeners.iter();
        if !listeners.any(|listener| dial.is_to(listener)) {
            let listener = self.start_listener(dial.to, dial.connection.port);
            self.policy_checks.listeners.push(listener);
        }
    }

    /// A destination accepts connections, or cannot.
    pub(super) fn accepting(&mut self, process: Process, accepting: Result<(), String>) {
        let PolicyChecks { checks, listeners } = &mut self.policy_checks;
        let mut listeners = listeners.iter_mut();
        let Some(listener) = listeners.find(|listener| listener.process == process) else {
            return;
        };
        listener.accepts = accepting.is_ok();
        if let Err(why) = accepting {
            for check in checks {
                let dial = check.dials().find(|dial| dial.is_to(listener));
                if let Some(to) = dial.map(|dial| dial.connection.to.clone()) {
                    check.stage = unchecked(&format!("worker `{to}`: {why}"));
                }
            }
        }
        self.dial_next();
        self.advance();
    }

    /// Tries the next connection of each check that waits for nothing else.
    fn dial_next(&mut self) {
        for index in 0..self.policy_checks.checks.len() {
            let PolicyChecks { checks, listeners } = &self.policy_checks;
            let check = &checks[index];
            let Stage::Open {
                dials,
                client: None,
            } = &check.stage
            else {
                continue;
            };
            let accepted = |dial: &Dial| {
                let listener = listeners.iter().find(|listener| dial.is_to(listener));
                listener.is_some_and(|listener| listener.accepts)
            };
            let Some(dial) = dials
                .front()
                .filter(|_| dials.iter().all(accepted))
                .cloned()
            else {
                continue;
            };
            let step = self.new_step();
            let session = dial.from;
            let order = Order::TryConnection {
                step,
                address: dial.address,
                port: dial.connection.port,
                within: CONNECT_WITHIN,
                settle: SETTLES_WITHIN,
                until_connected: !dial.is_forbidden,
            };
            self.send(session, order);
            if let Stage::Open { client, .. } = &mut self.policy_checks.checks[index].stage {
                *client = Some(Process { session, step });
            }
        }
    }

    /// An origin has tried to connect.
    pub(super) fn connection_tried(&mut self, process: Process, connected: bool) {
        for check in &mut self.policy_checks.checks {
            let Stage::Open { dials, client } = &mut check.stage else {
                continue;
            };
            if *client != Some(process) {
                continue;
            }
            *client = None;
            let Some(dial) = dials.pop_front() else {
                continue;
            };
            let is_last = dials.is_empty();
            match (dial.is_forbidden, connected) {
                (true, true) => {
                    check.stage = Stage::Unproven(not_enforced(&dial, &check.tried.variant));
                }
                (false, false) => check.stage = unchecked(&unreachable(&dial)),
                (true, false) if is_last => check.stage = Stage::Enforced,
                (true, false) | (false, true) => {}
            }
        }
        self.dial_next();
        self.advance();
    }

    /// Ends the checks that need a worker's session.
    pub(super) fn end_policy_checks_in(&mut self, session: Session, worker: &str) {
        let PolicyChecks { checks, listeners } = &mut self.policy_checks;
        listeners.retain(|listener| listener.process.session != session);
        for check in checks {
            if check
                .dials()
                .any(|dial| dial.from == session || dial.to == session)
            {
                check.stage = unchecked(&format!("worker `{worker}` left"));
            }
        }
    }

    /// Ends all checks that are not answered.
    pub(super) fn end_policy_checks(&mut self) {
        for index in 0..self.policy_checks.checks.len() {
            let Stage::Open { client, .. } = self.policy_checks.checks[index].stage else {
                continue;
            };
            if let Some(Process { session, step }) = client {
                self.send(session, Order::Stop { step });
            }
            self.policy_checks.checks[index].stage =
                unchecked("the workers did not answer in time");
        }
    }

    /// Why the cells of this one's variant are skipped.
    pub(super) fn unproven_policy(&self, cell: CellIndex) -> Option<String> {
        let variant = self.tasks.at(cell).variant()?;
        self.policy_checks
            .checks
            .iter()
            .find_map(|check| match &check.stage {
                Stage::Unproven(why) if check.tried.variant == variant => Some(why.clone()),
                _ => None,
            })
    }
}

fn unchecked(why: &str) -> Stage {
    Stage::Unproven(format!("policy not checked: {why}"))
}

fn unreachable(dial: &Dial) -> String {
    let Connection { from, to, port } = &dial.connection;
    let address = &dial.address;
    format!(
        "`{from}` does not reach port {port} of `{to}` at {address}, which no policy of the run forbids, so that nothing shows \
         what policies do; see whether the network or other policies keep it from there"
    )
}

fn not_enforced(dial: &Dial, variant: &str) -> String {
    let Connection { from, to, port } = &dial.connection;
    let address = &dial.address;
    format!(
        "policy not enforced: `{from}` reaches port {port} of `{to}` at {address}, which the policies of `{variant}` forbid; use \
         a network plugin that enforces NetworkPolicies"
    )
}

//! Whether the cluster enforces the policies of variants: before the first sample, connections that they forbid are
//! tried.
//!
//! Each check has a worker accept connections on a port, and another one connect to it until that fails. The cells of a
//! variant whose connection succeeds to the end are skipped: their figures would say that the policies cost nothing.

use std::time::Duration;

use super::message::{Order, Process, Session};
use super::table::CellIndex;
use super::{Phase, State};
use crate::plan::ForbiddenConnection;

/// A policy that takes effect later than this counts as one that is not enforced.
const ENFORCED_WITHIN: Duration = Duration::from_secs(10);
/// For each attempt to connect.
const CONNECT_WITHIN: Duration = Duration::from_millis(1500);

/// A connection that is forbidden, and what has come of it.
#[derive(Debug)]
pub(super) struct PolicyCheck {
    connection: ForbiddenConnection,
    stage: Stage,
}

#[derive(Clone, Debug)]
enum Stage {
    Due,
    /// The destination was told to accept connections.
    Opening {
        listener: Process,
        from: Session,
    },
    /// The origin was told to connect.
    Connecting {
        listener: Process,
        client: Process,
    },
    Enforced,
    /// Why the cells of the variant are skipped.
    Unproven(String),
}

impl PolicyCheck {
    fn new(connection: ForbiddenConnection) -> Self {
        Self {
            connection,
            stage: Stage::Due,
        }
    }

    fn is_open(&self) -> bool {
        matches!(self.stage, Stage::Opening { .. } | Stage::Connecting { .. })
    }

    fn processes(&self) -> Vec<Process> {
        match self.stage {
            Stage::Opening { listener, .. } => vec![listener],
            Stage::Connecting { listener, client } => vec![listener, client],
            Stage::Due | Stage::Enforced | Stage::Unproven(_) => Vec::new(),
        }
    }
}

impl State {
    /// The same run, which tries these connections before its first sample.
    #[must_use]
    pub fn with_forbidden(mut self, forbidden: Vec<ForbiddenConnection>) -> Self {
        self.policy_checks = forbidden.into_iter().map(PolicyCheck::new).collect();
        self
    }

    /// Begins the checks that are due. Whether the first sample has to wait for them.
    pub(super) fn begin_policy_checks(&mut self) -> bool {
        if let Phase::TryingForbidden(_) = self.phase {
            return self.policy_checks.iter().any(PolicyCheck::is_open);
        }
        let due = |check: &PolicyCheck| matches!(check.stage, Stage::Due);
        if self.queue.is_empty() || !self.policy_checks.iter().any(due) {
            return false;
        }
        for index in 0..self.policy_checks.len() {
            let ForbiddenConnection { from, to, port, .. } =
                self.policy_checks[index].connection.clone();
            let ends = [&from, &to].map(|name| {
                let worker = self.names.get(name).map(|id| &self.workers[*id]);
                worker.and_then(|worker| worker.present.as_ref())
            });
            let stage = match ends.map(|end| end.map(|end| end.session)) {
                [Some(from), Some(session)] => {
                    let step = self.new_step();
                    self.send(session, Order::Accept { step, port });
                    let listener = Process { session, step };
                    Stage::Opening { listener, from }
                }
                [None, _] => unchecked(&format!("worker `{from}` is absent")),
                [_, None] => unchecked(&format!("worker `{to}` is absent")),
            };
            self.policy_checks[index].stage = stage;
        }
        if !self.policy_checks.iter().any(PolicyCheck::is_open) {
            return false;
        }
        let timer = self.set_timer(ENFORCED_WITHIN + CONNECT_WITHIN + 2 * self.limits.answer);
        self.phase = Phase::TryingForbidden(timer);
        true
    }

    /// The destination of a check accepts connections, or cannot.
    pub(super) fn accepting(&mut self, process: Process, accepting: Result<(), String>) {
        let check = self.policy_checks.iter().position(
            |check| matches!(check.stage, Stage::Opening { listener, .. } if listener == process),
        );
        let Some(index) = check else { return };
        let Stage::Opening { listener, from } = self.policy_checks[index].stage else {
            return;
        };
        let ForbiddenConnection { to, port, .. } = self.policy_checks[index].connection.clone();
        let place = self
            .worker_of(listener.session)
            .and_then(|id| self.workers[id].present.as_ref());
        let stage = match (accepting, place.map(|present| present.place.pod_ip.clone())) {
            (Ok(()), Some(address)) => {
                let step = self.new_step();
                let client = Process {
                    session: from,
                    step,
                };
                let order = Order::TryConnection {
                    step,
                    address,
                    port,
                    within: CONNECT_WITHIN,
                    settle: ENFORCED_WITHIN,
                };
                self.send(from, order);
                Stage::Connecting { listener, client }
            }
            (Err(why), _) => unchecked(&format!("worker `{to}`: {why}")),
            (_, None) => unchecked(&format!("worker `{to}` left")),
        };
        self.policy_checks[index].stage = stage;
        self.advance();
    }

    /// The origin of a check has tried to connect.
    pub(super) fn connection_tried(&mut self, process: Process, connected: bool) {
        for index in 0..self.policy_checks.len() {
            let check = &self.policy_checks[index];
            let Stage::Connecting { listener, client } = check.stage else {
                continue;
            };
            if client != process {
                continue;
            }
            let stage = if connected {
                Stage::Unproven(not_enforced(&check.connection))
            } else {
                Stage::Enforced
            };
            self.policy_checks[index].stage = stage;
            let Process { session, step } = listener;
            self.send(session, Order::Stop { step });
        }
        self.advance();
    }

    /// Ends the checks that ran in a session.
    pub(super) fn end_policy_checks_in(&mut self, session: Session, worker: &str) {
        for check in &mut self.policy_checks {
            if check
                .processes()
                .iter()
                .any(|process| process.session == session)
            {
                check.stage = unchecked(&format!("worker `{worker}` left"));
            }
        }
    }

    /// Ends all checks that are not answered.
    pub(super) fn end_policy_checks(&mut self) {
        for index in 0..self.policy_checks.len() {
            let processes = self.policy_checks[index].processes();
            if processes.is_empty() {
                continue;
            }
            for Process { session, step } in processes {
                self.send(session, Order::Stop { step });
            }
            self.policy_checks[index].stage = unchecked("the workers did not answer in time");
        }
    }

    /// Why the cells of this one's variant are skipped.
    pub(super) fn unproven_policy(&self, cell: CellIndex) -> Option<String> {
        let variant = self.tasks.at(cell).variant()?;
        self.policy_checks
            .iter()
            .find_map(|check| match &check.stage {
                Stage::Unproven(why) if check.connection.variant == variant => Some(why.clone()),
                _ => None,
            })
    }
}

fn unchecked(why: &str) -> Stage {
    Stage::Unproven(format!("policy not checked: {why}"))
}

fn not_enforced(connection: &ForbiddenConnection) -> String {
    let ForbiddenConnection {
        variant,
        from,
        to,
        port,
    } = connection;
    format!(
        "policy not enforced: `{from}` reaches port {port} of `{to}`, which the policies of `{variant}` forbid; use a \
         network plugin that enforces NetworkPolicies"
    )
}

//! The start of an orchestrator: waits for workers, and takes the newest copy of the run's journal.

use std::collections::{HashMap, VecDeque};
use std::path::Path;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};
use tonic::Status;

use super::journal_stream::Stand;
use super::service::Call;
use super::state::copy::claim::HeldJournal;
use super::state::copy::epoch::Epoch;
use super::state::copy::succession::{Step, Succession};
use super::state::message::{Input, Session};
use super::store::{Store, StoreError};
use crate::diag::printable;
use crate::rpc::pb::{Gathering, SendCopy, ToWorker, to_worker};

/// A worker whose copy does not get on for this long is not waited for.
const PART_WITHIN: Duration = Duration::from_secs(10);

/// How the orchestrator begins.
#[derive(Debug)]
pub(super) struct Beginning {
    pub epoch: Epoch,
    /// What the journal in the folder was before it.
    pub base: HeldJournal,
    /// What has come in so far and is still of interest, in its order.
    pub calls: VecDeque<Call>,
}

/// The part of the orchestrator that gathers.
pub(super) struct Gatherer<'g> {
    /// The folder of the journal.
    pub folder: &'g Path,
    pub succession: Succession,
    pub own: HeldJournal,
    /// How long to wait for workers that do not join.
    pub patience: Duration,
    pub calls: &'g mut mpsc::Receiver<Call>,
    pub stand: &'g watch::Sender<Stand>,
    pub tell: &'g mut (dyn FnMut(&str) + Send),
}

type Orders = mpsc::Sender<Result<ToWorker, Status>>;

impl Gatherer<'_> {
    /// Returns when the journal in the folder is the newest that can be had.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub async fn gather(mut self) -> Result<Beginning, StoreError> {
        let deadline = Instant::now() + self.patience;
        let mut orders: HashMap<Session, Orders> = HashMap::new();
        let mut backlog: VecDeque<Call> = VecDeque::new();
        let mut has_said = false;
        loop {
            self.report();
            if self.succession.has_past() && !has_said {
                has_said = true;
                (self.tell)(&format!(
                    "the run had an orchestrator before: looking for the newest copy of its journal, for up to {} s",
                    self.patience.as_secs()
                ));
            }
            match self.succession.step() {
                Step::Wait => {}
                Step::Begin { epoch } => {
                    if self.succession.has_past() && self.own.next_seq == 0 {
                        (self.tell)(
                            "warning: no worker has a copy of the run's journal; the run begins anew",
                        );
                    }
                    return Ok(Beginning {
                        epoch,
                        base: self.own,
                        calls: backlog,
                    });
                }
                Step::Fetch {
                    worker,
                    session,
                    epoch,
                    copy,
                } => {
                    let from = orders.get(&session).cloned();
                    match self.fetch(session, epoch, from, &mut backlog).await? {
                        Ok(()) => {
                            (self.tell)(&format!(
                                "continuing from the copy of worker `{worker}`: {} events",
                                copy.next_seq
                            ));
                            let base = HeldJournal {
                                epoch: copy.epoch,
                                ..Store::find(self.folder)?
                            };
                            return Ok(Beginning {
                                epoch,
                                base,
                                calls: backlog,
                            });
                        }
                        Err(why) => {
                            (self.tell)(&format!(
                                "warning: the copy of worker `{worker}` cannot be used: {}",
                                printable::line(&why)
                            ));
                            self.succession.copy_failed(session);
                            // What was written is a part of it.
                            self.own = HeldJournal::default();
                            continue;
                        }
                    }
                }
            }
            let call = tokio::select! {
                call = self.calls.recv() => call,
                () = sleep_until(deadline) => {
                    self.succession.deadline_passed();
                    continue;
                }
            };
            let Some(call) = call else {
                // Nobody can call any more: the server has ended.
                self.succession.deadline_passed();
                continue;
            };
            if let Call::Joined {
                session,
                orders: to,
                ..
            } = &call
            {
                orders.insert(*session, to.clone());
            }
            self.take(call, &mut backlog);
        }
    }

    /// Takes note of a call, and keeps it for later.
    fn take(&mut self, call: Call, backlog: &mut VecDeque<Call>) {
        match &call {
            Call::Joined {
                worker,
                session,
                place,
                ..
            } => self.succession.worker_joined(worker, *session, place.claim),
            Call::Input(Input::WorkerLeft { session, .. }) => {
                self.succession.worker_left(*session);
                // Who comes and goes meanwhile leaves nothing behind.
                let left = *session;
                backlog.retain(
                    |call| !matches!(call, Call::Joined { session, .. } if *session == left),
                );
                return;
            }
            Call::Input(Input::WorkerGivenUp { worker, .. }) => {
                self.succession.worker_given_up(worker);
            }
            Call::Input(Input::Cancel) | Call::Watched | Call::Unwatched => {}
            // Answers to what an earlier orchestrator asked.
            Call::Input(_) | Call::CopyPart { .. } | Call::Collected { .. } => return,
        }
        backlog.push_back(call);
    }

    /// Tells watchers who is waited for.
    fn report(&self) {
        let (expected, joined) = self.succession.waiting();
        let gathering = Stand::Gathering(Gathering { expected, joined });
        self.stand.send_if_modified(|stand| {
            let is_new = *stand != gathering;
            *stand = gathering;
            is_new
        });
    }

    /// Replaces the journal in the folder by a worker's copy. The inner error says why the copy cannot be used.
    async fn fetch(
        &mut self,
        session: Session,
        epoch: Epoch,
        orders: Option<Orders>,
        backlog: &mut VecDeque<Call>,
    ) -> Result<Result<(), String>, StoreError> {
        let ask = ToWorker {
            message: Some(to_worker::Message::SendCopy(SendCopy {})),
            epoch: epoch.0,
        };
        if orders.is_none_or(|orders| orders.try_send(Ok(ask)).is_err()) {
            return Ok(Err("it takes no orders".to_owned()));
        }
        let mut store = Store::replace(self.folder)?;
        let mut deadline = Instant::now() + PART_WITHIN;
        loop {
            let call = tokio::select! {
                call = self.calls.recv() => call,
                () = sleep_until(deadline) => {
                    let limit = PART_WITHIN.as_secs();
                    return Ok(Err(format!("nothing has come of it for {limit} s")));
                }
            };
            match call {
                Some(Call::CopyPart {
                    session: from,
                    part,
                }) if from == session => {
                    deadline = Instant::now() + PART_WITHIN;
                    if let Err(error) = store.put_records(part.records) {
                        return Ok(Err(error.to_string()));
                    }
                    if !part.problem.is_empty() {
                        return Ok(Err(part.problem));
                    }
                    if part.last {
                        return Ok(Ok(()));
                    }
                }
                Some(call) => {
                    let is_over = matches!(&call, Call::Input(Input::WorkerLeft { session: left, .. }) if *left == session);
                    self.take(call, backlog);
                    if is_over {
                        return Ok(Err("the worker left".to_owned()));
                    }
                }
                None => return Ok(Err("the server has ended".to_owned())),
            }
        }
    }
}

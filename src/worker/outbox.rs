//! The answers of steps on their way to the orchestrator. Those of steps that outlive sessions are kept until it has
//! them, and are sent again in each new session.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;

use crate::rpc::pb::FromWorker;
use crate::rpc::pb::from_worker::Message;

/// Answers to the orchestrator, in their order: one session's.
pub(super) type Answers = mpsc::Sender<FromWorker>;

/// The answers that are kept; clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct Outbox(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    /// Of the session that lasts, if there is one.
    session: Option<Answers>,
    /// By step.
    kept: BTreeMap<u64, Vec<FromWorker>>,
}

impl Outbox {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers go to this session from now on. Returns those that are kept, which may not have arrived.
    pub(super) fn attach(&self, session: Answers) -> Vec<FromWorker> {
        let mut inner = self.inner();
        inner.session = Some(session);
        inner.kept.values().flatten().cloned().collect()
    }

    /// The session has ended.
    pub(super) fn detach(&self) {
        self.inner().session = None;
    }

    /// Keeps the answers of a step.
    pub(super) fn keep(&self, step: u64) {
        self.inner().kept.insert(step, Vec::new());
    }

    /// Whether the answers of a step are kept.
    pub(super) fn keeps(&self, step: u64) -> bool {
        self.inner().kept.contains_key(&step)
    }

    /// The orchestrator needs no answer of this step any more.
    pub(super) fn forget(&self, step: u64) {
        self.inner().kept.remove(&step);
    }

    /// Takes an answer of a step that outlives sessions. Returns where it goes.
    fn add(&self, step: u64, answer: &FromWorker) -> Option<Answers> {
        let mut inner = self.inner();
        if let Some(kept) = inner.kept.get_mut(&step) {
            kept.push(answer.clone());
        }
        inner.session.clone()
    }
}

/// Where the answers of one step go.
#[derive(Clone, Debug)]
pub(super) enum Reply {
    /// To the session that the step ends with.
    ToSession(Answers),
    /// To whichever session there is.
    Kept { outbox: Outbox, step: u64 },
}

impl Reply {
    /// Sends an answer.
    pub(super) async fn say(&self, message: Message) {
        let answer = FromWorker {
            message: Some(message),
        };
        let session = match self {
            Self::ToSession(session) => Some(session.clone()),
            Self::Kept { outbox, step } => outbox.add(*step, &answer),
        };
        if let Some(session) = session {
            // When the stream has broken, the orchestrator knows that the worker has left.
            let _ = session.send(answer).await;
        }
    }
}

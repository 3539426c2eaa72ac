//! What comes in while the orchestrator gathers, and is kept for its driver.

use std::collections::{HashMap, VecDeque};

use super::service::{Call, Orders};
use super::state::message::{Input, Session};

/// What has come in while the orchestrator gathers.
#[derive(Debug, Default)]
pub(super) struct Arrivals {
    /// Of the sessions that live.
    orders: HashMap<Session, Orders>,
    /// What the driver has to know, in its order. It has a bound: a call that adds nothing is left out.
    backlog: VecDeque<Call>,
}

impl Arrivals {
    /// Keeps a call for the driver.
    pub fn keep(&mut self, call: Call) {
        match &call {
            Call::Joined {
                session, orders, ..
            } => {
                self.orders.insert(*session, orders.clone());
            }
            Call::Input(Input::WorkerLeft { session, .. }) => {
                // Whoever comes and goes meanwhile leaves nothing behind.
                let left = *session;
                self.orders.remove(&left);
                self.backlog.retain(
                    |call| !matches!(call, Call::Joined { session, .. } if *session == left),
                );
                return;
            }
            Call::Input(Input::WorkerGivenUp { worker, .. }) => {
                let earlier = worker.clone();
                self.backlog.retain(|call| {
                    !matches!(call, Call::Input(Input::WorkerGivenUp { worker, .. }) if *worker == earlier)
                });
            }
            Call::Input(Input::Cancel) => {
                let is_cancel = |call: &Call| matches!(call, Call::Input(Input::Cancel));
                self.backlog.retain(|call| !is_cancel(call));
            }
            Call::Unwatched => {
                // One that has come and gone tells the driver that somebody has watched.
                let has_gone = self
                    .backlog
                    .iter()
                    .any(|call| matches!(call, Call::Unwatched));
                let watched = self
                    .backlog
                    .iter()
                    .rposition(|call| matches!(call, Call::Watched));
                if let (true, Some(watched)) = (has_gone, watched) {
                    self.backlog.remove(watched);
                    return;
                }
            }
            Call::Watched => {}
            // Answers to what an earlier orchestrator asked.
            Call::Input(_) | Call::CopyPart { .. } | Call::Collected { .. } => return,
        }
        self.backlog.push_back(call);
    }

    /// Where the orders of a session go, while it lives.
    pub fn orders(&self, session: Session) -> Option<&Orders> {
        self.orders.get(&session)
    }

    /// What the driver has to know.
    pub fn into_backlog(self) -> VecDeque<Call> {
        self.backlog
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;
    use crate::orchestrator::state::message::Place;

    #[test]
    fn the_backlog_has_a_bound() {
        let (orders, _taken) = mpsc::channel(1);
        let mut arrivals = Arrivals::default();
        for _ in 0..100 {
            let given_up = Input::WorkerGivenUp {
                worker: "w1".to_owned(),
                reason: String::new(),
            };
            for call in [
                Call::Joined {
                    worker: "w1".to_owned(),
                    session: Session(1),
                    place: Place::default(),
                    orders: orders.clone(),
                },
                Call::Watched,
                Call::Input(Input::Cancel),
                Call::Input(given_up),
                Call::Unwatched,
                Call::Input(Input::WorkerLeft {
                    worker: "w1".to_owned(),
                    session: Session(1),
                }),
            ] {
                arrivals.keep(call);
            }
        }
        // A watcher that has come and gone, a worker that was given up, and a cancel.
        assert_eq!(arrivals.backlog.len(), 4, "{arrivals:?}");
        assert!(arrivals.orders.is_empty());
    }
}

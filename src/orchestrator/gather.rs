//! The start of an orchestrator: waits for workers, and takes the newest copy of the run's journal.

use std::collections::VecDeque;
use std::path::Path;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use super::arrivals::Arrivals;
use super::journal_stream::Availability;
use super::service::Call;
use super::state::copy::claim::HeldJournal;
use super::state::copy::epoch::Epoch;
use super::state::copy::succession::{Step, Succession};
use super::state::message::Input;
use super::store::StoreError;
use crate::diag::printable;
use crate::rpc::pb::Gathering;

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
    pub arrivals: Arrivals,
    pub availability: &'g watch::Sender<Availability>,
    pub tell: &'g mut (dyn FnMut(&str) + Send),
}

impl Gatherer<'_> {
    /// Returns when the journal in the folder is the newest that can be had.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub async fn gather(mut self) -> Result<Beginning, StoreError> {
        let deadline = Instant::now() + self.patience;
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
                        calls: self.arrivals.into_backlog(),
                    });
                }
                Step::Fetch {
                    worker,
                    session,
                    epoch,
                    copy,
                } => match self.fetch(session, epoch, copy.next_seq).await? {
                    Ok(held) => {
                        (self.tell)(&format!(
                            "continuing from the copy of worker `{worker}`: {} events",
                            copy.next_seq
                        ));
                        return Ok(Beginning {
                            epoch,
                            base: HeldJournal {
                                epoch: copy.epoch,
                                ..held
                            },
                            calls: self.arrivals.into_backlog(),
                        });
                    }
                    Err(why) => {
                        (self.tell)(&format!(
                            "warning: the copy of worker `{worker}` cannot be used: {}",
                            printable::line(&why)
                        ));
                        self.succession.copy_failed(session);
                        continue;
                    }
                },
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
            self.take(call);
        }
    }

    /// Takes note of a call, and keeps it for later.
    pub(super) fn take(&mut self, call: Call) {
        match &call {
            Call::Joined {
                worker,
                session,
                place,
                ..
            } => self.succession.worker_joined(worker, *session, place.claim),
            Call::Input(Input::WorkerLeft { session, .. }) => {
                self.succession.worker_left(*session);
            }
            Call::Input(Input::WorkerGivenUp { worker, .. }) => {
                self.succession.worker_given_up(worker);
            }
            // What there is has to do: the run only ends.
            Call::Input(Input::Cancel) => self.succession.deadline_passed(),
            _ => {}
        }
        self.arrivals.keep(call);
    }

    /// Tells watchers who is waited for.
    fn report(&self) {
        let (expected, joined) = self.succession.waiting();
        let gathering = Availability::Gathering(Gathering { expected, joined });
        self.availability.send_if_modified(|availability| {
            let is_new = *availability != gathering;
            *availability = gathering;
            is_new
        });
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use tonic::Status;

    use super::super::state::copy::claim::Claim;
    use super::super::state::message::{Emission, Place, Session};
    use super::super::store::Store;
    use super::*;
    use crate::results::{Event, EventKind, VERSION, journal};
    use crate::rpc::pb::{CopyPart, Record, ToWorker};

    fn left(worker: &str) -> EventKind {
        EventKind::WorkerLeft {
            worker: worker.to_owned(),
        }
    }

    fn records(worker: &str, range: std::ops::Range<u64>) -> Vec<Record> {
        let record = |seq| Record {
            seq,
            line: journal::to_line(&Event {
                v: VERSION,
                seq,
                at: Timestamp::UNIX_EPOCH,
                kind: left(worker),
            })
            .unwrap(),
            ..Record::default()
        };
        range.map(record).collect()
    }

    /// A folder with a journal of one event, of epoch 5.
    fn own_journal() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path(), None, &mut |_| {}).unwrap();
        let emission = Emission {
            kind: left("own"),
            raw: None,
        };
        store.put(vec![(Timestamp::UNIX_EPOCH, emission)]).unwrap();
        store.set_epoch(Epoch(5)).unwrap();
        folder
    }

    fn joined(
        nth: u64,
        epoch: u64,
        next_seq: u64,
    ) -> (Call, mpsc::Receiver<Result<ToWorker, Status>>) {
        let copy = HeldJournal {
            epoch: Epoch(epoch),
            next_seq,
            complete: false,
        };
        let claim = Claim {
            obeyed: Epoch(epoch),
            copy: Some(copy),
        };
        let (orders, taken) = mpsc::channel(4);
        let call = Call::Joined {
            worker: format!("w{nth}"),
            session: Session(nth),
            place: Place {
                claim,
                ..Place::default()
            },
            orders,
        };
        (call, taken)
    }

    fn part(nth: u64, records: Vec<Record>, last: bool) -> Call {
        let part = CopyPart {
            records,
            last,
            ..CopyPart::default()
        };
        Call::CopyPart {
            session: Session(nth),
            part,
        }
    }

    fn worker_left(nth: u64) -> Call {
        Call::Input(Input::WorkerLeft {
            worker: format!("w{nth}"),
            session: Session(nth),
        })
    }

    /// Gathers with these calls, and returns the beginning and what was told.
    async fn gather(folder: &Path, script: Vec<Call>) -> (Beginning, String) {
        let own = Store::find(folder).unwrap();
        let (calls, mut inbox) = mpsc::channel(16);
        let (availability, _receiver) =
            watch::channel(Availability::Gathering(Gathering::default()));
        let mut told = String::new();
        let mut tell = |line: &str| told += line;
        let gatherer = Gatherer {
            folder,
            succession: Succession::new(own, ["w1", "w2"].map(str::to_owned), 7),
            own,
            patience: Duration::from_secs(3600),
            calls: &mut inbox,
            arrivals: Arrivals::default(),
            availability: &availability,
            tell: &mut tell,
        };
        for call in script {
            calls.try_send(call).unwrap();
        }
        let beginning = gatherer.gather().await.unwrap();
        (beginning, told)
    }

    #[tokio::test]
    async fn a_copy_that_breaks_off_leaves_the_own_journal_as_it_was() {
        let folder = own_journal();
        let own = std::fs::read(folder.path().join(journal::FILE_NAME)).unwrap();
        let (first, _orders) = joined(1, 9, 4);
        let script = vec![
            first,
            Call::Input(Input::Cancel),
            part(1, records("copy", 0..2), false),
            worker_left(1),
        ];
        let (beginning, told) = gather(folder.path(), script).await;
        assert_eq!(
            (beginning.base.epoch, beginning.base.next_seq),
            (Epoch(5), 1)
        );
        assert_eq!(beginning.epoch, Epoch(9).successor(7));
        assert!(
            told.contains("the worker left") && !told.contains("begins anew"),
            "{told}"
        );
        assert_eq!(
            std::fs::read(folder.path().join(journal::FILE_NAME)).unwrap(),
            own
        );
        assert!(!folder.path().join("incoming").exists());
    }

    #[tokio::test]
    async fn a_worker_that_joins_during_a_fetch_is_the_next_source() {
        let folder = own_journal();
        let (first, _first_orders) = joined(1, 9, 4);
        let (second, mut orders) = joined(2, 8, 3);
        let script = vec![
            first,
            Call::Input(Input::Cancel),
            second,
            // More than the worker announced.
            part(1, records("copy", 0..5), true),
            part(2, records("copy", 0..2), false),
            part(2, records("copy", 2..3), true),
        ];
        let (beginning, told) = gather(folder.path(), script).await;
        assert!(orders.try_recv().is_ok(), "{told}");
        assert_eq!(
            (beginning.base.epoch, beginning.base.next_seq),
            (Epoch(8), 3)
        );
        assert_eq!(beginning.calls.len(), 3);
        let text = std::fs::read_to_string(folder.path().join(journal::FILE_NAME)).unwrap();
        assert_eq!(text.matches("copy").count(), 3);
        assert!(!folder.path().join("incoming").exists());
    }
}

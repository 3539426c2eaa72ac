//! The start of an orchestrator: waits for workers, and takes the newest copy of the run's journal.

use std::collections::{HashMap, VecDeque};
use std::path::Path;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};
use tonic::Status;

use super::journal_stream::Availability;
use super::service::Call;
use super::state::copy::claim::HeldJournal;
use super::state::copy::epoch::Epoch;
use super::state::copy::succession::{Step, Succession};
use super::state::message::{Input, Session};
use super::store::{Store, StoreError};
use crate::diag::printable;
use crate::rpc::pb::{CopyPart, Gathering, SendCopy, ToWorker, to_worker};

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
    pub arrivals: Arrivals,
    pub availability: &'g watch::Sender<Availability>,
    pub tell: &'g mut (dyn FnMut(&str) + Send),
}

type Orders = mpsc::Sender<Result<ToWorker, Status>>;

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
    fn keep(&mut self, call: Call) {
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
                        calls: self.arrivals.backlog,
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
                            calls: self.arrivals.backlog,
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
    fn take(&mut self, call: Call) {
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

    /// Replaces the journal in the folder by a worker's copy of `length` records, and returns what is held then. The
    /// inner error says why the copy cannot be used; then the journal is as before.
    async fn fetch(
        &mut self,
        session: Session,
        epoch: Epoch,
        length: u64,
    ) -> Result<Result<HeldJournal, String>, StoreError> {
        let folder = self.folder.to_owned();
        let store = in_background(move || Store::receive(&folder)).await?;
        let received = self.receive(session, epoch, length, store).await;
        let folder = self.folder.to_owned();
        in_background(move || match received {
            Ok(store) => {
                store.install(&folder)?;
                Ok(Ok(Store::find(&folder)?))
            }
            Err(why) => {
                Store::discard_received(&folder)?;
                Ok(Err(why))
            }
        })
        .await
    }

    /// Has a worker send its copy of `length` records, and puts it into `store`.
    ///
    /// # Errors
    /// Why the copy cannot be used.
    async fn receive(
        &mut self,
        session: Session,
        epoch: Epoch,
        length: u64,
        mut store: Store,
    ) -> Result<Store, String> {
        let ask = ToWorker {
            message: Some(to_worker::Message::SendCopy(SendCopy {})),
            epoch: epoch.0,
        };
        let orders = self.arrivals.orders.get(&session);
        if orders.is_none_or(|orders| orders.try_send(Ok(ask)).is_err()) {
            return Err("it takes no orders".to_owned());
        }
        let mut deadline = Instant::now() + PART_WITHIN;
        loop {
            let call = tokio::select! {
                call = self.calls.recv() => call,
                () = sleep_until(deadline) => {
                    let limit = PART_WITHIN.as_secs();
                    return Err(format!("nothing has come of it for {limit} s"));
                }
            };
            match call {
                Some(Call::CopyPart {
                    session: from,
                    part,
                }) if from == session => {
                    if !part.problem.is_empty() {
                        return Err(part.problem);
                    }
                    check_part(&part, store.next_seq(), length)?;
                    let CopyPart { records, last, .. } = part;
                    let written;
                    (store, written) = in_background(move || {
                        let written = store.put_records(records);
                        (store, written)
                    })
                    .await;
                    written.map_err(|error| error.to_string())?;
                    if last {
                        return Ok(store);
                    }
                    deadline = Instant::now() + PART_WITHIN;
                }
                Some(call) => {
                    let is_over = matches!(&call, Call::Input(Input::WorkerLeft { session: left, .. }) if *left == session);
                    self.take(call);
                    if is_over {
                        return Err("the worker left".to_owned());
                    }
                }
                None => return Err("the server has ended".to_owned()),
            }
        }
    }
}

/// Whether a part that comes after `received` records may belong to a copy of `length` records: each part brings
/// the copy nearer to its end.
///
/// # Errors
/// Says why it may not.
fn check_part(part: &CopyPart, received: u64, length: u64) -> Result<(), String> {
    let through = received.saturating_add(part.records.len() as u64);
    if through > length || (part.last && through != length) {
        return Err(format!(
            "it has {through} records, and the worker announced {length}"
        ));
    }
    if part.records.is_empty() && !part.last {
        return Err("a part of it has no records".to_owned());
    }
    Ok(())
}

/// Waits for the disk where that delays nobody.
async fn in_background<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(stopped) => std::panic::resume_unwind(stopped.into_panic()),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::super::state::copy::claim::Claim;
    use super::super::state::message::{Emission, Place};
    use super::*;
    use crate::results::{Event, EventKind, VERSION, journal};
    use crate::rpc::pb::Record;

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

    #[test]
    fn the_backlog_has_a_bound() {
        let mut arrivals = Arrivals::default();
        for _ in 0..100 {
            let given_up = Input::WorkerGivenUp {
                worker: "w1".to_owned(),
                reason: String::new(),
            };
            for call in [
                joined(1, 0, 0).0,
                Call::Watched,
                Call::Input(Input::Cancel),
                Call::Input(given_up),
                Call::Unwatched,
                worker_left(1),
            ] {
                arrivals.keep(call);
            }
        }
        // A watcher that has come and gone, a worker that was given up, and a cancel.
        assert_eq!(arrivals.backlog.len(), 4, "{arrivals:?}");
        assert!(arrivals.orders.is_empty());
    }
}

//! Fetches the copy of the journal that a worker holds.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::gather::Gatherer;
use super::service::Call;
use super::state::copy::claim::HeldJournal;
use super::state::copy::epoch::Epoch;
use super::state::message::{Input, Session};
use super::store::{Store, StoreError};
use crate::rpc::pb::{CopyPart, SendCopy, ToWorker, to_worker};

/// A worker whose copy does not get on for this long is not waited for.
const PART_WITHIN: Duration = Duration::from_secs(10);

impl Gatherer<'_> {
    /// Replaces the journal in the folder by a worker's copy of `length` records, and returns what is held then. The
    /// inner error says why the copy cannot be used; then the journal is as before.
    pub(super) async fn fetch(
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
        let orders = self.arrivals.orders(session);
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

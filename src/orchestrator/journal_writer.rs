//! Writes the journal while the run continues: one thread has the store at a time.

use jiff::Timestamp;
use tokio::task::JoinHandle;

use super::state::message::Emission;
use super::store::{Store, StoreError};
use crate::results::EventKind;

/// Bytes of the tools' output that may wait for a slow disk. Beyond that nothing more is taken from
/// the workers, and their answers wait in the connections.
const PENDING_BYTES: usize = 8 << 20;

/// The store, and what it has to write.
pub(super) struct JournalWriter {
    /// Away while it writes.
    store: Option<Store>,
    writing: Option<JoinHandle<(Store, Written)>>,
    /// Events to write next.
    pending: Vec<(Timestamp, Emission)>,
    /// Bytes of tools' output in `pending`.
    pending_bytes: usize,
    on_disk: u64,
}

/// What one write has done.
pub(super) struct Written {
    pub events: Vec<EventKind>,
    /// Whether they are on disk.
    pub result: Result<(), StoreError>,
}

impl JournalWriter {
    pub fn new(store: Store) -> Self {
        Self {
            on_disk: store.next_seq(),
            store: Some(store),
            writing: None,
            pending: Vec::new(),
            pending_bytes: 0,
        }
    }

    /// Events on disk: the number of the one that comes next.
    pub fn on_disk(&self) -> u64 {
        self.on_disk
    }

    /// Whether more may be added than what waits already.
    pub fn has_room(&self) -> bool {
        self.pending_bytes < PENDING_BYTES || !self.is_writing()
    }

    pub fn is_writing(&self) -> bool {
        self.writing.is_some()
    }

    /// Adds an event to those to write next.
    pub fn add(&mut self, at: Timestamp, emission: Emission) {
        self.pending_bytes += emission.raw.as_ref().map_or(0, Vec::len);
        self.pending.push((at, emission));
    }

    /// Begins to write what is pending. Meanwhile the run continues: nobody is told of an event
    /// before it is on disk, but the next step of a cell need not wait for that.
    pub fn write(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        let Some(mut store) = self.store.take() else {
            return;
        };
        let emissions = std::mem::take(&mut self.pending);
        self.pending_bytes = 0;
        self.writing = Some(tokio::task::spawn_blocking(move || {
            let events = emissions.iter().map(|(_, event)| event.kind.clone());
            let events = events.collect();
            let result = store.put(emissions);
            (store, Written { events, result })
        }));
    }

    /// Waits until a write has ended; for ever while there is none. Nothing is lost when the wait is abandoned.
    pub async fn written(&mut self) -> Written {
        let Some(handle) = &mut self.writing else {
            return std::future::pending().await;
        };
        let ended = handle.await;
        self.writing = None;
        match ended {
            Ok((store, written)) => {
                self.on_disk = store.next_seq();
                self.store = Some(store);
                written
            }
            Err(stopped) => std::panic::resume_unwind(stopped.into_panic()),
        }
    }
}

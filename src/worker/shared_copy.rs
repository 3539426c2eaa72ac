//! The worker's copy of the journal, shared by its session and the command line.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::journal_copy::JournalCopy;

/// The one copy of a worker. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct SharedCopy {
    copy: Arc<Mutex<JournalCopy>>,
    collected: Arc<Notify>,
}

impl SharedCopy {
    /// Opens the copy in a folder, if there is one.
    pub async fn open(folder: Option<PathBuf>) -> Self {
        let opened = tokio::task::spawn_blocking(move || JournalCopy::open(folder.as_deref()));
        Self {
            copy: Arc::new(Mutex::new(opened.await.unwrap_or_default())),
            collected: Arc::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, JournalCopy> {
        self.copy.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Uses the copy where waiting for the disk delays nobody.
    pub async fn with<T: Send + 'static>(
        &self,
        use_copy: impl FnOnce(&mut JournalCopy) -> T + Send + 'static,
    ) -> T {
        let copy = self.clone();
        let used = tokio::task::spawn_blocking(move || use_copy(&mut copy.lock()));
        match used.await {
            Ok(used) => used,
            Err(stopped) => std::panic::resume_unwind(stopped.into_panic()),
        }
    }

    /// Whether an order of this epoch counts.
    pub async fn obeys(&self, epoch: u64) -> bool {
        self.with(move |copy| copy.obeys(epoch)).await
    }

    /// Somebody has every record up to this one.
    pub async fn set_collected(&self, through_seq: u64) {
        let has_all = self.with(move |copy| {
            copy.is_complete() && through_seq.saturating_add(1) >= copy.next_seq()
        });
        if has_all.await {
            self.collected.notify_one();
        }
    }

    /// Resolves when somebody has all records of the finished run.
    pub async fn collected(&self) {
        self.collected.notified().await;
    }
}

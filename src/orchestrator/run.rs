//! Runs the orchestrator from its start to its end.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use super::arrivals::Arrivals;
use super::copier::Copier;
use super::driver::{Driven, Driver};
use super::finish;
use super::gather::{Beginning, Gatherer};
use super::journal_stream::Availability;
use super::log_archive;
use super::log_lines::Lines;
use super::run_log::RunLog;
use super::service::Service;
use super::state::copy::claim::HeldJournal;
use super::state::copy::epoch::Epoch;
use super::state::copy::holder::Ledger;
use super::state::copy::succession::Succession;
use super::state::replay::Replay;
use super::state::task::Tasks;
use super::state::{Limits, State};
use super::store::{Store, StoreError};
use crate::diag::{Problem, Problems, Source};
use crate::plan::{self, ForbiddenConnection};
use crate::results::{Event, EventKind, JournalError};
use crate::rpc::pb::Gathering;
use crate::rpc::pb::orchestrator_server::OrchestratorServer;
use crate::rpc::{self, Identity, MAX_LINE_BYTES, MAX_MESSAGE_BYTES};
use crate::schedule::Selection;

/// Calls that wait for the driver.
const CALLS: usize = 64;
/// The longest plan whose event is a line that a message carries: JSON writes line ends and quotes
/// as two bytes.
const LARGEST_PLAN_BYTES: usize = MAX_LINE_BYTES / 2 - (64 << 10);
/// How long an orchestrator that has a successor waits to be removed: its node may come back late.
const SUPERSEDED_WAIT: Duration = Duration::from_secs(300);
/// How long streams may take to end by themselves at the very end.
const CLOSING: Duration = Duration::from_millis(200);

/// What the orchestrator is to do.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The run's id.
    pub run: String,
    /// The plan as it was resolved.
    pub plan: Source,
    /// The `--only` selection.
    pub only: Option<String>,
    /// Connections that the policies of variants forbid: they are tried before the first sample.
    pub forbidden: Vec<ForbiddenConnection>,
    pub identity: Identity,
    /// The folder of journal and raw outputs. If it holds a journal, that run continues.
    pub journal: PathBuf,
    /// The journal to continue where there is none yet: that of a run which was cut off.
    pub resume: Option<Vec<u8>>,
    /// How workers hold copies of the journal; `None` when the folder outlives the orchestrator's pod.
    pub copies: Option<Copies>,
    /// A random number, by which two orchestrators that start at the same time differ.
    pub salt: u32,
    pub limits: Limits,
    pub linger: Linger,
}

/// How workers hold copies of the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copies {
    /// How long an orchestrator that starts waits for workers, which may hold a copy.
    pub patience: Duration,
    /// The node that the orchestrator is on, if it is known.
    pub node: Option<String>,
}

/// How long an orchestrator waits by default for workers that may hold a copy.
pub const COPY_PATIENCE: Duration = Duration::from_secs(60);

/// How long a finished orchestrator keeps its records at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Linger {
    /// When nobody has watched: long enough for a command line that comes late, short enough for a
    /// Job that was applied by hand to be over soon.
    pub alone: Duration,
    /// When somebody has watched and has not said that it has everything: their connection may
    /// have broken and come back.
    pub attended: Duration,
    /// When nobody has collected the records, and they cannot be left in the log either: they would
    /// end with the container.
    pub uncollected: Duration,
}

impl Default for Linger {
    fn default() -> Self {
        Self {
            alone: Duration::from_secs(5),
            attended: Duration::from_secs(30),
            uncollected: Duration::from_secs(12 * 60 * 60),
        }
    }
}

/// Why a run could not be driven.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{0}")]
    Plan(Problems),
    #[error("--only: {0}")]
    Selection(Problem),
    #[error(
        "the resolved plan takes {bytes} bytes, and at most {LARGEST_PLAN_BYTES} can be recorded: \
         split it"
    )]
    PlanTooLarge { bytes: usize },
    #[error(
        "`{}` holds the journal of run `{found}`, not of `{expected}`: give another folder",
        folder.display()
    )]
    OtherRun {
        folder: PathBuf,
        found: String,
        expected: String,
    },
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(
        "another orchestrator has taken over the run (number {0} of the run); this one decides nothing any more"
    )]
    Superseded(Epoch),
    #[error(
        "all workers are gone, and another orchestrator may have taken over the run; this one decides nothing any more. \
         If its Job starts it again, it looks for the workers anew"
    )]
    Isolated,
    #[error("the server cannot run: {0}")]
    Server(String),
    #[error(
        "stopped before the run's end; an orchestrator that is started with this journal continues \
         from there"
    )]
    Stopped,
}

/// Drives a run to its end: waits for the workers, has every cell measured, answers watchers.
///
/// `tell` takes lines for people. `on_end` makes the last of them of all events, which have what
/// tables need of them and no more; before them comes
/// the archive of the run, unless somebody has collected its records. `shutdown` leaves the run where
/// it is, as a crash would, for a successor to continue; after the run's end it cuts the waiting
/// for watchers short.
///
/// # Errors
/// [`Error::Stopped`] after a `shutdown` before the run's end. [`Error::Superseded`] when another orchestrator continues the
/// run, once `shutdown` comes or after a while. [`Error::Isolated`] when all workers are gone, which another one may have. Else
/// when plan or selection are wrong, the journal cannot be written or belongs to another run, or
/// the certificates cannot be used. Failed cells are not an error.
pub async fn run(
    settings: Settings,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send,
    mut tell: impl FnMut(&str) + Send,
    on_end: impl FnOnce(&[Event]) -> String + Send,
) -> Result<(), Error> {
    let plan_text = settings.plan.text.clone();
    if plan_text.len() > LARGEST_PLAN_BYTES {
        let bytes = plan_text.len();
        return Err(Error::PlanTooLarge { bytes });
    }
    let file = plan::load_file(&plan::Alone, settings.plan, &[]).map_err(Error::Plan)?;
    let plan = file.expand();
    let only = settings.only.as_deref().unwrap_or_default();
    let selection = Selection::parse(only, &plan).map_err(Error::Selection)?;
    let mut lines = Lines::for_run(&plan);
    let workers: Arc<[String]> = plan.workers.keys().cloned().collect();
    let tasks = Tasks::new(plan, &selection);

    let shutdown = pin!(shutdown);
    let mut shutdown: Pin<&mut (dyn Future<Output = ()> + Send)> = shutdown;
    let own = Store::find(&settings.journal)?;
    let (calls, mut inbox) = mpsc::channel(CALLS);
    let (availability, receiver) = watch::channel(Availability::Gathering(Gathering::default()));
    let service = Service::new(calls, settings.journal.clone(), receiver, workers);
    let (close, closed) = oneshot::channel::<()>();
    let server = serve(&settings.identity, service, listener, closed)?;

    let beginning = match &settings.copies {
        Some(copies) => {
            let gatherer = Gatherer {
                folder: &settings.journal,
                succession: Succession::new(own, tasks.workers(), settings.salt),
                own,
                patience: copies.patience,
                calls: &mut inbox,
                arrivals: Arrivals::default(),
                availability: &availability,
                tell: &mut tell,
            };
            tokio::select! {
                beginning = gatherer.gather() => beginning?,
                () = &mut shutdown => return Err(Error::Stopped),
            }
        }
        None => Beginning {
            epoch: own.epoch.successor(settings.salt),
            base: own,
            calls: VecDeque::new(),
        },
    };
    let Beginning {
        epoch,
        base,
        calls: backlog,
    } = beginning;

    let mut replay = Replay::new(&tasks);
    let mut earlier_run = None;
    let mut visit = |event: Event| {
        replay.apply(&event.kind);
        lines.learn(&event.kind);
        if let EventKind::RunStarted { run, .. } = event.kind {
            earlier_run = Some(run);
        }
    };
    let store = Store::open(&settings.journal, settings.resume.as_deref(), &mut visit)?;
    store.set_epoch(epoch)?;
    let history = replay.finish();
    let first = match earlier_run {
        Some(found) if found != settings.run => {
            return Err(Error::OtherRun {
                folder: settings.journal,
                found,
                expected: settings.run,
            });
        }
        None if store.next_seq() == 0 => Some(EventKind::RunStarted {
            run: settings.run,
            netplan: env!("CARGO_PKG_VERSION").to_owned(),
            plan: plan_text,
            only: selection.text().map(str::to_owned),
        }),
        _ => None,
    };
    let ledger = Ledger {
        epoch,
        // With what `resume` began.
        base: HeldJournal {
            next_seq: store.next_seq(),
            ..base
        },
        next_seq: store.next_seq() + u64::from(first.is_some()),
        node: settings
            .copies
            .as_ref()
            .and_then(|copies| copies.node.clone()),
        has_copies: settings.copies.is_some(),
    };
    let state = State::new(tasks, settings.limits, history, ledger);
    let state = state.with_forbidden(settings.forbidden);

    let copier = Copier::new(settings.journal.clone());
    let log = RunLog::new(lines, &mut tell, state.count().0);
    let mut driver = Driver::new(state, store, copier, availability, inbox, log);
    let unfinished = match driver.run(first, backlog, shutdown.as_mut()).await? {
        Driven::ToItsEnd => None,
        Driven::Stopped => Some(Error::Stopped),
        Driven::Superseded(epoch) => Some(Error::Superseded(epoch)),
        Driven::Isolated => Some(Error::Isolated),
    };
    if let Some(error) = unfinished {
        // Watchers get what is acknowledged, and their streams end without the run's end.
        drop(driver);
        end(close, server).await;
        if let Error::Superseded(_) = error {
            await_removal(&error, shutdown, &mut tell).await;
        }
        return Err(error);
    }
    let Linger {
        alone,
        attended,
        uncollected,
    } = settings.linger;
    let mut bounds = Some((alone, attended));
    if driver.watching() {
        driver.linger(attended, attended, shutdown.as_mut()).await?;
        bounds = None;
    }
    if driver.collected() {
        driver.release_holder();
    } else {
        let names = finish::raw_names(&settings.journal)?;
        match log_archive::archive(&settings.journal, names).await {
            Ok(text) => driver.tell(&text),
            Err(error) => {
                driver.tell(&format!(
                    "no archive: {error}; `netplan attach` can collect them from here for {} h",
                    uncollected.as_secs() / 3600
                ));
                bounds = Some((uncollected, uncollected));
            }
        }
    }
    let events = finish::short_events(&settings.journal)?;
    if let Some(last) = events.last().filter(|_| !driver.collected()) {
        driver.repeat(&last.kind);
    }
    let report = on_end(&events);
    if !report.is_empty() {
        driver.tell(&report);
    }
    if let Some((alone, attended)) = bounds {
        driver.linger(alone, attended, shutdown).await?;
        if driver.collected() {
            driver.release_holder();
        }
    }
    drop(driver);
    end(close, server).await;
    Ok(())
}

/// Waits for the removal of an orchestrator that has a successor. If it ended, its Job would start it again at once.
async fn await_removal(
    error: &Error,
    shutdown: Pin<&mut (dyn Future<Output = ()> + Send)>,
    tell: &mut (dyn FnMut(&str) + Send),
) {
    tell(&format!("{error}; its pod is about to be removed"));
    let _ = tokio::time::timeout(SUPERSEDED_WAIT, shutdown).await;
}

/// Ends the server, which waits for its streams; those of workers and watchers end with the driver.
async fn end(close: oneshot::Sender<()>, mut server: JoinHandle<()>) {
    drop(close);
    if tokio::time::timeout(CLOSING, &mut server).await.is_err() {
        server.abort();
    }
}

/// Serves until `closed`.
fn serve(
    identity: &Identity,
    service: Service,
    listener: TcpListener,
    closed: oneshot::Receiver<()>,
) -> Result<JoinHandle<()>, Error> {
    let service = OrchestratorServer::new(service)
        .max_decoding_message_size(MAX_MESSAGE_BYTES)
        .max_encoding_message_size(MAX_MESSAGE_BYTES);
    let router = rpc::server().add_service(service);
    let incoming =
        rpc::incoming(listener, identity).map_err(|error| Error::Server(error.to_string()))?;
    Ok(tokio::spawn(async move {
        let closed = async {
            let _ = closed.await;
        };
        // A server that fails shows to everybody as a broken connection.
        let _ = router.serve_with_incoming_shutdown(incoming, closed).await;
    }))
}

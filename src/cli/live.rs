//! A run while it goes on: the cluster is up, the journal grows.

use std::path::Path;
use std::time::Duration;

use anyhow::{anyhow, bail};
use tokio::time::Instant;

use super::interrupt::Interrupt;
use super::preflight::PROGRAM;
use super::prepare::Prepared;
use super::progress::Progress;
use super::target::Target;
use crate::cluster::local::Local;
use crate::cluster::{Cluster, Exit, Next, PodEnded};
use crate::render::ORCHESTRATOR_PORT;
use crate::results::{self, Environment, EventKind, Journal, RunDir};
use crate::rpc::pb::{CancelRequest, CollectedRequest, Record, WatchRequest};
use crate::rpc::{self, Client};

/// The orchestrator is a process that has just been started; it listens within milliseconds.
const ORCHESTRATOR_LISTENS_WITHIN: Duration = Duration::from_secs(20);
/// A lost connection to the orchestrator is made again so often in a row, without an event in
/// between, before the run is given up.
const RECONNECTS: u32 = 5;
/// Before the first of these attempts in a row; the second waits twice as long, and so on.
const RECONNECT_AFTER: Duration = Duration::from_millis(300);

/// How it went.
#[derive(Debug, Default)]
pub(super) struct Lived {
    pub interrupted: bool,
}

/// Brings the cluster up, follows the run to its end into `journal`, and takes the cluster down.
pub(super) async fn run(
    prepared: &Prepared,
    target: Target,
    dir: &RunDir,
    journal: &mut Journal,
    progress: &mut Progress,
) -> anyhow::Result<Lived> {
    let live = Live {
        prepared,
        dir,
        journal,
        progress,
        interrupt: Interrupt::listen()?,
        interrupted_at: None,
        cancels_within: target.cancels_within(),
        over: false,
    };
    match target {
        Target::Local => {
            let cluster = Local::start(Path::new(PROGRAM), &prepared.plan.local).await?;
            Box::pin(live.whole(cluster)).await
        }
        Target::Kubernetes(access) => {
            let cluster = access.run(&prepared.run.id, &prepared.run.namespace);
            Box::pin(live.whole(cluster)).await
        }
    }
}

struct Live<'a> {
    prepared: &'a Prepared,
    dir: &'a RunDir,
    journal: &'a mut Journal,
    progress: &'a mut Progress,
    interrupt: Interrupt,
    interrupted_at: Option<Instant>,
    /// After an interrupt the orchestrator has this long to stop the tool and end the journal.
    cancels_within: Duration,
    /// The journal's last event has arrived.
    over: bool,
}

impl Live<'_> {
    async fn whole<C: Cluster + Sync>(mut self, cluster: C) -> anyhow::Result<Lived> {
        let followed = self.follow(&cluster).await;
        // Also after a failure: whatever was made is removed.
        let down = cluster.down().await;
        followed?;
        down?;
        Ok(Lived {
            interrupted: self.interrupted_at.is_some(),
        })
    }

    async fn follow<C: Cluster + Sync>(&mut self, cluster: &C) -> anyhow::Result<()> {
        tokio::select! {
            applied = cluster.apply(&self.prepared.manifests) => applied?,
            () = self.interrupt.next() => {
                self.interrupted_at = Some(Instant::now());
                return Ok(());
            }
        }
        self.describe(cluster)?;
        let mut lost = 0;
        loop {
            let known = self.journal.next_seq();
            let Err(error) = self.session(cluster).await else {
                return Ok(());
            };
            if self.journal.next_seq() > known {
                lost = 0;
            }
            if lost == RECONNECTS {
                return Err(error);
            }
            lost += 1;
            tokio::select! {
                () = tokio::time::sleep(RECONNECT_AFTER * lost) => {}
                () = self.interrupt.next() => {
                    self.interrupted_at = Some(Instant::now());
                    return Ok(());
                }
            }
        }
    }

    /// Says at once what the run runs on: no event does, and a run may be cut off at any time.
    fn describe<C: Cluster>(&self, cluster: &C) -> anyhow::Result<()> {
        let description = cluster.description();
        let kind = description["kind"].as_str().unwrap_or_default().to_owned();
        let cluster = results::Cluster { kind, description };
        self.dir
            .write_environment(&Environment::of([], Some(cluster)))?;
        Ok(())
    }

    /// One connection to the orchestrator. `Ok` when there is nothing more to follow.
    async fn session<C: Cluster + Sync>(&mut self, cluster: &C) -> anyhow::Result<()> {
        let connect = async {
            let orchestrator = self.prepared.run.orchestrator();
            let stream = cluster
                .connect(
                    &orchestrator,
                    ORCHESTRATOR_PORT,
                    ORCHESTRATOR_LISTENS_WITHIN,
                )
                .await?;
            let mut client = rpc::connect_over(stream, &self.prepared.client).await?;
            let from_seq = self.journal.next_seq();
            let records = client.watch(WatchRequest { from_seq }).await;
            let records = records.map_err(|status| anyhow!("{}", rpc::words(&status)))?;
            anyhow::Ok((client, records.into_inner()))
        };
        let (mut client, mut records) = tokio::select! {
            connected = connect => connected?,
            () = self.interrupt.next() => {
                self.interrupted_at = Some(Instant::now());
                return Ok(());
            }
        };
        loop {
            let give_up = self.interrupted_at.map(|at| at + self.cancels_within);
            tokio::select! {
                record = records.message() => match record {
                    Ok(Some(record)) => self.store(&record)?,
                    Ok(None) if self.over => {
                        let through_seq = self.journal.next_seq();
                        // The orchestrator may be gone already; then it needs no telling.
                        let _ = client.collected(CollectedRequest { through_seq }).await;
                        return Ok(());
                    }
                    Ok(None) => bail!("the orchestrator ended its report before the run's end"),
                    Err(status) => bail!("lost the orchestrator: {}", rpc::words(&status)),
                },
                ended = cluster.ended() => self.pod_ended(ended)?,
                () = self.interrupt.next() => {
                    if self.interrupted_at.replace(Instant::now()).is_some() {
                        return Ok(());
                    }
                    self.cancel(&mut client).await;
                }
                () = sleep_until(give_up) => return Ok(()),
            }
        }
    }

    /// Puts a record on disk, then shows it.
    fn store(&mut self, record: &Record) -> anyhow::Result<()> {
        if let Some(raw) = &record.raw {
            self.dir.write_raw(&raw.name, &raw.content)?;
        }
        if let Some(event) = self.journal.append_raw_line(&record.line)? {
            self.over |= matches!(event.kind, EventKind::RunEnded { .. });
            self.progress.on(&event.kind);
        }
        Ok(())
    }

    fn pod_ended(&self, ended: Option<PodEnded>) -> anyhow::Result<()> {
        let Some(pod) = ended else {
            bail!("the local cluster has ended by itself")
        };
        // A worker that has been said goodbye to may end before the last record is here.
        let well = pod.exit == Exit::Code(0) && pod.pod != self.prepared.run.orchestrator();
        if well || self.over || self.interrupted_at.is_some() {
            return Ok(());
        }
        let said = pod.last_lines.join("\n  ");
        let message = if said.is_empty() {
            pod.to_string()
        } else {
            format!("{pod}\n  {said}")
        };
        if !matches!(pod.next, Next::Restarted(_)) && pod.pod == self.prepared.run.orchestrator() {
            bail!("{message}");
        }
        self.progress.say(&message);
        Ok(())
    }

    async fn cancel(&self, client: &mut Client) {
        self.progress
            .say("interrupted; stopping (once more: at once)");
        // Without an answer the deadline of the interrupt ends it.
        let _ = tokio::time::timeout(self.cancels_within, client.cancel(CancelRequest {})).await;
    }
}

/// Sleeps until then, or for ever.
async fn sleep_until(then: Option<Instant>) {
    match then {
        Some(then) => tokio::time::sleep_until(then).await,
        None => std::future::pending().await,
    }
}

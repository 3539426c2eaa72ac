//! A run from its first object to its last: the cluster comes up, the journal grows, the cluster
//! goes down.

use std::time::Duration;

use anyhow::{Context, anyhow};

use super::local_cluster;
use super::prepare::Prepared;
use super::target::Target;
use crate::cli::during::Performer;
use crate::cli::interrupt::{Interrupt, Signalled};
use crate::cli::kubernetes::{ended_run, run_lookup};
use crate::cli::progress::{Phase, Progress};
use crate::cli::results::artifacts;
use crate::cli::results::collect::Collector;
use crate::cli::terminal::printer;
use crate::cli::watch::{Followed, Follower, Heard, Lost, OnInterrupt, Sink};
use crate::cluster::kubernetes::Owner;
use crate::cluster::{Arrivals, Cluster};
use crate::render::RunContext;
use crate::results::{self, Environment, EventKind, Journal, RunDir};
use crate::rpc::pb::Record;

/// A failure that takes longer to clean up is printed before.
const SOON: Duration = Duration::from_secs(1);

/// A packet capture during a run: of TCP that arrives at a pod from this port of others.
#[derive(Debug)]
pub(super) struct Capture {
    pub pod: String,
    pub port: u16,
    /// What it records.
    pub into: Arrivals,
}

/// Brings the cluster up, follows the run to its end into `dir` and `journal`, and takes the
/// cluster down, unless `--keep` is given or the run continues without this process.
pub(super) async fn run(
    prepared: &Prepared,
    target: Target,
    dir: &RunDir,
    journal: Journal,
    progress: &Progress<'_>,
    keep: bool,
    capture: Option<&Capture>,
) -> anyhow::Result<Followed> {
    let mut collector = Collector::new(dir, journal, progress)?;
    let on_interrupt = OnInterrupt::Cancel {
        within: target.cancels_within(),
    };
    let live = Live {
        prepared,
        dir: Some(dir),
        sink: &mut collector,
        interrupt: Interrupt::listen()?,
        on_interrupt,
        lasting: matches!(target, Target::Kubernetes(_)),
        keep,
        owner: None,
        capture,
        performer: Performer::new(&prepared.plan, &prepared.run, progress.enter_key()),
    };
    progress.attend(live.on(target)).await?
}

/// Brings the cluster up and returns as soon as the run measures; it continues by itself. The cluster removes it
/// with its owner.
pub(in crate::cli) async fn start(
    prepared: &Prepared,
    target: Target,
    owner: Option<Owner>,
) -> anyhow::Result<Followed> {
    let mut sink = Started;
    let live = Live {
        prepared,
        dir: None,
        sink: &mut sink,
        interrupt: Interrupt::listen()?,
        on_interrupt: OnInterrupt::Cancel {
            within: target.cancels_within(),
        },
        lasting: true,
        keep: false,
        owner,
        capture: None,
        performer: Performer::idle(),
    };
    live.on(target).await
}

/// Brings the cluster up, hands the run's records to `sink` up to the run's end, and takes the cluster down. Nothing is
/// stored, so the run does not continue without this process.
pub(in crate::cli) async fn follow(
    prepared: &Prepared,
    target: Target,
    sink: &mut dyn Sink,
) -> anyhow::Result<Followed> {
    let live = Live {
        prepared,
        dir: None,
        sink,
        interrupt: Interrupt::listen()?,
        on_interrupt: OnInterrupt::Cancel {
            within: target.cancels_within(),
        },
        lasting: false,
        keep: false,
        owner: None,
        capture: None,
        performer: Performer::idle(),
    };
    live.on(target).await
}

/// Records what a run runs on: no event does, and a run may be cut off at any time.
pub(in crate::cli) fn describe(dir: &RunDir, cluster: &impl Cluster) -> anyhow::Result<()> {
    let description = cluster.description();
    let kind = description["kind"].as_str().unwrap_or_default().to_owned();
    let cluster = results::Cluster { kind, description };
    dir.write_environment(&Environment::from_events([], Some(cluster)))?;
    Ok(())
}

/// A run that is about to begin.
pub(super) struct Live<'a> {
    pub prepared: &'a Prepared,
    /// Where to write what the run runs on.
    dir: Option<&'a RunDir>,
    sink: &'a mut dyn Sink,
    interrupt: Interrupt,
    on_interrupt: OnInterrupt,
    /// The cluster lives on without this process.
    lasting: bool,
    keep: bool,
    owner: Option<Owner>,
    capture: Option<&'a Capture>,
    performer: Performer,
}

impl Live<'_> {
    async fn on(mut self, target: Target) -> anyhow::Result<Followed> {
        let run = &self.prepared.run;
        match target {
            Target::Local => {
                let cluster = local_cluster::start(&self.prepared.plan).await?;
                let followed = Box::pin(self.follow(&cluster)).await;
                Box::pin(self.finish(cluster, followed)).await
            }
            Target::Kubernetes(connection) => {
                let cluster = connection.run(&run.id, &run.namespace);
                let cluster = cluster.owned_by(self.owner.take());
                let mut followed = Box::pin(self.follow(&cluster)).await;
                if let (Err(Lost::Again(_)), Some(_)) = (&followed, self.dir) {
                    // It may have come to its end in a moment without a connection.
                    let identity = &self.prepared.client;
                    let ended =
                        ended_run::collect(&connection, &cluster, &run.id, identity, self.sink);
                    if let Ok(Some(ended)) = Box::pin(ended).await {
                        followed = Ok(ended);
                    }
                }
                Box::pin(self.finish(cluster, followed)).await
            }
        }
    }

    /// Takes the cluster down after a run, unless the run continues.
    async fn finish<C: Cluster + Sync>(
        self,
        cluster: C,
        followed: Result<Followed, Lost>,
    ) -> anyhow::Result<Followed> {
        let followed = match followed {
            // What is broken may be the way to the cluster, and not the run.
            Err(Lost::Again(error)) if self.lasting => {
                let RunContext { id, namespace, .. } = &self.prepared.run;
                let way = |subcommand| run_lookup::command_in(subcommand, id, namespace);
                return Err(anyhow!(
                    "{}\nrun {id} is left as it is, and may continue by itself; `{}` comes back to it, \
                     `{} --force` removes it",
                    printer::chain(&error),
                    way("attach"),
                    way("clean")
                ));
            }
            followed => followed.map_err(anyhow::Error::from),
        };
        if matches!(followed, Ok(Followed::Detached | Followed::Enough)) {
            return followed;
        }
        if self.keep {
            return followed;
        }
        self.sink.enter(Phase::Removing);
        // Also after a failure: whatever was made is removed.
        let mut down = std::pin::pin!(cluster.down());
        let mut followed = followed.map_err(|error| self.continued(error));
        let down = if let Ok(down) = tokio::time::timeout(SOON, &mut down).await {
            down
        } else {
            // Nodes that are busy with a pull keep their pods for long.
            if let Err(error) = &followed {
                let why = printer::chain(error);
                self.sink.say(&format!("{why}\nremoving what was made"));
                followed = Err(anyhow!("the run has failed, see above"));
            }
            down.await
        };
        let followed = followed?;
        down?;
        Ok(followed)
    }

    /// Adds how to continue a run that has measured something before the error.
    fn continued(&self, error: anyhow::Error) -> anyhow::Error {
        let begun = self.dir.filter(|dir| artifacts::has_events(dir));
        let (Some(dir), false) = (begun, error.to_string().contains("--resume")) else {
            return error;
        };
        anyhow!(
            "{}\nwhat was measured is in `{1}`; `netplan run --resume {1}` measures the rest",
            printer::chain(&error),
            dir.path().display()
        )
    }

    async fn follow<C: Cluster + Sync>(&mut self, cluster: &C) -> Result<Followed, Lost> {
        let mut hung_up = false;
        let mut apply = std::pin::pin!(cluster.apply(&self.prepared.manifests));
        loop {
            tokio::select! {
                applied = &mut apply => {
                    applied.map_err(|error| Lost::Final(error.into()))?;
                    break;
                }
                signalled = self.interrupt.next() => match signalled {
                    // What is half there would never begin.
                    Signalled::Hangup if self.lasting => hung_up = true,
                    _ => return Ok(Followed::Interrupted),
                }
            }
        }
        if hung_up {
            return Ok(Followed::Detached);
        }
        if let Some(Capture { pod, port, into }) = self.capture {
            let begun = cluster.capture(pod, *port, into).await;
            begun.map_err(|error| Lost::Final(error.into()))?;
        }
        if let Some(dir) = self.dir {
            describe(dir, cluster).map_err(Lost::Final)?;
        }
        let mut follower = Follower::new(
            self.prepared.run.orchestrator(),
            &self.prepared.client,
            &mut self.interrupt,
            self.on_interrupt,
            self.lasting,
        )
        .with_performer(std::mem::replace(&mut self.performer, Performer::idle()));
        follower.follow(cluster, self.sink).await
    }
}

/// Has enough as soon as the run measures: all workers are there, and the orchestrator works.
struct Started;

impl Sink for Started {
    fn begins_at(&self) -> u64 {
        0
    }

    fn take(&mut self, record: &Record) -> anyhow::Result<Heard> {
        let event: results::Event = serde_json::from_str(&record.line)
            .context("the orchestrator's record is not an event")?;
        let has_begun = event.kind.is_of_a_cell();
        Ok(match event.kind {
            EventKind::RunEnded { .. } => Heard::Enough,
            _ if has_begun => Heard::Enough,
            _ => Heard::More,
        })
    }

    fn begun_anew(&self) -> anyhow::Error {
        anyhow!("the orchestrator has begun anew")
    }

    fn say(&self, message: &str) {
        printer::warning(message);
    }

    fn has_begun(&self) -> bool {
        false
    }

    fn enter(&self, phase: Phase) {
        if phase == Phase::Stopping {
            printer::warning("interrupted; stopping (once more: at once)");
        }
    }

    fn holds_through(&self) -> Option<u64> {
        None
    }
}

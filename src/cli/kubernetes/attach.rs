//! `netplan attach`: returns to a run that continues by itself, or has ended.

use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::Args;
use jiff::Timestamp;

use super::journal_copy::{self, Holder};
use super::{ended_run, run_lookup};
use crate::cli::error::{CliError, Exit};
use crate::cli::help::complete;
use crate::cli::interrupt::Interrupt;
use crate::cli::measure::lifecycle;
use crate::cli::measure::target::KubernetesArgs;
use crate::cli::progress::Progress;
use crate::cli::results::collect::{self, Collector, OutputArgs};
use crate::cli::terminal::printer;
use crate::cli::watch::{Followed, Follower, OnInterrupt};
use crate::cluster::Cluster;
use crate::cluster::kubernetes::{Connection, Kubernetes, Run, State};
use crate::render::RunContext;
use crate::results::archive::Archive;
use crate::results::{Event, EventKind, Journal, JournalError, RunDir, RunDirError, run_dir};
use crate::rpc::{self, Identity};

/// Return to a run on Kubernetes: show it live, and collect its results at the end
///
/// Works also if the run has ended. Prints and stores the results as `run` would have, and removes the
/// run's objects. Ctrl-C only ends the watching; the run continues. An existing partial results directory
/// under netplan-results/ is continued.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  netplan attach                          the only run in the cluster
  netplan attach 0badcafe --keep          collect, and leave its objects in the cluster
  netplan attach 0badcafe --format csv --output results/

Exit codes: as those of `netplan run`.")]
pub(in crate::cli) struct AttachArgs {
    /// The run's id, as `netplan status` shows it [default: the only run]
    #[arg(add = complete::run_ids())]
    run: Option<String>,

    /// Leave all objects in the cluster at the end
    #[arg(long)]
    keep: bool,

    #[command(flatten)]
    output: OutputArgs,

    #[command(flatten)]
    kubernetes: KubernetesArgs,
}

pub(in crate::cli) fn execute(args: &AttachArgs) -> Result<Exit, CliError> {
    crate::cli::runtime()?.block_on(attach(args))
}

/// Where the run's records come from.
enum Records {
    /// The orchestrator, that they are asked of with this identity.
    Orchestrator(Box<Identity>),
    /// The log of the orchestrator, which has ended.
    Log(Archive),
    /// A worker that holds a copy: the orchestrator is gone, and its log with it.
    Copy(Box<Holder>),
    /// All are here already.
    Here,
}

async fn attach(args: &AttachArgs) -> Result<Exit, CliError> {
    let connection = args.kubernetes.open().await?.with_progress(printer::note);
    let run = run_lookup::run(&connection, args.run.as_deref()).await?;
    let cluster = connection.run(&run.id, &run.namespace);
    let asked = args.output.output.as_deref();
    let earlier = earlier(asked, &run)?;
    let from = match &earlier {
        Some(earlier) if earlier.is_whole => Records::Here,
        _ => from(&cluster, &run).await?,
    };
    let (dir, journal) = match earlier {
        Some(earlier) => (earlier.dir, earlier.journal),
        None => fresh(asked, &run)?,
    };
    let progress = Progress::joining(Timestamp::now());
    let mut collector = Collector::new(&dir, journal, &progress)?;
    if dir.environment().is_none() {
        cluster.load_description().await;
        lifecycle::describe(&dir, &cluster)?;
    }
    let followed = match from {
        Records::Here => Ok(Followed::Over),
        Records::Log(archive) => ended_run::unpack(archive, &mut collector),
        Records::Copy(holder) => ended_run::collect_copy(*holder, &run.id, &mut collector).await,
        Records::Orchestrator(identity) => {
            let following = follow(&connection, &cluster, &run, &identity, &mut collector);
            Box::pin(progress.attend(following)).await?
        }
    };
    drop(collector);
    if followed? != Followed::Over {
        printer::note(&format!(
            "run {} continues by itself; `{}` follows it again",
            run.id,
            run_lookup::command("attach", &run)
        ));
        return Ok(Exit::Interrupted);
    }
    let report = collect::show(&dir, &args.output)?;
    if args.keep {
        printer::note(&collect::kept(&run.id, &run.namespace));
    } else {
        cluster.down().await.map_err(anyhow::Error::from)?;
    }
    Ok(args.output.verdict.exit(&report))
}

async fn from(cluster: &Kubernetes, run: &Run) -> anyhow::Result<Records> {
    match run.state {
        State::Starting | State::Running => {
            let identity = identity(cluster, run).await?;
            Ok(Records::Orchestrator(Box::new(identity)))
        }
        State::Finished | State::Failed => match ended_run::log(cluster, run).await {
            Ok(archive) => Ok(Records::Log(archive)),
            Err(error) => match holder(cluster, run).await {
                Some(holder) => Ok(Records::Copy(Box::new(holder))),
                None => Err(error),
            },
        },
        State::Remains | State::Leaving => match holder(cluster, run).await {
            Some(holder) => Ok(Records::Copy(Box::new(holder))),
            None => bail!(
                "run {} has no orchestrator any more, and no worker that can be reached holds a copy of its journal; \
                 `{}` removes what is left",
                run.id,
                run_lookup::command("clean", run)
            ),
        },
    }
}

/// The worker that holds the newest copy of a run's journal, if one can be reached.
pub(super) async fn holder(cluster: &Kubernetes, run: &Run) -> Option<Holder> {
    let identity = identity(cluster, run).await.ok()?;
    journal_copy::find(cluster, &identity).await
}

/// Collects the records from the orchestrator, or from its log when it ends meanwhile.
async fn follow(
    connection: &Connection,
    cluster: &Kubernetes,
    run: &Run,
    identity: &Identity,
    collector: &mut Collector<'_, '_>,
) -> anyhow::Result<Followed> {
    let words = "Ctrl-C ends the watching, not the run";
    printer::note(&format!("run {}: {words}", run.id));
    let mut interrupt = Interrupt::listen()?;
    let mut watching = Follower::new(
        orchestrator(run),
        identity,
        &mut interrupt,
        OnInterrupt::Detach,
        true,
    );
    let error = match Box::pin(watching.follow(cluster, collector)).await {
        Ok(followed) => return Ok(followed),
        Err(lost) => lost.into(),
    };
    // It may have come to its end in a moment without a connection.
    ended_run::collect(connection, cluster, &run.id, identity, collector)
        .await?
        .ok_or(error)
}

fn orchestrator(run: &Run) -> String {
    RunContext::new(&run.id, None).orchestrator()
}

/// The command line's identity in a run.
pub(in crate::cli) async fn identity(cluster: &Kubernetes, run: &Run) -> anyhow::Result<Identity> {
    let name = RunContext::new(&run.id, None).client_secret();
    let secret = cluster.secret(&name).await?;
    Ok(Identity::from_secret(rpc::CLIENT, &name, secret)?)
}

/// A directory that holds a part of the run already.
struct Earlier {
    dir: RunDir,
    journal: Journal,
    is_whole: bool,
}

/// The directory that was asked for, or the newest one at the usual place whose name ends in the
/// run's id, if it holds the run.
fn earlier(asked: Option<&Path>, run: &Run) -> Result<Option<Earlier>, CliError> {
    let path = asked.map_or_else(|| newest(&run.id), |path| Some(path.to_owned()));
    let Some(dir) = path.and_then(|path| RunDir::open(path).ok()) else {
        return Ok(None);
    };
    match Journal::open(dir.path()) {
        Ok((journal, recovered)) if is_of(&recovered.events, &run.id) => Ok(Some(Earlier {
            dir,
            journal,
            is_whole: recovered.complete,
        })),
        Ok(_) => {
            let taken = RunDirError::Taken(dir.path().to_owned());
            Err(CliError::Usage(taken.to_string()))
        }
        // Another command line watches the run and writes it there.
        Err(JournalError::Locked(_)) if asked.is_none() => Ok(None),
        Err(error) => Err(anyhow::Error::from(error).into()),
    }
}

fn newest(run: &str) -> Option<PathBuf> {
    let folder = std::fs::read_dir(run_dir::DEFAULT_PARENT).ok()?;
    let suffix = format!("-{run}");
    folder
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            let name = path.file_name().and_then(|name| name.to_str());
            name.is_some_and(|name| name.ends_with(&suffix))
        })
        .max()
}

fn fresh(asked: Option<&Path>, run: &Run) -> anyhow::Result<(RunDir, Journal)> {
    let path = asked.map_or_else(
        || {
            let plan = run.plan.as_deref().unwrap_or("run");
            RunDir::default_path(plan, Timestamp::now(), &run.id)
        },
        Path::to_owned,
    );
    let dir = RunDir::create(path)?;
    let journal = Journal::create(dir.path())?;
    Ok((dir, journal))
}

/// Whether events are those of a run; a journal without any may become it.
fn is_of(events: &[Event], run: &str) -> bool {
    match events.first().map(|event| &event.kind) {
        Some(EventKind::RunStarted { run: id, .. }) => id == run,
        Some(_) => false,
        None => true,
    }
}

//! `netplan clean`: removes what is left of runs.

use anyhow::anyhow;
use clap::Args;

use super::{run_lookup, status};
use crate::cli::error::{CliError, Exit};
use crate::cli::help::complete;
use crate::cli::measure::target::KubernetesArgs;
use crate::cli::terminal::confirm::{self, Answer};
use crate::cli::terminal::printer;
use crate::cluster::kubernetes::{Run, State};
use crate::diag::count;

/// Remove the objects of runs from the Kubernetes cluster
///
/// Removes only objects with netplan's label. A run that has not ended is removed only with `--force`: `netplan cancel`
/// stops it, and keeps what it measured.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  netplan clean 0badcafe
  netplan clean 0badcafe --force          also if it is still measuring
  netplan clean --all --namespace bench   the runs in namespace bench that have ended
  netplan clean --all --all-namespaces --yes")]
#[expect(clippy::struct_excessive_bools, reason = "flags of a command line")]
pub(in crate::cli) struct CleanArgs {
    /// The run's id, as `netplan status` shows it
    #[arg(required_unless_present = "all", conflicts_with = "all", add = complete::run_ids())]
    run: Option<String>,

    /// Remove all runs in one namespace; asks first on a terminal
    #[arg(long)]
    all: bool,

    /// With `--all`: the runs in all namespaces
    #[arg(long, requires = "all", conflicts_with = "namespace")]
    all_namespaces: bool,

    /// Remove runs that have not ended, too, with all that they measured
    #[arg(long)]
    force: bool,

    /// Do not ask
    #[arg(long, short)]
    yes: bool,

    #[command(flatten)]
    kubernetes: KubernetesArgs,
}

pub(in crate::cli) fn execute(args: &CleanArgs) -> Result<Exit, CliError> {
    crate::cli::runtime()?.block_on(clean(args))
}

async fn clean(args: &CleanArgs) -> Result<Exit, CliError> {
    let connection = args.kubernetes.open().await?;
    let runs = if args.all {
        let mut runs = connection.runs().await.map_err(anyhow::Error::from)?;
        let namespace = args.kubernetes.namespace_or_default();
        runs.retain(|run| args.all_namespaces || run.namespace == namespace);
        runs
    } else {
        vec![run_lookup::run(&connection, args.run.as_deref()).await?]
    };
    let (active, ended): (Vec<Run>, Vec<Run>) = runs.into_iter().partition(is_active);
    let doomed = if args.force {
        active.into_iter().chain(ended).collect()
    } else {
        leave(&active, args.run.is_some())?;
        ended
    };
    if doomed.is_empty() {
        printer::note("there was nothing to remove");
        return Ok(Exit::Well);
    }
    if args.all && !args.yes && confirm::can_ask() {
        printer::note(&status::list_of(&doomed));
        let question = format!("remove {}?", count(doomed.len(), "run"));
        match confirm::ask(&question, Answer::No)
            .await
            .map_err(anyhow::Error::from)?
        {
            Answer::Yes => {}
            Answer::No => {
                printer::note("nothing was removed");
                return Ok(Exit::Well);
            }
            Answer::Interrupted => return Ok(Exit::Interrupted),
        }
    }
    let results = connection.clean(&doomed, args.all).await;
    let mut removed = Vec::new();
    let mut errors = Vec::new();
    for (run, result) in doomed.into_iter().zip(results) {
        match result {
            Ok(()) => removed.push(run),
            Err(error) => errors.push(error.to_string()),
        }
    }
    if !removed.is_empty() {
        printer::results(&status::list_of(&removed))?;
    }
    if errors.is_empty() {
        Ok(Exit::Well)
    } else {
        Err(CliError::Failed(anyhow!(errors.join("\n"))))
    }
}

/// Whether it may still measure.
fn is_active(run: &Run) -> bool {
    matches!(run.state, State::Starting | State::Running)
}

/// Says which runs stay because they have not ended; an error for one that was named.
fn leave(active: &[Run], named: bool) -> Result<(), CliError> {
    if active.is_empty() {
        return Ok(());
    }
    if let ([run], true) = (active, named) {
        let stop = run_lookup::command("cancel", run);
        return Err(CliError::Usage(format!(
            "run {} is {}; `{stop}` stops it and keeps what it measured, `--force` removes it with all that it measured",
            run.id, run.state
        )));
    }
    let list: Vec<String> = active
        .iter()
        .map(|run| format!("{} in {} ({})", run.id, run.namespace, run.state))
        .collect();
    printer::note(&format!(
        "{} not ended and stay: {}; `--force` removes them with all that they measured",
        if active.len() == 1 {
            "1 run has".to_owned()
        } else {
            format!("{} runs have", active.len())
        },
        list.join(", ")
    ));
    Ok(())
}

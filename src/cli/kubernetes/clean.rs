//! `netplan clean`: removes what is left of runs.

use clap::Args;

use super::status;
use crate::cli::error::{CliError, Exit};
use crate::cli::help::complete;
use crate::cli::measure::target::KubernetesArgs;
use crate::cli::terminal::printer;
use crate::cluster::kubernetes::RunFilter;

/// Remove the objects of a run, or of all runs, from the Kubernetes cluster
///
/// Removes only objects with netplan's label. A run that is still measuring ends.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  netplan clean 0badcafe
  netplan clean --all --namespace bench")]
pub(in crate::cli) struct CleanArgs {
    /// The run's id, as `netplan status` shows it
    #[arg(required_unless_present = "all", conflicts_with = "all", add = complete::run_ids())]
    run: Option<String>,

    /// Remove all runs
    #[arg(long)]
    all: bool,

    #[command(flatten)]
    kubernetes: KubernetesArgs,
}

pub(in crate::cli) fn execute(args: &CleanArgs) -> Result<Exit, CliError> {
    let which = args.run.clone().map_or(RunFilter::All, RunFilter::Run);
    let runtime = crate::cli::runtime()?;
    let removed = runtime.block_on(async {
        let connection = args.kubernetes.open().await?;
        anyhow::Ok(connection.clean(&which).await?)
    })?;
    match (removed.is_empty(), &args.run) {
        (true, Some(run)) => Err(CliError::Usage(format!(
            "there is no run `{run}` in this cluster; `netplan status` shows those that there are"
        ))),
        (true, None) => {
            printer::note("there was nothing to remove");
            Ok(Exit::Well)
        }
        (false, _) => {
            printer::results(&status::removed(&removed))?;
            Ok(Exit::Well)
        }
    }
}

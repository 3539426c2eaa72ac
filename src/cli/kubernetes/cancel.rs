//! `netplan cancel`: stops a run that continues by itself.

use anyhow::anyhow;
use clap::Args;

use super::attach::identity;
use super::run_lookup;
use crate::cli::error::{CliError, Exit};
use crate::cli::help::complete;
use crate::cli::measure::target::KubernetesArgs;
use crate::cli::terminal::printer;
use crate::cli::watch;
use crate::cluster::kubernetes::State;
use crate::render::RunContext;

/// Stop a run on Kubernetes, and keep what was measured
///
/// `netplan attach` collects the results, `netplan clean` removes the objects of the run.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  netplan cancel                          the only run in the cluster
  netplan cancel 0badcafe --namespace bench")]
pub(in crate::cli) struct CancelArgs {
    /// The run's id, as `netplan status` shows it [default: the only run]
    #[arg(add = complete::run_ids())]
    run: Option<String>,

    #[command(flatten)]
    kubernetes: KubernetesArgs,
}

pub(in crate::cli) fn execute(args: &CancelArgs) -> Result<Exit, CliError> {
    crate::cli::runtime()?.block_on(cancel(args))
}

async fn cancel(args: &CancelArgs) -> Result<Exit, CliError> {
    let connection = args.kubernetes.open().await?;
    let run = run_lookup::run(&connection, args.run.as_deref()).await?;
    let id = &run.id;
    let cluster = connection.run(id, &run.namespace);
    match run.state {
        State::Starting | State::Running => {}
        State::Finished | State::Failed => {
            printer::note(&format!(
                "run {id} has ended already; `{}` collects its results",
                run_lookup::command("attach", &run)
            ));
            return Ok(Exit::Well);
        }
        State::Remains | State::Leaving => {
            printer::note(&format!(
                "run {id} has no orchestrator any more; `{}` removes what is left",
                run_lookup::command("clean", &run)
            ));
            return Ok(Exit::Well);
        }
    }
    let orchestrator = RunContext::new(id, None).orchestrator();
    let stopped = async {
        let identity = identity(&cluster, &run).await?;
        watch::cancel(&cluster, &orchestrator, &identity).await
    };
    stopped.await.map_err(|error| {
        anyhow!(
            "run {id} cannot be told to stop: {}; `{} --force` ends and removes it, with all that was measured",
            printer::chain(&error),
            run_lookup::command("clean", &run)
        )
    })?;
    printer::note(&format!(
        "run {id} stops; `{}` collects what was measured, `{}` removes it",
        run_lookup::command("attach", &run),
        run_lookup::command("clean", &run)
    ));
    Ok(Exit::Well)
}

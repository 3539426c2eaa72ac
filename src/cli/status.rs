//! `netplan status`: the runs that there are in a cluster.

use std::fmt::Write as _;

use anyhow::Context;
use clap::Args;
use jiff::{SpanRound, Timestamp, Unit};

use super::error::{CliError, Exit};
use super::printer;
use super::target::KubernetesArgs;
use crate::cluster::kubernetes::Run;

/// List the runs of which something is in the Kubernetes cluster
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  netplan status
  netplan status --context kind-dev --namespace bench")]
pub(super) struct StatusArgs {
    #[command(flatten)]
    kubernetes: KubernetesArgs,
}

pub(super) fn execute(args: &StatusArgs) -> Result<Exit, CliError> {
    let runtime = super::runtime()?;
    let runs = runtime.block_on(async {
        let access = args.kubernetes.open().await?;
        anyhow::Ok(access.runs().await?)
    })?;
    if runs.is_empty() {
        printer::note("no runs");
    } else {
        printer::results(&table(&runs, Timestamp::now()).context("cannot reckon the runs' age")?)?;
    }
    Ok(Exit::Well)
}

/// A line a run, in columns.
pub(super) fn table(runs: &[Run], now: Timestamp) -> Result<String, jiff::Error> {
    let mut text = format!(
        "{:<10} {:<20} {:<10} {:<9} AGE\n",
        "RUN", "NAMESPACE", "STATE", "WORKERS"
    );
    for run in runs {
        let age = match run.created {
            Some(created) => {
                let round = SpanRound::new().largest(Unit::Hour).smallest(Unit::Second);
                format!("{:#}", now.since(created)?.round(round)?)
            }
            None => "unknown".to_owned(),
        };
        let workers = format!("{}/{}", run.workers_up, run.workers);
        // Writing into a String cannot fail.
        let _ = writeln!(
            text,
            "{:<10} {:<20} {:<10} {workers:<9} {age}",
            run.id,
            run.namespace,
            run.state.to_string()
        );
    }
    Ok(text)
}

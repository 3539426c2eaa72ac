//! `netplan orchestrator`: the role inside the orchestrator's pod.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

use super::error::{CliError, Exit};

/// The role inside the orchestrator's pod: drives the schedule, keeps the journal
#[derive(Debug, Args)]
pub(super) struct OrchestratorArgs {
    /// The run's id
    #[arg(long)]
    run: String,

    /// The resolved plan
    #[arg(long, value_name = "FILE")]
    plan: PathBuf,

    /// Only these cells
    #[arg(long, value_name = "SELECTION")]
    only: Option<String>,

    /// The folder with ca.crt, tls.crt, tls.key and token
    #[arg(long, value_name = "DIR")]
    tls: PathBuf,

    /// Where the journal is kept; a journal that is there is gone on with
    #[arg(long, value_name = "DIR")]
    journal: PathBuf,

    /// Where to listen for workers and the command line
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: SocketAddr,
}

pub(super) fn execute(_args: OrchestratorArgs) -> Result<Exit, CliError> {
    Ok(Exit::Well)
}

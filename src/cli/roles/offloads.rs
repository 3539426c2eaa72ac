//! `netplan offloads-off`: the role of the container that prepares a worker's pod, with `NET_ADMIN`.

use std::net::IpAddr;

use anyhow::anyhow;
use clap::Args;

use crate::cli::error::{CliError, Exit};
use crate::cli::terminal::printer;
use crate::worker;

/// The role inside a worker's pod that switches segmentation offloads off
#[derive(Debug, Args)]
pub(in crate::cli) struct OffloadsArgs {
    /// An address of the pod: its interface is meant
    #[arg(long, env = "NETPLAN_POD_IP")]
    pod_ip: IpAddr,
}

/// What stays on is in the worker's environment, and warned of; so it is no failure here.
pub(in crate::cli) fn execute(args: &OffloadsArgs) -> Result<Exit, CliError> {
    let runtime = crate::cli::runtime()?;
    let stayed = runtime
        .block_on(worker::switch_offloads_off(args.pod_ip))
        .map_err(|why| anyhow!("cannot switch offloads off: {why}"))?;
    for why in stayed {
        printer::warning(&why);
    }
    Ok(Exit::Well)
}

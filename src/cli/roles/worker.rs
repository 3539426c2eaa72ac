//! `netplan worker`: the role inside a worker pod.

use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;

use crate::cli::error::{CliError, Exit};
use crate::cli::terminal::printer;
use crate::rpc::Identity;
use crate::worker::{self, Parting, Settings};

/// The role inside a worker pod: runs tools on the orchestrator's orders
#[derive(Debug, Args)]
pub(in crate::cli) struct WorkerArgs {
    /// The plan's name for this worker
    #[arg(long)]
    name: String,

    /// Where the orchestrator listens
    #[arg(long, value_name = "HOST:PORT")]
    orchestrator: String,

    /// The host name of this worker's own Service, when it has one
    #[arg(long, value_name = "HOST")]
    service: Option<String>,

    /// The ports on the pod's loopback addresses, of which it takes the first that is free to answer the command line
    #[arg(long, value_name = "FIRST-LAST", value_parser = ports)]
    control_ports: Option<RangeInclusive<u16>>,

    /// The folder with ca.crt, tls.crt and tls.key
    #[arg(long, value_name = "DIR")]
    tls: PathBuf,

    /// The folder for a copy of the run's journal; without it this worker holds none
    #[arg(long, value_name = "DIR")]
    copy: Option<PathBuf>,

    /// The pod's addresses
    #[arg(long, env = "NETPLAN_POD_IP", value_delimiter = ',', required = true)]
    pod_ip: Vec<IpAddr>,

    /// The family of the address that others dial: IPv4 or IPv6 [default: that of the first address]
    #[arg(long, value_name = "FAMILY", value_parser = ["IPv4", "IPv6"])]
    ip_family: Option<String>,

    /// The node that the pod is on
    #[arg(long, env = "NETPLAN_NODE")]
    node: String,

    /// A program of a tool that the plan declares; may be given several times
    #[arg(long, value_name = "NAME")]
    program: Vec<String>,
}

/// `15202-15209`
fn ports(text: &str) -> Result<RangeInclusive<u16>, String> {
    let ends = text.split_once('-');
    let number = |end: &str| end.parse::<u16>().ok();
    match ends.and_then(|(first, last)| Some((number(first)?, number(last)?))) {
        Some((first, last)) if first <= last => Ok(first..=last),
        _ => Err("write two ports, e.g. 15202-15209".to_owned()),
    }
}

pub(in crate::cli) fn execute(args: WorkerArgs) -> Result<Exit, CliError> {
    let wanted = |ip: &&IpAddr| match args.ip_family.as_deref() {
        Some("IPv4") => ip.is_ipv4(),
        Some(_) => ip.is_ipv6(),
        None => true,
    };
    let pod_ip = *args.pod_ip.iter().find(wanted).with_context(|| {
        let family = args.ip_family.as_deref().unwrap_or_default();
        format!("the pod has no {family} address; leave `kubernetes.ip_family` out of the plan, or run it on a cluster of that family")
    })?;
    let mut others = args.pod_ip.iter();
    let other_pod_ip = others.find(|ip| ip.is_ipv4() != pod_ip.is_ipv4()).copied();
    let identity = Identity::load(&args.name, &args.tls).map_err(anyhow::Error::from)?;
    // Before anything else is started.
    let private: Vec<&Path> = [Some(&args.tls), args.copy.as_ref()]
        .into_iter()
        .flatten()
        .map(PathBuf::as_path)
        .collect();
    worker::confine(&private);
    let settings = Settings {
        name: args.name,
        orchestrator: args.orchestrator,
        service: args.service,
        identity,
        pod_ip,
        other_pod_ip,
        node: args.node,
        control_ports: args.control_ports.clone(),
        programs: args.program,
        patience: worker::PATIENCE,
        copy: args.copy,
        copy_patience: worker::COPY_PATIENCE,
        tell: printer::plain,
    };
    let runtime = crate::cli::runtime()?;
    let parting = runtime.block_on(async {
        worker::run(&settings, worker::terminated()?)
            .await
            .map_err(anyhow::Error::from)
    })?;
    Ok(match parting {
        Parting::Goodbye => Exit::Well,
        // A Job whose evicted pod ended well would count as done, and make no other one.
        Parting::Shutdown => Exit::Terminated,
    })
}

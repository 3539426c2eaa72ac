//! `netplan probe`: the programs of the tool `probe`, which workers start.

use std::net::IpAddr;

use anyhow::Context;
use clap::{Args, Subcommand};
use serde::Serialize;

use crate::cli::error::{CliError, Exit};
use crate::cli::terminal::printer;
use crate::plan::units::{Duration, Quantity};
use crate::probe::{self, ClientSettings, ServerSettings};
use crate::tools::PROBE_READY;

/// The programs of the tool `probe`
#[derive(Debug, Args)]
pub(in crate::cli) struct ProbeArgs {
    #[command(subcommand)]
    role: Role,
}

#[derive(Debug, Subcommand)]
enum Role {
    /// Sends and measures, and prints one JSON document
    Client(ClientArgs),
    /// Answers clients
    Server(ServerArgs),
}

#[derive(Debug, Args)]
struct ClientArgs {
    /// The server's address
    #[arg(long, value_name = "ADDRESS")]
    to: IpAddr,

    /// The server's port of packets; new connections go to the next one
    #[arg(long)]
    port: u16,

    /// How long to measure
    #[arg(long = "for", value_name = "TIME", value_parser = time)]
    lasts: Duration,

    /// How long traffic flows before
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = time)]
    warmup: Duration,

    /// The time between two packets
    #[arg(long, value_name = "TIME", default_value = "1ms", value_parser = time)]
    interval: Duration,

    /// The time between two new connections; none without it
    #[arg(long, value_name = "TIME", value_parser = time)]
    connect_interval: Option<Duration>,

    /// Record what becomes of the packets of each interval of this length; printed as a document of its own, before the result
    #[arg(long, value_name = "TIME", value_parser = time, conflicts_with = "mtu")]
    intervals: Option<Duration>,

    /// Send packets over UDP
    #[arg(long)]
    udp: bool,

    /// Send packets over one TCP connection
    #[arg(long)]
    tcp: bool,

    /// Find the largest packet that arrives unfragmented in each direction, and do nothing else; `--for` is then the longest
    /// time
    #[arg(long, conflicts_with_all = ["udp", "tcp", "connect_interval"])]
    mtu: bool,
}

#[derive(Debug, Args)]
struct ServerArgs {
    /// The port of packets; new connections come to the next one
    #[arg(long)]
    port: u16,

    /// How long to serve
    #[arg(long = "for", value_name = "TIME", value_parser = time)]
    lasts: Duration,
}

fn time(text: &str) -> Result<Duration, String> {
    Duration::parse(text).map_err(|problem| problem.to_string())
}

pub(in crate::cli) fn execute(args: &ProbeArgs) -> Result<Exit, CliError> {
    match &args.role {
        Role::Client(args) => client(args),
        Role::Server(args) => server(args),
    }
}

fn client(args: &ClientArgs) -> Result<Exit, CliError> {
    let document = if args.mtu {
        probe::find_mtu(args.to, args.port, args.lasts.0)
    } else {
        probe::run(&ClientSettings {
            to: args.to,
            port: args.port,
            udp: args.udp,
            tcp: args.tcp,
            interval: args.interval.0,
            connect_interval: args.connect_interval.map(|interval| interval.0),
            warmup: args.warmup.0,
            lasts: args.lasts.0,
            intervals: args.intervals.map(|intervals| intervals.0),
        })
    };
    let mut document = document.map_err(anyhow::Error::from)?;
    let mut text = String::new();
    if let Some(intervals) = document.intervals.take() {
        text += &line(&intervals)?;
    }
    text += &line(&document)?;
    printer::results(&text)?;
    Ok(Exit::Well)
}

fn line(document: &impl Serialize) -> anyhow::Result<String> {
    let text = serde_json::to_string(document)?;
    Ok(text + "\n")
}

fn server(args: &ServerArgs) -> Result<Exit, CliError> {
    let settings = ServerSettings {
        port: args.port,
        lasts: args.lasts.0,
    };
    probe::serve(&settings, || printer::plain(PROBE_READY))
        .with_context(|| format!("cannot listen on the ports {0} and {0} + 1", args.port))?;
    Ok(Exit::Well)
}

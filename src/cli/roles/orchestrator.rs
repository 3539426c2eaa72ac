//! `netplan orchestrator`: the role inside the orchestrator's pod.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

use crate::cli::error::{CliError, Exit};
use crate::cli::interrupt::Interrupt;
use crate::cli::plan::plan_args;
use crate::cli::terminal::printer;
use crate::files;
use crate::orchestrator::state::Limits;
use crate::orchestrator::{self, COPY_PATIENCE, Copies, Linger, Settings};
use crate::output::csv::nptest::{self as nptest_csv, Dialect};
use crate::plan::ForbiddenConnection;
use crate::report::Report;
use crate::results::journal::LARGEST_BYTES;
use crate::results::{Event, archive};
use crate::rpc::{self, Identity};

/// The role inside the orchestrator's pod: drives the schedule, keeps the journal
#[derive(Debug, Args)]
pub(in crate::cli) struct OrchestratorArgs {
    /// The run's id
    #[arg(long)]
    run: String,

    /// The resolved plan
    #[arg(long, value_name = "FILE")]
    plan: PathBuf,

    /// Only these cells
    #[arg(long, value_name = "SELECTION")]
    only: Option<String>,

    /// A connection that the policies of a variant forbid, and one that no policy forbids. Both are tried before the first
    /// sample; unless only the second succeeds, the variant's cells are skipped
    #[arg(long, value_name = "VARIANT,FROM,TO,PORT,FROM,TO,PORT")]
    forbidden: Vec<ForbiddenConnection>,

    /// The folder with ca.crt, tls.crt and tls.key
    #[arg(long, value_name = "DIR")]
    tls: PathBuf,

    /// The folder of the journal; an existing journal is continued
    #[arg(long, value_name = "DIR")]
    journal: PathBuf,

    /// The journal, gzipped, to continue if the folder has none yet; each part of it in its order
    #[arg(long, value_name = "FILE")]
    resume: Vec<PathBuf>,

    /// Have a worker hold a copy of the journal, and continue from the newest one. Without it the folder of the
    /// journal has to outlive the pod
    #[arg(long)]
    copies: bool,

    /// The node that the pod is on: a worker on another one holds the copy
    #[arg(long, env = "NETPLAN_NODE", value_name = "NODE")]
    node: Option<String>,

    /// Where to listen for workers and the command line; `[::]` is any address, of IPv4 too
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: SocketAddr,
}

pub(in crate::cli) fn execute(args: OrchestratorArgs) -> Result<Exit, CliError> {
    let plan = plan_args::source(&args.plan)?;
    let identity = Identity::load(rpc::ORCHESTRATOR, &args.tls).map_err(anyhow::Error::from)?;
    let settings = Settings {
        run: args.run,
        plan,
        only: args.only,
        forbidden: args.forbidden,
        identity,
        journal: args.journal,
        resume: begun(&args.resume)?,
        copies: args.copies.then_some(Copies {
            patience: COPY_PATIENCE,
            node: args.node,
        }),
        salt: getrandom::u32().context("the system gives no random numbers")?,
        limits: Limits::default(),
        linger: Linger::default(),
    };
    let runtime = crate::cli::runtime()?;
    runtime.block_on(async {
        let listener = rpc::listen(args.listen)
            .await
            .with_context(|| format!("cannot listen on {}", args.listen))?;
        let mut interrupt = Interrupt::listen()?;
        let tell = |line: &str| {
            // Nobody may be reading the log any more; the run continues.
            let _ = printer::results(&format!("{line}\n"));
        };
        let shutdown = async move {
            interrupt.next().await;
        };
        let run = orchestrator::run(settings, listener, shutdown, tell, csv);
        Box::pin(run).await.map_err(anyhow::Error::from)
    })?;
    Ok(Exit::Well)
}

/// The journal of a run that continues, from its parts.
fn begun(parts: &[PathBuf]) -> anyhow::Result<Option<Vec<u8>>> {
    let mut folded = Vec::new();
    for file in parts {
        let part = files::read_regular(file, LARGEST_BYTES)
            .with_context(|| format!("cannot read `{}`", file.display()))?;
        folded.extend(part);
    }
    if folded.is_empty() {
        return Ok(None);
    }
    let journal = archive::unfold(&folded).context("cannot unpack the journal to continue")?;
    Ok(Some(journal))
}

/// The end of the orchestrator's log: nptest's CSV between nptest's own marks.
fn csv(events: &[Event]) -> String {
    match Report::from_events(events) {
        Ok(report) => format!(
            "ALL TESTCASES AND MSS RANGES COMPLETE - GENERATING CSV OUTPUT\n{}END CSV DATA",
            nptest_csv::render(&report, Dialect::Nptest)
        ),
        Err(error) => format!("no CSV: {error}"),
    }
}

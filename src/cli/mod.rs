//! The command line: clap's types, a file for each subcommand, exit codes.

mod compare;
mod connectivity;
mod during;
mod error;
mod help;
mod import;
mod interrupt;
mod kubernetes;
mod measure;
mod plan;
mod progress;
mod results;
mod roles;
mod terminal;
mod watch;

use std::process::ExitCode;

use anyhow::Context;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use self::error::{CliError, Exit};
use self::help::invocation::Invocation;
#[cfg(all(target_os = "linux", feature = "local"))]
use super::cluster::local::sandbox;
use crate::system::raise_file_limit;

const EXAMPLES: &str = "\
Examples:
  netplan run plans/default.yaml          run a plan, on Kubernetes or on this machine
  netplan check my-plan.yaml              is my plan right? if not, where is it wrong?
  netplan render plans/default.yaml       print the manifests of a run
  netplan compare BASE NEW                did it get slower?
  netplan run plans/default.yaml --only 'tool=iperf3,path=hairpin' --set tests.0.duration=1s

Exit codes: 0 success; 1 it could not run; 2 the command line or the plan is wrong;
3 it ran and some cells failed or are missing; 4 an expectation fell short (if only because its cell
failed or is missing: 3), or a comparison failed; 130 interrupted. Skipped cells do not count as failed.
Results go to stdout, everything else to stderr.";

/// How fast is the pod network, and did it get slower?
///
/// netplan reads a test plan (traffic paths, tools, a sweep of segment sizes, where the workers run), starts
/// orchestrator and workers, measures the whole matrix with iperf3, netperf or its own probe, and prints and
/// stores the results.
#[derive(Debug, Parser)]
#[command(name = "netplan", version, after_help = EXAMPLES, max_term_width = 100, styles = terminal::color::STYLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,

    #[command(flatten)]
    color: terminal::color::ColorArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(measure::run::RunArgs),
    Watch(measure::watch::WatchArgs),
    Check(plan::check::CheckArgs),
    Schedule(plan::schedule::ScheduleArgs),
    Render(plan::render::RenderArgs),
    Report(results::report::ReportArgs),
    Compare(compare::command::CompareArgs),
    History(results::history::command::HistoryArgs),
    Import(import::command::ImportArgs),
    Status(kubernetes::status::StatusArgs),
    Attach(kubernetes::attach::AttachArgs),
    Cancel(kubernetes::cancel::CancelArgs),
    Clean(kubernetes::clean::CleanArgs),
    Doctor(measure::doctor::DoctorArgs),
    Selftest(measure::selftest::SelftestArgs),
    Init(plan::init::InitArgs),
    Schema(plan::schema::SchemaArgs),
    Explain(plan::explain::ExplainArgs),
    Completions(help::completions::CompletionsArgs),
    Man(help::man::ManArgs),
    #[command(hide = true)]
    Orchestrator(roles::orchestrator::OrchestratorArgs),
    #[cfg(all(target_os = "linux", feature = "local"))]
    #[command(hide = true)]
    OffloadsOff(roles::offloads::OffloadsArgs),
    #[cfg(all(target_os = "linux", feature = "local"))]
    #[command(hide = true)]
    Probe(roles::probe::ProbeArgs),
    #[cfg(all(target_os = "linux", feature = "local"))]
    #[command(hide = true)]
    Worker(roles::worker::WorkerArgs),
}

/// The command line as clap describes it, to check command lines without running them.
#[must_use]
pub fn command() -> clap::Command {
    Cli::command()
}

/// Runs the program: what `main` is.
#[must_use]
pub fn main() -> ExitCode {
    #[cfg(all(target_os = "linux", feature = "local"))]
    // The local cluster's own processes enter namespaces, which only a process without threads can.
    if let Some(code) = sandbox::dispatch() {
        return code;
    }
    match execute() {
        Ok(exit) => exit.into(),
        Err(error) => {
            terminal::printer::error(&error);
            error.exit().into()
        }
    }
}

fn execute() -> Result<Exit, CliError> {
    // A shell that asks for completions waits at a prompt.
    if help::complete::answer(|| Invocation::current().command())? {
        return Ok(Exit::Well);
    }
    // Before anything is printed, help texts and mistakes included.
    terminal::printer::choose_color(terminal::color::named_in(std::env::args_os()));
    let parsed = Invocation::current()
        .command()
        .try_get_matches()
        .and_then(|matches| Cli::from_arg_matches(&matches));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => {
            let error = help::suggest::add_to(error);
            terminal::printer::usage(&error)?;
            return Ok(if error.use_stderr() {
                Exit::Usage
            } else {
                Exit::Well
            });
        }
    };
    raise_file_limit();
    cli.command.execute()
}

/// The runtime of all that waits. One thread: it shares the machine with what is measured.
fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")
}

impl Command {
    fn execute(self) -> Result<Exit, CliError> {
        match self {
            Self::Run(args) => measure::run::execute(&args),
            Self::Watch(args) => measure::watch::execute(&args),
            Self::Check(args) => plan::check::execute(&args),
            Self::Schedule(args) => plan::schedule::execute(&args),
            Self::Render(args) => plan::render::execute(&args),
            Self::Report(args) => results::report::execute(&args),
            Self::Compare(args) => compare::command::execute(&args),
            Self::History(args) => results::history::command::execute(&args),
            Self::Import(args) => import::command::execute(&args),
            Self::Status(args) => kubernetes::status::execute(&args),
            Self::Attach(args) => kubernetes::attach::execute(&args),
            Self::Cancel(args) => kubernetes::cancel::execute(&args),
            Self::Clean(args) => kubernetes::clean::execute(&args),
            Self::Doctor(args) => measure::doctor::execute(&args),
            Self::Selftest(args) => measure::selftest::execute(&args),
            Self::Init(args) => plan::init::execute(&args),
            Self::Schema(args) => plan::schema::execute(&args),
            Self::Explain(args) => plan::explain::execute(&args),
            Self::Completions(args) => help::completions::execute(&args),
            Self::Man(args) => help::man::execute(&args),
            Self::Orchestrator(args) => roles::orchestrator::execute(args),
            #[cfg(all(target_os = "linux", feature = "local"))]
            Self::OffloadsOff(args) => roles::offloads::execute(&args),
            #[cfg(all(target_os = "linux", feature = "local"))]
            Self::Probe(args) => roles::probe::execute(&args),
            #[cfg(all(target_os = "linux", feature = "local"))]
            Self::Worker(args) => roles::worker::execute(args),
        }
    }
}

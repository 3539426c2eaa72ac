//! The command line: clap's types, a file for each subcommand, exit codes.

mod artifacts;
mod attach;
mod cancel;
mod check;
mod clean;
mod collect;
mod color;
mod complete;
mod completions;
mod confirm;
mod doctor;
mod error;
mod exit_policy;
mod explain;
mod format;
mod init;
mod interrupt;
mod invocation;
mod lifecycle;
mod man;
mod orchestrator;
mod plan_args;
mod preflight;
mod prepare;
mod printer;
mod progress;
mod render;
mod report;
mod resume;
mod run;
mod run_lookup;
mod schedule;
mod schema;
mod selftest;
mod status;
mod suggest;
mod target;
mod watch;
mod worker;

use std::process::ExitCode;

use anyhow::Context;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use self::error::{CliError, Exit};
use self::invocation::Invocation;
use super::cluster::local::sandbox;
use crate::system::raise_file_limit;

const EXAMPLES: &str = "\
Examples:
  netplan run plans/default.yaml          run a plan, on Kubernetes or on this machine
  netplan check my-plan.yaml              is my plan right? if not, where is it wrong?
  netplan render plans/default.yaml       print the manifests of a run
  netplan run plans/default.yaml --only 'tool=iperf3,path=hairpin' --set tests.0.duration=1s

Exit codes: 0 success; 1 it could not run; 2 the command line or the plan is wrong;
3 it ran and some cells failed or are missing; 4 an expectation fell short (if only because its cell
failed or is missing: 3); 130 interrupted. Skipped cells do not count as failed.
Results go to stdout, everything else to stderr.";

/// How fast is the pod network, and did it get slower?
///
/// netplan reads a test plan (traffic paths, tools, a sweep of segment sizes, where the workers run), starts
/// orchestrator and workers, measures the whole matrix with iperf3 and netperf, and prints and stores the
/// results.
#[derive(Debug, Parser)]
#[command(name = "netplan", version, after_help = EXAMPLES, max_term_width = 100, styles = color::STYLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,

    #[command(flatten)]
    color: color::ColorArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::RunArgs),
    Check(check::CheckArgs),
    Schedule(schedule::ScheduleArgs),
    Render(render::RenderArgs),
    Report(report::ReportArgs),
    Status(status::StatusArgs),
    Attach(attach::AttachArgs),
    Cancel(cancel::CancelArgs),
    Clean(clean::CleanArgs),
    Doctor(doctor::DoctorArgs),
    Selftest(selftest::SelftestArgs),
    Init(init::InitArgs),
    Schema(schema::SchemaArgs),
    Explain(explain::ExplainArgs),
    Completions(completions::CompletionsArgs),
    Man(man::ManArgs),
    #[command(hide = true)]
    Orchestrator(orchestrator::OrchestratorArgs),
    #[command(hide = true)]
    Worker(worker::WorkerArgs),
}

/// The command line as clap describes it, to check command lines without running them.
#[must_use]
pub fn command() -> clap::Command {
    Cli::command()
}

/// Runs the program: what `main` is.
#[must_use]
pub fn main() -> ExitCode {
    // The local cluster's own processes enter namespaces, which only a process without threads can.
    if let Some(code) = sandbox::dispatch() {
        return code;
    }
    match execute() {
        Ok(exit) => exit.into(),
        Err(error) => {
            printer::error(&error);
            error.exit().into()
        }
    }
}

fn execute() -> Result<Exit, CliError> {
    // A shell that asks for completions waits at a prompt.
    if complete::answer(|| Invocation::current().command())? {
        return Ok(Exit::Well);
    }
    // Before anything is printed, help texts and mistakes included.
    printer::choose_color(color::named_in(std::env::args_os()));
    let parsed = Invocation::current()
        .command()
        .try_get_matches()
        .and_then(|matches| Cli::from_arg_matches(&matches));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => {
            let error = suggest::add_to(error);
            printer::usage(&error)?;
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
            Self::Run(args) => run::execute(&args),
            Self::Check(args) => check::execute(&args),
            Self::Schedule(args) => schedule::execute(&args),
            Self::Render(args) => render::execute(&args),
            Self::Report(args) => report::execute(&args),
            Self::Status(args) => status::execute(&args),
            Self::Attach(args) => attach::execute(&args),
            Self::Cancel(args) => cancel::execute(&args),
            Self::Clean(args) => clean::execute(&args),
            Self::Doctor(args) => doctor::execute(&args),
            Self::Selftest(args) => selftest::execute(&args),
            Self::Init(args) => init::execute(&args),
            Self::Schema(args) => schema::execute(&args),
            Self::Explain(args) => explain::execute(&args),
            Self::Completions(args) => completions::execute(&args),
            Self::Man(args) => man::execute(&args),
            Self::Orchestrator(args) => orchestrator::execute(args),
            Self::Worker(args) => worker::execute(args),
        }
    }
}

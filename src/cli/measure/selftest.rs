//! `netplan selftest`: are the numbers true?

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::{Args, ValueEnum};
use jiff::Timestamp;
use tokio::runtime::Runtime;

use super::lifecycle::{self, Capture};
use super::preflight::Checkup;
use super::prepare::{self, Prepared};
use super::target::Target;
use crate::catalog::Transport;
use crate::cli::error::{CliError, Exit, list};
use crate::cli::progress::Progress;
use crate::cli::results::artifacts;
use crate::cli::terminal::printer;
use crate::cli::watch::Followed;
use crate::cluster::Arrivals;
use crate::diag::{Problem, Source};
use crate::output::{selftest_json, terminal};
use crate::plan::{self, Plan, PlanFile};
use crate::report::Report;
use crate::report::selftest::{self, Check};
use crate::results::run_dir::file;
use crate::results::{Journal, RunDir};
use crate::schedule::{Schedule, Selection};
use crate::tools;

/// Compare measurements on emulated links with theory: are the numbers true?
///
/// Runs small plans on this machine over links of known rate, delay, loss and cuts, in network namespaces that vanish
/// with them, in about a minute and a half. Prints for each figure the theory, the measured value, and whether the difference
/// is acceptable. Skips what the kernel cannot emulate, with the reason. It may fail on a machine that is busy
/// with other work.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  netplan selftest
  netplan selftest --only 100mbit --only loss
  netplan selftest --set defaults.duration=5s
  netplan selftest --format json > selftest.json

The plans are those of plans/selftest/. Theory of TCP goodput:
rate x payload / (payload + 14 Ethernet + 20 IP + 32 TCP with timestamps).
Losses are compared with their binomial interval at 99.9 %.
Theory of a round trip through a full queue: (queue - one packet) / rate.
Gaps in traffic are compared with the cuts of the link that cause them, and those of an
established TCP connection with a packet capture.

Exit codes: 0 nothing failed; 1 it could not run; 2 the command line is wrong; 4 a figure is off;
130 interrupted.")]
pub(in crate::cli) struct SelftestArgs {
    /// Run only this part; may be given several times
    #[arg(long, value_enum, value_name = "PART")]
    only: Vec<Part>,

    /// Override a value of the parts' plans, e.g. defaults.duration=5s; may be given several times
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,

    /// How to print the results
    #[arg(long, value_enum, default_value_t)]
    format: Format,

    /// Store the runs here, a folder each [default: netplan-results/selftest-<time>-<id>]
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
}

/// The table's width where stdout is not a terminal: nothing is folded.
const WIDTH_OF_FILES: usize = 120;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table for people
    #[default]
    Table,
    /// One JSON document
    Json,
}

/// A plan of plans/selftest/.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// TCP goodput by segment size and UDP, over 100 Mbit/s
    #[value(name = "100mbit")]
    Slow,
    /// TCP goodput by segment size, over 1 Gbit/s
    #[value(name = "1gbit")]
    Fast,
    /// Lost datagrams
    Loss,
    /// Round trips
    Delay,
    /// Round trips through a full queue, at 20 Mbit/s
    Queue,
    /// Round trips through a full queue, at 100 Mbit/s
    #[value(name = "queue-100mbit")]
    FastQueue,
    /// Gaps in traffic while a link is cut
    Outages,
}

impl Part {
    const fn file(self) -> (&'static str, &'static str) {
        match self {
            Self::Slow => (
                "100mbit",
                include_str!("../../../plans/selftest/100mbit.yaml"),
            ),
            Self::Fast => ("1gbit", include_str!("../../../plans/selftest/1gbit.yaml")),
            Self::Loss => ("loss", include_str!("../../../plans/selftest/loss.yaml")),
            Self::Delay => ("delay", include_str!("../../../plans/selftest/delay.yaml")),
            Self::Queue => ("queue", include_str!("../../../plans/selftest/queue.yaml")),
            Self::FastQueue => (
                "queue-100mbit",
                include_str!("../../../plans/selftest/queue-100mbit.yaml"),
            ),
            Self::Outages => (
                "outages",
                include_str!("../../../plans/selftest/outages.yaml"),
            ),
        }
    }

    fn plan(self, set: &[String]) -> Result<PlanFile, CliError> {
        let (name, text) = self.file();
        let source = Source::new(format!("plans/selftest/{name}.yaml"), text.to_owned());
        Ok(plan::load_file(&plan::Alone, source, set)?)
    }
}

pub(in crate::cli) fn execute(args: &SelftestArgs) -> Result<Exit, CliError> {
    let parts = Part::value_variants()
        .iter()
        .filter(|part| args.only.is_empty() || args.only.contains(part));
    // All at once: an override that fits none of them is known before anything is measured.
    let plans = parts
        .map(|part| Ok((part.file().0, part.plan(&args.set)?)))
        .collect::<Result<Vec<_>, CliError>>()?;
    let blocked: Vec<Vec<Problem>> = plans.iter().map(|(_, plan)| problems(plan)).collect();
    if args.format == Format::Table && blocked.iter().all(|problems| !problems.is_empty()) {
        return Err(nothing_can_be_measured(blocked).into());
    }
    let runtime = crate::cli::runtime()?;
    let home = match &args.output {
        Some(home) => home.clone(),
        None => RunDir::default_path("selftest", Timestamp::now(), &prepare::new_id()?),
    };
    let mut checks = Vec::new();
    let mut interrupted = false;
    for ((name, plan), problems) in plans.into_iter().zip(&blocked) {
        if !problems.is_empty() {
            let reason = problems.iter().map(ToString::to_string);
            let reason = reason.collect::<Vec<_>>().join("; ");
            let report = unmeasured(plan.expand());
            checks.extend(selftest::checks(&report, Some(&reason)));
            checks.extend(selftest::outage_checks(&report, &[], Some(&reason)));
            continue;
        }
        let prepared = prepare::whole(&plan)?;
        let (found, stopped) = measure(&runtime, &prepared, &home.join(name))?;
        checks.extend(found);
        interrupted = stopped;
        if interrupted {
            break;
        }
    }
    printer::results(&match args.format {
        Format::Table => {
            let (width, colour) = (printer::width_or(WIDTH_OF_FILES), printer::colour_stdout());
            terminal::render(&selftest::document(&checks), width, colour)
        }
        Format::Json => selftest_json::render(&checks).map_err(anyhow::Error::from)?,
    })?;
    if home.is_dir() {
        printer::note(&format!("the runs: {}", home.display()));
    }
    let [passed, failed, _] = selftest::counts(&checks);
    Ok(match (interrupted, passed, failed) {
        (true, ..) => Exit::Interrupted,
        (false, 0, 0) => return Err(anyhow!("nothing could be measured on this machine").into()),
        (false, _, 0) => Exit::Well,
        (false, ..) => Exit::FellShort,
    })
}

/// Why a plan cannot run here.
fn problems(plan: &PlanFile) -> Vec<Problem> {
    let tools: Vec<_> = plan
        .tests
        .iter()
        .map(|test| tools::from_spec(&test.tool))
        .collect();
    let checkup = Checkup::for_machine(&plan.local, plan.workers.len(), &tools);
    checkup.problems().cloned().collect()
}

/// Lists each problem once, however many plans it blocks.
fn nothing_can_be_measured(blocked: Vec<Vec<Problem>>) -> anyhow::Error {
    let mut problems: Vec<Problem> = Vec::new();
    for problem in blocked.into_iter().flatten() {
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }
    let list = list(problems.iter());
    anyhow!("nothing can be measured on this machine:{list}")
}

/// The report of a plan that did not run.
fn unmeasured(plan: Plan) -> Report {
    let schedule = Schedule::new(&plan, &Selection::all());
    Report::fold([], plan, schedule)
}

/// Runs a plan. Returns its checks, and whether it was interrupted.
fn measure(
    runtime: &Runtime,
    prepared: &Prepared,
    folder: &Path,
) -> anyhow::Result<(Vec<Check>, bool)> {
    let dir = RunDir::create(folder.to_path_buf())?;
    let journal = Journal::create(dir.path())?;
    dir.write(file::PLAN, &prepared.plan_text)?;
    if let Some(description) = &prepared.plan.description {
        printer::note(description);
    }
    let progress = Progress::new(&prepared.plan, &prepared.schedule);
    let target = Target::Local;
    let capture = capture(prepared);
    let capture = capture.as_ref();
    let followed = runtime.block_on(lifecycle::run(
        prepared, target, &dir, journal, &progress, false, capture,
    ));
    let interrupted = followed? == Followed::Interrupted;
    if !artifacts::has_events(&dir) {
        return Ok((Vec::new(), interrupted));
    }
    let report = artifacts::report(&dir)?;
    artifacts::write_derived(&dir, &report)?;
    let mut checks = selftest::checks(&report, None);
    let arrivals = capture.map_or_else(Vec::new, |capture| capture.into.times());
    checks.extend(selftest::outage_checks(&report, &arrivals, None));
    Ok((checks, interrupted))
}

/// The capture of what the clients of a test with `during:` receive over their established connection.
fn capture(prepared: &Prepared) -> Option<Capture> {
    let Prepared { plan, run, .. } = prepared;
    let test = plan.tests.iter().find(|test| !test.during.is_empty())?;
    let name = test.paths.first()?;
    let path = plan.paths.iter().find(|path| path.name == *name)?;
    let ports = tools::from_spec(&test.tool).ports(0);
    let port = ports.iter().find(|port| port.transport == Transport::Tcp)?;
    Some(Capture {
        pod: run.worker(&path.from),
        port: port.number,
        into: Arrivals::default(),
    })
}

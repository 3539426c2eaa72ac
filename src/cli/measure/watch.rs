//! `netplan watch`: measures until it is stopped.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, anyhow};
use clap::Args;

use super::lifecycle;
use super::prepare::{MakeArgs, Prepared};
use super::rolling::Rolling;
use super::target::{Target, TargetArgs};
use crate::cli::error::{CliError, Exit};
use crate::cli::help::complete;
use crate::cli::plan::plan_args;
use crate::cli::progress::Phase;
use crate::cli::terminal::confirm::Answer;
use crate::cli::terminal::printer;
use crate::cli::watch::{Followed, Heard, Sink};
use crate::plan::units;
use crate::plan::{Expectations, Order, PathEntry, PlanFile, Repeat, Timing};
use crate::results::{Event, EventKind};
use crate::rpc::pb::Record;

/// A part of the watching is a run of so many samples: what the orchestrator keeps of one has a bound of some 100 MB.
/// Then the next part begins.
const SAMPLES: u32 = 20_000;
/// The most rounds of a part: the language has no more samples of a cell.
const MOST_ROUNDS: u32 = 10_000;
/// How often a sample that failed is tried again: as often as the language allows. Then its cell is left out until the
/// next part.
const MOST_RETRIES: u32 = 100;

/// Measure until it is stopped, and show the latest figures of each path
///
/// For people who watch while they change something. The cells of the plan are measured in rounds, one short sample
/// after the other: a line shows the last figure of each cell, the shape of the last 30, the lowest and the highest.
/// Where stdout is no terminal, there is a line for each sample. Ctrl-C ends it and prints the lines once more.
/// Nothing is stored; `netplan run` records a run.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  netplan watch plans/quick.yaml
  netplan watch plans/default.yaml --only 'test=iperf3-tcp,size=1460' --sample 2s
  netplan watch plans/quick.yaml --on kubernetes

Exit codes: 0 it was stopped and had measured something; 1 it could not run, or measured nothing;
2 the command line or the plan is wrong.")]
pub(in crate::cli) struct WatchArgs {
    /// The plan; `-` reads standard input
    #[arg(add = complete::plans())]
    plan: PathBuf,

    /// Override a value of the plan, e.g. tests.0.iperf3.streams=4; may be given several times
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,

    /// How long a sample measures, in whole seconds
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = sample_time)]
    sample: units::Duration,

    #[command(flatten)]
    make: MakeArgs,

    #[command(flatten)]
    target: TargetArgs,

    /// Do not ask before a run on a cluster that is not on this machine
    #[arg(long, short)]
    yes: bool,
}

fn sample_time(text: &str) -> Result<units::Duration, String> {
    const MOST: Duration = Duration::from_secs(3600);
    let time: units::Duration = units::Quantity::parse(text).map_err(|error| error.to_string())?;
    if time.0.is_zero() || time.0 > MOST || time.0.subsec_nanos() != 0 {
        return Err("write whole seconds from `1s` to `1h`".to_owned());
    }
    Ok(time)
}

pub(in crate::cli) fn execute(args: &WatchArgs) -> Result<Exit, CliError> {
    let file = plan_args::load_file(&args.plan, &args.set)?;
    let namespace = args.target.namespace.as_deref();
    let runtime = crate::cli::runtime()?;
    let namespace_of_plan = namespace.unwrap_or(&file.kubernetes.namespace);
    let target = runtime.block_on(args.target.resolve(namespace_of_plan))?;
    if !args.yes {
        match runtime.block_on(args.target.confirm(&target))? {
            Answer::Yes => {}
            Answer::No => return Err(anyhow!("nothing was started").into()),
            Answer::Interrupted => return Ok(Exit::Interrupted),
        }
    }
    let file = match &target {
        Target::Kubernetes(connection) if file.depends_on_nodes() => {
            let jobs = args.make.group_jobs(&file)?;
            let nodes = runtime.block_on(connection.group_capacity(&jobs));
            let file = file.with_nodes(nodes.map_err(anyhow::Error::from)?);
            file.map_err(anyhow::Error::from)?
        }
        Target::Kubernetes(_) | Target::Local => file,
    };
    // The cells say how many rounds a part has.
    let once = in_rounds(&file, args.sample, rounds(1, file.variants.len()));
    let once = args.make.prepare(&once, namespace, None)?;
    let cells = once.schedule.cells.iter();
    let cells = cells.map(|cell| once.schedule.id(&once.plan, cell));
    let mut shown = Shown {
        rolling: Rolling::new(&once.plan, cells),
        live: printer::has_status_block(),
        next: 0,
        has_begun: false,
    };
    let rounds = rounds(once.schedule.cells.len(), file.variants.len());
    let file = in_rounds(&file, args.sample, rounds);
    printer::note(&format!(
        "measures samples of {} until Ctrl-C, {}",
        args.sample,
        target.describe()
    ));
    loop {
        let mut prepared = args.make.prepare(&file, namespace, None)?;
        if let Target::Kubernetes(_) = target {
            prepared.patch_pods()?;
        }
        runtime.block_on(target.preflight(&prepared))?;
        let followed = part(&runtime, &prepared, &target, &mut shown);
        shown.clear();
        if let Ok(Followed::Over) = followed {
            printer::note("the next part begins: the pods start again");
            continue;
        }
        // What was measured is shown, whatever ended it.
        if shown.rolling.has_any() {
            let lines = shown.rolling.lines();
            printer::results_of(lines.iter().map(|line| format!("{line}\n")))?;
        }
        followed?;
        if !shown.rolling.has_any() {
            return Err(anyhow!("stopped before anything was measured").into());
        }
        return Ok(Exit::Well);
    }
}

/// One part: brings the cluster up, measures all rounds or until somebody stops it, and takes the cluster down.
fn part(
    runtime: &tokio::runtime::Runtime,
    prepared: &Prepared,
    target: &Target,
    shown: &mut Shown,
) -> anyhow::Result<Followed> {
    let target = match target {
        Target::Local => Target::Local,
        Target::Kubernetes(connection) => Target::Kubernetes(connection.clone()),
    };
    (shown.next, shown.has_begun) = (0, false);
    shown.draw();
    runtime.block_on(lifecycle::follow(prepared, target, shown))
}

/// The plan with short samples, in so many rounds, and without what only a run judges.
fn in_rounds(file: &PlanFile, sample: units::Duration, rounds: u32) -> PlanFile {
    let mut file = file.clone();
    file.order = Order::Interleaved;
    for test in &mut file.tests {
        test.find = None;
        test.expect = Expectations::default();
        test.timing = Timing {
            duration: sample,
            retries: MOST_RETRIES,
            repeat: Repeat::Times(rounds),
            ..Timing::default()
        };
    }
    for entry in &mut file.paths {
        match entry {
            PathEntry::Path(path) => path.expect = Expectations::default(),
            PathEntry::Mesh(entry) => entry.mesh.expect = Expectations::default(),
        }
    }
    file
}

/// How many rounds of so many cells a part has: with variants a multiple of their number.
fn rounds(cells: usize, variants: usize) -> u32 {
    let cells = u32::try_from(cells).unwrap_or(u32::MAX).max(1);
    let variants = u32::try_from(variants).unwrap_or(u32::MAX).max(1);
    let rounds = (SAMPLES / cells).clamp(1, MOST_ROUNDS);
    (rounds / variants).max(1).saturating_mul(variants)
}

/// Shows the samples of a run, and keeps none.
struct Shown {
    rolling: Rolling,
    /// The lines are drawn anew in their place, else there is one for each sample.
    live: bool,
    /// The record that comes next.
    next: u64,
    has_begun: bool,
}

impl Shown {
    fn draw(&self) {
        if self.live {
            printer::status_block(&self.rolling.lines());
        }
    }

    fn clear(&self) {
        if self.live {
            printer::status_line(None);
        }
    }
}

impl Sink for Shown {
    fn begins_at(&self) -> u64 {
        self.next
    }

    fn take(&mut self, record: &Record) -> anyhow::Result<Heard> {
        let event: Event = serde_json::from_str(&record.line)
            .context("the orchestrator's record is not an event")?;
        self.next = record.seq + 1;
        self.has_begun |= event.kind.is_of_a_cell();
        if let Some(warning) = event.kind.path_warning() {
            printer::warning(&warning);
        }
        if let Some(cell) = self.rolling.take(&event.kind) {
            if self.live {
                self.draw();
            } else {
                printer::results(&format!("{}\n", self.rolling.line(&cell)))?;
            }
        }
        Ok(match event.kind {
            EventKind::RunEnded { .. } => Heard::RunEnded,
            _ => Heard::More,
        })
    }

    fn begun_anew(&self) -> anyhow::Error {
        anyhow!(
            "the orchestrator has started again without its journal; start `netplan watch` again"
        )
    }

    fn say(&self, message: &str) {
        printer::warning(message);
    }

    fn has_begun(&self) -> bool {
        self.has_begun
    }

    fn enter(&self, phase: Phase) {
        if phase == Phase::Stopping {
            printer::note("stopping (once more: at once)");
        }
    }

    fn holds_through(&self) -> Option<u64> {
        self.next.checked_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::Source;
    use crate::plan::{Alone, load_file};

    #[test]
    fn a_part_has_a_bound_and_whole_rounds_of_variants() {
        assert_eq!(rounds(1, 0), 10_000);
        assert_eq!(rounds(5, 0), 4_000);
        assert_eq!(rounds(9, 3), 2_220);
        assert_eq!(rounds(1_000_000, 2), 2);
        assert_eq!(rounds(0, 0), 10_000);
    }

    #[test]
    fn the_plan_of_a_part_is_a_plan() {
        let text = "version: 1
name: p
workers: { w1: {}, w2: {} }
paths: [{ name: a, from: w1, to: w2, via: pod_ip, expect: { throughput.lowest: '>= 1 Mbit/s' } }]
tests:
  - { name: rate, iperf3: {}, intervals: 1s, warmup: 5s }
  - name: search
    iperf3: { protocol: udp }
    find: { rate: max, from: 1 Mbit/s, to: 10 Gbit/s, within: 5%, while: 'lost_percent <= 0.1' }
";
        let file = load_file(&Alone, Source::new("p.yaml", text), &[]).unwrap();
        let short = units::Duration(Duration::from_secs(1));
        let text = in_rounds(&file, short, 10_000).to_yaml().unwrap();
        let again = load_file(&Alone, Source::new("p.yaml", text), &[]).unwrap();
        assert_eq!(again.tests[0].timing.duration, short);
        assert_eq!(again.tests[1].timing.repeat, Repeat::Times(10_000));
        assert_eq!(again.order, Order::Interleaved);
    }

    #[test]
    fn a_sample_takes_whole_seconds() {
        assert_eq!(sample_time("2s").unwrap().0, Duration::from_secs(2));
        for text in ["0s", "500ms", "2h", "x"] {
            assert!(sample_time(text).is_err(), "{text}");
        }
    }
}

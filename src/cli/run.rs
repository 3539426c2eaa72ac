//! `netplan run`: the whole job.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use jiff::Timestamp;

use super::error::{CliError, Exit};
use super::format::Format;
use super::prepare::{PrepareArgs, Prepared};
use super::progress::{Progress, in_words};
use super::target::{Target, TargetArgs};
use super::{live, printer, render, stored};
use crate::report::{Report, count};
use crate::results::run_dir::file;
use crate::results::{Journal, RunDir};
use crate::schedule::Forecast;
use crate::tools;

/// Run a plan: bring the cluster up, measure the whole matrix, print and store the results
///
/// On the Kubernetes cluster of the current kubeconfig, or on this machine, in network namespaces that vanish
/// with the run. Ctrl-C stops it at any moment; what was measured until then is stored and shown.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  netplan run plans/default.yaml
  netplan run plans/default.yaml --only 'tool=iperf3,path=hairpin'
  netplan run plans/default.yaml --set defaults.duration=5s --set local.nodes=3
  netplan run plans/default.yaml --format csv > result.csv
  netplan run plans/default.yaml --on kubernetes --context kind-dev --namespace bench
  netplan run plans/default.yaml --dry-run

Exit codes: 0 all well; 1 it could not run; 2 the command line or the plan is wrong;
3 it ran and some cells failed; 130 interrupted.")]
pub(super) struct RunArgs {
    #[command(flatten)]
    prepare: PrepareArgs,

    #[command(flatten)]
    target: TargetArgs,

    /// Print what would be applied, and say what would be done; nothing is started. With `=server` the
    /// API server is asked what it would say to it
    #[arg(long, value_enum, value_name = "BY", num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "client")]
    dry_run: Option<DryRun>,

    /// How to print the results
    #[arg(long, value_enum, default_value_t)]
    format: Format,

    /// The run's directory [default: netplan-results/<plan>-<time>-<id>]
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
}

/// Who judges what would be applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum DryRun {
    Client,
    Server,
}

pub(super) fn execute(args: &RunArgs) -> Result<Exit, CliError> {
    let namespace = args.target.kubernetes.namespace.as_deref();
    let prepared = args.prepare.prepare(namespace)?;
    let predicted = tools::forecast(&prepared.plan, &prepared.schedule);
    let runtime = super::runtime()?;
    let target = runtime.block_on(args.target.resolve())?;
    let what = what(&prepared, &target, predicted);
    if let Some(by) = args.dry_run {
        if by == DryRun::Server {
            runtime.block_on(target.dry_run(&prepared))?;
        }
        return dry_run(&prepared, &what);
    }
    runtime.block_on(target.preflight(&prepared))?;

    let path = args.output.clone().unwrap_or_else(|| {
        RunDir::default_path(&prepared.plan.name, Timestamp::now(), &prepared.run.id)
    });
    let dir = RunDir::create(path).map_err(anyhow::Error::from)?;
    dir.write(file::PLAN, &prepared.plan_text)
        .map_err(anyhow::Error::from)?;
    let mut journal = Journal::create(dir.path()).map_err(anyhow::Error::from)?;
    printer::note(&what);

    let mut progress = Progress::new(&prepared.plan, &prepared.schedule);
    let lived = runtime.block_on(live::run(
        &prepared,
        target,
        &dir,
        &mut journal,
        &mut progress,
    ));
    drop(journal);
    progress.end();
    // What was measured is shown and stored, however the run ended.
    let report = stored::has_events(&dir)
        .then(|| show(&dir, args.format))
        .transpose();
    if lived?.interrupted {
        match report {
            Ok(None) => printer::note("interrupted before anything was measured"),
            Ok(Some(_)) => {}
            // The terminal may be what has gone.
            Err(error) => printer::warning(&printer::chain(&error)),
        }
        return Ok(Exit::Interrupted);
    }
    Ok(match report? {
        Some(report) if report.is_complete() && !report.has_failures() => Exit::Well,
        _ => Exit::CellsFailed,
    })
}

/// Prints the results, and writes what is derived from the journal; in this order, because a disk
/// may be full.
fn show(dir: &RunDir, format: Format) -> anyhow::Result<Report> {
    let report = stored::report(dir)?;
    printer::results(&format.render(&report, printer::width(), printer::colour_stdout())?)?;
    stored::write_derived(dir, &report)?;
    printer::note(&format!(
        "result.csv, samples.csv and all else: {}",
        dir.path().display()
    ));
    Ok(report)
}

fn dry_run(prepared: &Prepared, what: &str) -> Result<Exit, CliError> {
    printer::results(&render::stream(&prepared.manifests))?;
    printer::note(&format!(
        "dry run: would apply these {} objects: {what}",
        prepared.manifests.len()
    ));
    Ok(Exit::Well)
}

fn what(prepared: &Prepared, target: &Target, predicted: Forecast) -> String {
    format!(
        "run {} of `{}`: {} in {}, {}, {}",
        prepared.run.id,
        prepared.plan.name,
        count(prepared.schedule.cells.len(), "cell"),
        count(prepared.schedule.rows.len(), "row"),
        in_words(predicted),
        target.words()
    )
}

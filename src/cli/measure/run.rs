//! `netplan run`: the whole job.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::{Args, ValueEnum};
use jiff::Timestamp;

use super::lifecycle;
use super::other_runs::{self, OtherRuns};
use super::owned_run;
use super::preflight::Checkup;
use super::prepare::{MakeArgs, Prepared};
use super::resume::Resumed;
use super::target::{Target, TargetArgs};
use crate::cli::during;
use crate::cli::error::{CliError, Exit};
use crate::cli::help::complete;
use crate::cli::kubernetes::run_lookup;
use crate::cli::plan::{plan_args, render};
use crate::cli::progress::{Progress, forecast_text, ignore_early_requests};
use crate::cli::results::artifacts;
use crate::cli::results::collect::{self, OutputArgs};
use crate::cli::terminal::confirm::Answer;
use crate::cli::terminal::printer;
use crate::cli::watch::Followed;
use crate::diag::count;
use crate::results::run_dir::file;
use crate::results::{Journal, RunDir};
use crate::schedule::Forecast;
use crate::tools;

/// Run a plan: start the workers, measure the whole matrix, print and store the results
///
/// Runs on the Kubernetes cluster of the current kubeconfig, or on this machine, in network namespaces that vanish
/// with the run. If neither `--on` nor `--context` is given, it says which, and asks at a terminal before it starts
/// on a cluster that is not on this machine. It creates the namespace if it is missing, and removes it at the end if
/// it created it. Ctrl-C stops the run and stores and shows what was measured. On Kubernetes the run continues if
/// the terminal closes: `netplan attach` returns to it. The signal SIGUSR1 shows what is running, and so does the
/// key `t` if there is a status line.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  netplan run plans/default.yaml
  netplan run plans/default.yaml --only 'tool=iperf3,path=hairpin'
  netplan run plans/default.yaml --set defaults.duration=5s --set local.nodes=3
  netplan run plans/default.yaml --format csv > result.csv
  netplan run plans/default.yaml --on kubernetes --context kind-dev --namespace bench
  netplan run plans/default.yaml --on kubernetes --detach
  netplan run --resume                    the latest run that was cut off
  netplan run --resume netplan-results/default-20261122T190000Z-0badcafe
  netplan run plans/default.yaml --dry-run

Exit codes: 0 success; 1 it could not run; 2 the command line or the plan is wrong;
3 it ran and some cells failed or are missing; 4 an expectation fell short (if only because its cell
failed or is missing: 3); 130 interrupted.
A cell is skipped if a worker lacks the tool, or has one that cannot measure it, e.g. because it is
too old. Skipped cells do not count as failed: the code stays 0, but an expectation on one falls
short (4).")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of the command line"
)]
pub(in crate::cli) struct RunArgs {
    /// The plan; `-` reads standard input
    #[arg(required_unless_present = "resume", add = complete::plans())]
    plan: Option<PathBuf>,

    /// Override a value of the plan, e.g. tests.0.duration=1s; may be given several times
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,

    #[command(flatten)]
    make: MakeArgs,

    #[command(flatten)]
    target: TargetArgs,

    /// Print what would be applied, and say what would be done, but start nothing. `=server` asks the API
    /// server whether it would accept it
    #[arg(long, value_enum, value_name = "BY", num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "client")]
    dry_run: Option<DryRun>,

    /// Do not ask before a run on a cluster that is not on this machine
    #[arg(long, short)]
    yes: bool,

    /// Return as soon as the run measures, and let it continue by itself; `netplan attach` returns to it.
    /// Only with Kubernetes
    #[arg(long, conflicts_with_all = ["output", "format", "dry_run"])]
    detach: bool,

    /// Start when no other run measures on the cluster. Only with Kubernetes
    #[arg(long, conflicts_with = "dry_run")]
    wait: bool,

    /// Give the run to this Job of its namespace: the run is removed with the Job, and has an id made of the Job's
    /// uid, so that a repeated start finds it instead of starting another one. Only with Kubernetes
    #[arg(
        long,
        value_name = "JOB",
        requires = "detach",
        conflicts_with = "resume"
    )]
    owner: Option<String>,

    /// Leave all objects in the cluster at the end. Only with Kubernetes
    #[arg(long, conflicts_with = "detach")]
    keep: bool,

    /// Continue the run of this directory, which was cut off, and keep what was measured. The run has its
    /// own plan; PLAN, if given, must be the same [default: the latest in netplan-results/ that was cut off]
    #[arg(long, value_name = "DIR", conflicts_with = "output", num_args = 0..=1)]
    #[arg(add = complete::unfinished_run_directories())]
    #[expect(clippy::option_option, reason = "left out, without a value, with one")]
    resume: Option<Option<PathBuf>>,

    #[command(flatten)]
    output: OutputArgs,
}

impl RunArgs {
    fn needs_kubernetes(&self) -> Option<&'static str> {
        let options = [
            (self.detach, "--detach"),
            (self.keep, "--keep"),
            (self.wait, "--wait"),
            (self.owner.is_some(), "--owner"),
        ];
        let needs = options.into_iter().find(|(is_given, _)| *is_given);
        needs.map(|(_, option)| option)
    }
}

/// Who judges what would be applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum DryRun {
    Client,
    Server,
}

pub(in crate::cli) fn execute(args: &RunArgs) -> Result<Exit, CliError> {
    let namespace = args.target.namespace.as_deref();
    let given = match &args.plan {
        Some(file) => Some(plan_args::load_file(file, &args.set)?),
        None => None,
    };
    let directory = match &args.resume {
        Some(Some(directory)) => Some(directory.clone()),
        Some(None) => Some(artifacts::latest("run that was cut off", |run| {
            !run.is_complete
        })?),
        None => None,
    };
    let mut resumed = match &directory {
        Some(directory) => match Resumed::open(directory)? {
            Some(resumed) => Some(resumed),
            None => return is_complete(directory, &args.output),
        },
        None => None,
    };
    let file = match (&resumed, given) {
        (Some(resumed), given) => resumed.must_be(
            given,
            &args.set,
            args.make.selection.only.as_deref(),
            namespace,
        )?,
        (None, Some(plan)) => plan,
        (None, None) => return Err(CliError::Usage("give a plan".to_owned())),
    };
    let begun = resumed.as_ref().map(|resumed| &resumed.begun);
    // The cluster's nodes may decide how many workers there are; else all mistakes are found before
    // a cluster is asked.
    let prepared = if file.depends_on_nodes() {
        None
    } else {
        Some(args.make.prepare(&file, namespace, begun)?)
    };
    let runtime = crate::cli::runtime()?;
    runtime.block_on(async { ignore_early_requests() });
    let target = runtime.block_on(async {
        let namespace = namespace.unwrap_or(&file.kubernetes.namespace);
        match &resumed {
            Some(resumed) => resumed.target(&args.target, namespace).await,
            None => Ok(args.target.resolve(namespace).await?),
        }
    })?;
    if let (Target::Local, Some(option)) = (&target, args.needs_kubernetes()) {
        return Err(CliError::Usage(format!(
            "{option} needs Kubernetes: on this machine the run's namespaces vanish with this process; \
             leave it out, or name a cluster with `--on kubernetes`"
        )));
    }
    if !args.yes && args.dry_run.is_none() {
        match runtime.block_on(args.target.confirm(&target))? {
            Answer::Yes => {}
            Answer::No => {
                return Err(anyhow!(
                    "nothing was started; `--on local` runs on this machine, `--context` names another cluster"
                )
                .into());
            }
            Answer::Interrupted => return Ok(Exit::Interrupted),
        }
    }
    let owner = match (&args.owner, &target) {
        (Some(job), Target::Kubernetes(connection)) => {
            let namespace = namespace.unwrap_or(&file.kubernetes.namespace);
            let owner = runtime.block_on(connection.owner(namespace, job));
            Some(owner.map_err(anyhow::Error::from)?)
        }
        _ => None,
    };
    let only = args.make.selection.only.as_deref();
    let with_id = owner.as_ref().map(|job| owned_run::begun(job, only));
    let mut prepared = match (prepared, &target) {
        (Some(prepared), _) if with_id.is_none() => prepared,
        (None, Target::Kubernetes(connection)) => {
            let jobs = args.make.group_jobs(&file)?;
            let nodes = runtime.block_on(connection.group_capacity(&jobs));
            let file = file.with_nodes(nodes.map_err(anyhow::Error::from)?);
            let file = file.map_err(anyhow::Error::from)?;
            args.make.prepare(&file, namespace, with_id.as_ref())?
        }
        _ => args.make.prepare(&file, namespace, with_id.as_ref())?,
    };
    if let Target::Kubernetes(_) = target {
        during::needs_local(&prepared.plan)?;
        prepared.patch_pods()?;
    }
    if let Some(list) = prepared.trusted_objects() {
        printer::note(&list);
    }
    if args.detach {
        during::needs_command_line(&prepared.plan, "--detach")?;
    } else if args.dry_run.is_none() {
        during::needs_terminal(&prepared.plan, printer::has_status_line())?;
    }
    let predicted = tools::forecast(&prepared.plan, &prepared.schedule);
    let cells = prepared.schedule.cells.len();
    let ended = resumed.as_ref().map_or(0, Resumed::ended);
    let predicted = predicted.share(cells.saturating_sub(ended) as f64 / cells.max(1) as f64);
    let what = what(&prepared, &target, predicted);
    if let Some(by) = args.dry_run {
        if by == DryRun::Server {
            runtime.block_on(target.preflight(&prepared))?;
            runtime.block_on(target.dry_run(&prepared))?;
        } else if let Target::Local = target {
            Checkup::for_local_run(&prepared).warn();
        }
        return dry_run(&prepared, &what);
    }
    let connection = match &target {
        Target::Kubernetes(connection) => Some(connection.clone()),
        Target::Local => None,
    };
    if let (Some(_), Some(connection)) = (&owner, &connection)
        && runtime.block_on(owned_run::is_there(connection, &prepared))?
    {
        printer::note(&detached_text(&prepared));
        return Ok(Exit::Well);
    }
    // What the others have may be free afterwards, e.g. their share of a quota.
    if let (true, Some(connection)) = (args.wait, &connection) {
        runtime.block_on(other_runs::wait(connection, &prepared.run.id))?;
    }
    runtime.block_on(target.preflight(&prepared))?;
    let mut others = OtherRuns::default();
    if let (false, Some(connection)) = (args.wait, &connection) {
        runtime.block_on(others.warn(connection, &prepared.run.id));
    }
    if args.detach {
        if let Some(resumed) = resumed.take() {
            resumed.into_journal()?;
        }
        printer::note(&what);
        let followed = runtime.block_on(lifecycle::start(&prepared, target, owner))?;
        return Ok(started(&prepared, followed));
    }

    let progress = Progress::new(&prepared.plan, &prepared.schedule);
    let (dir, journal) = if let Some(resumed) = resumed.take() {
        for event in resumed.events() {
            progress.past(&event.kind);
        }
        resumed.into_journal()?
    } else {
        new_directory(args, &prepared)?
    };
    printer::note(&what);
    let followed = runtime.block_on(lifecycle::run(
        &prepared, target, &dir, journal, &progress, args.keep, None,
    ));
    if let (Some(connection), Ok(_)) = (&connection, &followed) {
        runtime.block_on(others.warn_at_end(connection, &prepared.run.id));
    }
    if args.keep {
        printer::note(&collect::kept(&prepared.run.id, &prepared.run.namespace));
    }
    // What was measured is shown and stored, however the run ended.
    let report = artifacts::has_events(&dir)
        .then(|| collect::show(&dir, &args.output))
        .transpose();
    match followed? {
        Followed::Over | Followed::Enough => {}
        Followed::Interrupted => {
            match report {
                Ok(None) => printer::note("interrupted before anything was measured"),
                Ok(Some(_)) => {}
                // The terminal may be what has gone.
                Err(error) => printer::warning(&printer::chain(&error)),
            }
            return Ok(Exit::Interrupted);
        }
        Followed::Detached => {
            printer::note(&detached_text(&prepared));
            return Ok(Exit::Interrupted);
        }
    }
    Ok(match report? {
        Some(report) => args.output.verdict.exit(&report),
        None => Exit::CellsFailed,
    })
}

fn new_directory(args: &RunArgs, prepared: &Prepared) -> anyhow::Result<(RunDir, Journal)> {
    let path = args.output.output.clone().unwrap_or_else(|| {
        RunDir::default_path(&prepared.plan.name, Timestamp::now(), &prepared.run.id)
    });
    let dir = RunDir::create(path)?;
    // First: whoever has the journal's lock has the directory.
    let journal = Journal::create(dir.path())?;
    dir.write(file::PLAN, &prepared.plan_text)?;
    Ok((dir, journal))
}

/// There is nothing to continue.
fn is_complete(dir: &Path, output: &OutputArgs) -> Result<Exit, CliError> {
    let dir = RunDir::open(dir).map_err(anyhow::Error::from)?;
    printer::note("the run is complete: there is nothing left to measure");
    let report = collect::show(&dir, output)?;
    Ok(output.verdict.exit(&report))
}

/// The message for a run that was started to continue by itself.
fn started(prepared: &Prepared, followed: Followed) -> Exit {
    if followed == Followed::Interrupted {
        printer::note("interrupted; all that was made is removed");
        return Exit::Interrupted;
    }
    printer::note(&detached_text(prepared));
    Exit::Well
}

fn detached_text(prepared: &Prepared) -> String {
    let id = &prepared.run.id;
    let way = |subcommand, does: &str| {
        let command = run_lookup::command_in(subcommand, id, &prepared.run.namespace);
        format!("\n  {command:<44} {does}")
    };
    let log = format!(
        "kubectl logs --namespace {} --follow job/{}",
        prepared.run.namespace,
        prepared.run.orchestrator()
    );
    [
        format!("run {id} continues by itself"),
        way(
            "attach",
            "shows it live, and collects its results at the end",
        ),
        way("cancel", "stops it; what was measured can be collected"),
        way(
            "clean",
            "removes it once it has ended; with --force at once",
        ),
        format!("\n  {log}"),
    ]
    .concat()
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
        forecast_text(predicted),
        target.describe()
    )
}

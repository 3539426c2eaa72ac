//! `netplan compare`: the command line, and the exit code.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::floor_file;
use super::format::Format;
use super::sides::{Loader, file_name};
use crate::cli::error::{CliError, Exit};
use crate::cli::help::complete;
use crate::cli::terminal::printer;
use crate::compare::{self, Floors, Limit, Options, Outcome, Side};
use crate::diag::{did_you_mean, list, quote};

/// Compare runs: did it get slower?
///
/// Each side is the directory of a run, or a folder of runs of one setup. Cells are matched by their ids. With two or
/// more runs a side, each test and path is answered `slower`, `faster`, `alike` or `undecided`, with the change that the
/// comparison would have found. Between different machines ratios of paths are compared instead of figures.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  netplan compare BASE NEW                            two runs, or two folders of runs
  netplan compare --base a b c --new d e f            several runs a side
  netplan compare cni/*                               each with the first, or the one of --base
  netplan compare BASE NEW --fail-on 5%               exit code 4 if a path is more than 5 % worse
  netplan compare BASE NEW --fail-on hairpin=10% --fail-on latency.p99=20%
  netplan compare BASE NEW --format markdown          for a comment on a pull request
  netplan compare --calibrate netplan-results/aa      learn how much unchanged runs differ here

Exit codes: 0 not slower, or undecided; 1 it cannot be read; 2 no such run, or a wrong option;
3 a cell that BASE measured has no figure in NEW, or nothing can be compared;
4 slower; or with --fail-on worse than that; or all cells of a test on a path are lost.")]
pub(in crate::cli) struct CompareArgs {
    /// The runs to compare, or folders of runs: BASE NEW; or a reference and any number of others
    #[arg(add = complete::run_directories(), value_name = "RUN")]
    sides: Vec<PathBuf>,

    /// The runs of the side to compare with; without --new the reference for all others
    #[arg(long, num_args = 1.., value_name = "RUN", add = complete::run_directories())]
    base: Vec<PathBuf>,

    /// The runs of the new side
    #[arg(long, num_args = 1.., value_name = "RUN", add = complete::run_directories())]
    new: Vec<PathBuf>,

    /// Compare these cells only, e.g. `path=hairpin,tool=iperf3`
    #[arg(long, value_name = "SELECTION")]
    only: Option<String>,

    /// Fail if something is worse by more than this: `5%`, or of a path, test or metric `NAME=5%`
    #[arg(long, value_name = "LIMIT")]
    fail_on: Vec<String>,

    /// How to count an undecided answer
    #[arg(long, value_enum, value_name = "AS", default_value_t)]
    undecided: Undecided,

    /// Compare figures although the machines differ
    #[arg(long, conflicts_with = "other_machine")]
    same_machine: bool,

    /// Compare ratios of paths although the machines are alike
    #[arg(long)]
    other_machine: bool,

    /// The file of A/A floors [default: netplan/floors.json in `$XDG_STATE_HOME` or `~/.local/state`]
    #[arg(long, value_name = "FILE")]
    floor: Option<PathBuf>,

    /// Store how much these runs of one unchanged setup differ: the A/A floor of their machine
    #[arg(long, num_args = 1.., value_name = "RUN", add = complete::run_directories(), conflicts_with_all = ["sides", "base", "new", "only", "fail_on", "undecided", "same_machine", "other_machine", "format"])]
    calibrate: Vec<PathBuf>,

    /// How to print the comparison
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Undecided {
    /// It is shown, and does not fail
    #[default]
    Pass,
    /// Count it as slower
    Fail,
}

pub(in crate::cli) fn execute(args: &CompareArgs) -> Result<Exit, CliError> {
    if !args.calibrate.is_empty() {
        return calibrate(args);
    }
    let limits = args.fail_on.iter().map(|text| Limit::parse(text));
    let limits: Result<Vec<Limit>, _> = limits.collect();
    let limits = limits.map_err(|error| CliError::Usage(error.to_string()))?;
    let mut loader = Loader::new(args.only.as_deref());
    let sides = sides(args, &mut loader)?;
    check_limits(&limits, &sides)?;
    if !args.same_machine && !args.other_machine {
        check_machines(&sides)?;
    }
    let floors = match floor_path(args) {
        Some(path) => floor_file::read(&path)?,
        None => Floors::default(),
    };
    let options = Options {
        only: loader.selected()?,
        same_machine: match (args.same_machine, args.other_machine) {
            (true, _) => Some(true),
            (_, true) => Some(false),
            _ => None,
        },
        limits,
        undecided_fails: args.undecided == Undecided::Fail,
    };
    let mut sides = sides.into_iter();
    let base = sides.next().ok_or_else(too_few)?;
    let comparison = compare::compare(base, sides.collect(), options, &floors);
    args.format.print(&comparison)?;
    Ok(match comparison.outcome() {
        Outcome::Well => Exit::Well,
        Outcome::CellsLost => Exit::CellsFailed,
        Outcome::Worse => Exit::FellShort,
    })
}

fn too_few() -> CliError {
    CliError::Usage(
        "there is nothing to compare: name two runs, `netplan compare BASE NEW`, or several a side, `netplan compare \
         --base A B --new C D`"
            .to_owned(),
    )
}

/// The reference first.
fn sides(args: &CompareArgs, loader: &mut Loader<'_>) -> Result<Vec<Side>, CliError> {
    if !args.new.is_empty() && (!args.sides.is_empty() || args.base.is_empty()) {
        return Err(CliError::Usage(
            "`--new` needs its other side in `--base`: `netplan compare --base A B --new C D`"
                .to_owned(),
        ));
    }
    if !args.new.is_empty() {
        return Ok(vec![
            loader.side("base", &args.base)?,
            loader.side("new", &args.new)?,
        ]);
    }
    let mut columns: Vec<&[PathBuf]> = args.sides.chunks(1).collect();
    if !args.base.is_empty() {
        // Of `compare cni/* --base cni/calico` the reference is not compared with itself.
        columns.retain(|column| !args.base.iter().any(|base| is_same(base, &column[0])));
        columns.insert(0, &args.base);
    }
    if columns.len() < 2 {
        return Err(match args.base.len() {
            0 | 1 => too_few(),
            all => CliError::Usage(format!(
                "`--base` takes all {all} runs that follow it, so that there is nothing to compare; name the other side \
                 with `--new`, or put `--base RUN` last"
            )),
        });
    }
    let two = columns.len() == 2;
    let mut sides = Vec::new();
    for (nth, paths) in columns.iter().enumerate() {
        let mut side = loader.side("", paths)?;
        side.name = match paths {
            [path] => column_name(path, &side, two.then_some(nth)),
            _ => "base".to_owned(),
        };
        sides.push(side);
    }
    let names: HashSet<String> = sides.iter().map(|side| side.name.clone()).collect();
    if names.len() < sides.len() {
        // Folders of one name, e.g. `old/results` and `new/results`.
        for (nth, (side, paths)) in sides.iter_mut().zip(&columns).enumerate() {
            side.name = match (two, nth, paths) {
                (true, 0, _) => "base".to_owned(),
                (true, ..) => "new".to_owned(),
                (false, _, [path, ..]) => path.display().to_string(),
                (false, _, []) => side.name.clone(),
            };
        }
    }
    Ok(sides)
}

fn is_same(one: &Path, two: &Path) -> bool {
    let whole = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    whole(one) == whole(two)
}

/// What people call the runs of a folder: its name; but `base` and `new`, or the run's id, where the name is one that
/// netplan makes.
fn column_name(path: &Path, side: &Side, of_two: Option<usize>) -> String {
    let name = file_name(path);
    let made = match side.runs.as_slice() {
        [run] => name.ends_with(&format!("-{}", run.id)).then_some(&run.id),
        _ => None,
    };
    match (made, of_two) {
        (None, _) => name,
        (Some(_), Some(0)) => "base".to_owned(),
        (Some(_), Some(_)) => "new".to_owned(),
        (Some(id), None) => id.clone(),
    }
}

/// A limit that concerns nothing would let everything pass.
fn check_limits(limits: &[Limit], sides: &[Side]) -> Result<(), CliError> {
    let known = compare::nameable(sides);
    let mut names = limits.iter().flat_map(|limit| &limit.names);
    let Some(name) = names.find(|name| !known.contains(*name)) else {
        let Some(limit) = limits.iter().find(|limit| !limit.fits_any(sides)) else {
            return Ok(());
        };
        return Err(CliError::Usage(format!(
            "`--fail-on {}=…` fits nothing: no test, path and metric of these runs has all of these names;              `netplan report RUN` shows them",
            limit.names.join("/")
        )));
    };
    let near = did_you_mean(name, known.iter().map(String::as_str));
    let help = near.map_or_else(
        || {
            format!(
                "there are {}",
                list(&known.iter().map(String::as_str).collect::<Vec<_>>())
            )
        },
        |near| format!("did you mean `{near}`?"),
    );
    Err(CliError::Usage(format!(
        "`--fail-on` names {}, which is not a test, path or metric of these runs; {help}",
        quote(name)
    )))
}

/// The runs of a side are taken for runs of one setup.
fn check_machines(sides: &[Side]) -> Result<(), CliError> {
    match sides.iter().find_map(Side::machines_differ) {
        None => Ok(()),
        Some(differ) => Err(CliError::Usage(format!(
            "{differ}, and are on one side; put them on different sides, or compare all figures with `--same-machine`"
        ))),
    }
}

fn floor_path(args: &CompareArgs) -> Option<PathBuf> {
    args.floor.clone().or_else(floor_file::default_path)
}

fn calibrate(args: &CompareArgs) -> Result<Exit, CliError> {
    let path = floor_path(args).ok_or_else(|| {
        CliError::Usage("there is no home directory; name the file with `--floor FILE`".to_owned())
    })?;
    let side = Loader::new(None).side("calibration", &args.calibrate)?;
    let floor = compare::calibrate(&side).map_err(|error| CliError::Usage(error.to_string()))?;
    let mut floors = floor_file::read(&path)?;
    let (machine, entries) = (floor.machine.to_string(), floor.entries.len());
    floors.set(floor);
    floor_file::write(&path, &floors)?;
    printer::note(&format!(
        "stored how much {} runs differ in {entries} figures on {machine}: {}",
        side.runs.len(),
        path.display()
    ));
    Ok(Exit::Well)
}

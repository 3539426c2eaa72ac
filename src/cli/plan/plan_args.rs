//! What every command that reads a plan takes.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use clap::Args;

use crate::cli::error::CliError;
use crate::cli::help::complete;
use crate::diag::Source;
use crate::files;
use crate::plan::{self, Order, Plan, PlanFile, SourceEnv, Unreadable};
use crate::schedule::{Schedule, Selection};
use crate::tools;

/// A longer text is refused; an endless one is not read to its end.
const READ_AT_MOST_BYTES: u64 = 8 << 20;
/// A plan in a FIFO, such as a shell's `<(command)`, must end within this.
const READS_WITHIN: Duration = Duration::from_secs(60);

#[derive(Debug, Args)]
pub(in crate::cli) struct PlanArgs {
    /// The plan; `-` reads standard input
    #[arg(add = complete::plans())]
    plan: PathBuf,

    /// Override a value of the plan, e.g. tests.0.duration=1s; may be given several times
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct SelectionArgs {
    /// Only these cells, e.g. 'tool=iperf3,path=hairpin' (comma: and; | : or)
    #[arg(long, value_name = "SELECTION")]
    pub only: Option<String>,
}

impl PlanArgs {
    /// Reads and checks the plan; see [`load_file`].
    pub fn load_file(&self) -> Result<PlanFile, CliError> {
        load_file(&self.plan, &self.set)
    }

    /// The plan for the nodes of the local cluster.
    pub fn load(&self) -> Result<Plan, CliError> {
        Ok(self.load_file()?.expand())
    }
}

/// Reads and checks the plan of a file, with overrides. Draws the seed that a shuffled
/// plan leaves open, so that whatever is made of the plan has the same one.
pub(in crate::cli) fn load_file(file: &Path, set: &[String]) -> Result<PlanFile, CliError> {
    let mut plan = plan::load_file(&Here, source(file)?, set)?;
    let draws = plan.order == Order::Shuffled || !plan.variants.is_empty();
    if draws && plan.seed.is_none() {
        // 32 bits are orders enough, and short enough to be typed.
        let seed = getrandom::u32().context("the system gave no random bytes for the seed")?;
        plan.seed = Some(u64::from(seed));
    }
    if plan.tests.iter().any(|test| test.together)
        && let Some(problem) = tools::port_conflict(&plan.clone().expand())
    {
        return Err(CliError::usage(problem));
    }
    Ok(plan)
}

/// The files of this machine, and the environment of this process.
struct Here;

impl SourceEnv for Here {
    fn read(&self, file: &Path) -> Result<String, Unreadable> {
        Ok(files::read_text(file, READ_AT_MOST_BYTES)?)
    }

    fn files(&self, folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let files = entries.filter(|entry| entry.path().is_file());
        files
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect()
    }

    fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }
}

/// The text of a plan, `-` being standard input.
pub(in crate::cli) fn source(file: &Path) -> Result<Source, CliError> {
    let (name, read) = if file.as_os_str() == "-" {
        (
            "<stdin>".to_owned(),
            files::read_to_limit(std::io::stdin().lock(), READ_AT_MOST_BYTES),
        )
    } else {
        (
            file.display().to_string(),
            files::read_any(file, READ_AT_MOST_BYTES, READS_WITHIN),
        )
    };
    let bytes = read.map_err(|error| {
        let hint = match error.kind() {
            std::io::ErrorKind::NotFound => {
                format!("\n  `netplan init {name}` writes one to start from")
            }
            _ => String::new(),
        };
        CliError::Usage(format!("cannot read the plan `{name}`: {error}{hint}"))
    })?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = valid.split(|byte| *byte == b'\n').count();
        CliError::Usage(format!("{name}:{line}: the plan is not UTF-8 text"))
    })?;
    Ok(Source::new(name, text))
}

impl SelectionArgs {
    /// The selected cells of a plan.
    pub fn schedule(&self, plan: &Plan) -> Result<Schedule, CliError> {
        let selection = match &self.only {
            Some(text) => Selection::parse(text, plan).map_err(|mut problem| {
                problem.what = format!("--only '{text}': {}", problem.what);
                CliError::usage(problem)
            })?,
            None => Selection::all(),
        };
        Ok(Schedule::new(plan, &selection))
    }
}

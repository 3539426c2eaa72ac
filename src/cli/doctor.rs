//! `netplan doctor`: can this machine run it? What is missing, and the command that installs it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;

use super::error::{CliError, Exit};
use super::{plan_args, preflight, printer};
use crate::cluster::local;
use crate::plan::Local;
use crate::tools::{self, Tool};

/// Say whether this machine can run plans: what is missing, and the command that installs it
///
/// Exit code 1 when anything is missing.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  netplan doctor
  netplan doctor my-plan.yaml   looks at what this plan needs, as its emulated links")]
pub(super) struct DoctorArgs {
    /// Look at what this plan needs
    plan: Option<PathBuf>,
}

pub(super) fn execute(args: &DoctorArgs) -> Result<Exit, CliError> {
    let (settings, needed): (Local, Vec<Box<dyn Tool>>) = match &args.plan {
        Some(file) => {
            let plan = plan_args::load(file, &[])?;
            (
                plan.local,
                plan.tests
                    .iter()
                    .map(|test| tools::of(&test.tool))
                    .collect(),
            )
        }
        None => (Local::default(), tools::all().into()),
    };
    let mut text = String::new();
    let mut well = true;
    let mut line = |missing: Option<String>, what: &str| {
        well &= missing.is_none();
        let (sign, said) = match missing {
            Some(trouble) => ('✗', trouble),
            None => ('✓', "ready".to_owned()),
        };
        // Writing into a String cannot fail.
        let _ = writeln!(text, "{sign} {what}: {said}");
    };
    let troubles = local::preflight(Path::new(preflight::PROGRAM), &settings);
    if troubles.is_empty() {
        line(None, "local cluster");
    }
    for trouble in troubles {
        line(Some(trouble.to_string()), "local cluster");
    }
    let mut seen = Vec::new();
    for tool in &needed {
        if !seen.contains(&tool.name()) {
            seen.push(tool.name());
            let missing = preflight::missing(tool.as_ref()).map(|trouble| trouble.to_string());
            line(missing, tool.name());
        }
    }
    printer::results(&text)?;
    Ok(if well { Exit::Well } else { Exit::CouldNotRun })
}

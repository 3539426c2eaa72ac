//! `netplan history accept`, and the file of accepted changes.

use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;

use super::summaries;
use crate::cli::error::{CliError, Exit};
use crate::cli::terminal::printer;
use crate::diag::{did_you_mean, quote};
use crate::files::{self, Durability};
use crate::history::{Acceptance, Acceptances};
use crate::results::run_dir::DEFAULT_PARENT;

/// Where accepted changes are by default, under the current directory.
const ACCEPTED: &str = "netplan-accepted.json";
/// A larger file is not one of accepted changes.
const LARGEST_ACCEPTED_BYTES: u64 = 1 << 20;
/// Permissions of the file, less the umask.
const MODE: u32 = 0o666;

#[derive(Debug, Args)]
pub(super) struct AcceptedArgs {
    /// The file of accepted changes
    #[arg(long, value_name = "FILE", default_value = ACCEPTED)]
    pub accepted: PathBuf,
}

/// Accept the change at a run: from this run on, the new level is the right one
///
/// Writes the run and the reason to a file. Commit it, so that everybody's history has it.
#[derive(Debug, Args)]
pub(super) struct AcceptArgs {
    /// The id of the first run at the new level, as `netplan history` names it
    run: String,

    /// Why the change is as it should be
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    because: String,

    /// The folder that holds the directories of the runs
    #[arg(long = "in", value_name = "DIR", default_value = DEFAULT_PARENT, value_hint = clap::ValueHint::DirPath)]
    dir: PathBuf,

    #[command(flatten)]
    accepted: AcceptedArgs,
}

fn reason(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("say why; `netplan history` shows the text beside the change".to_owned()),
        text => Ok(text.to_owned()),
    }
}

pub(super) fn execute(args: &AcceptArgs) -> Result<Exit, CliError> {
    let mut accepted = args.accepted.read_if_there()?.unwrap_or_default();
    let runs = summaries::read(&args.dir, "name another one with `--in DIR`")?;
    if !runs.iter().any(|run| run.run == args.run) {
        return Err(unknown_run(args, runs.iter().map(|run| run.run.as_str())));
    }
    accepted.add(Acceptance {
        run: args.run.clone(),
        because: args.because.clone(),
    });
    let text = accepted.to_json().map_err(anyhow::Error::from)?;
    let file = &args.accepted.accepted;
    files::replace(file, MODE, Durability::Synced, |file| {
        io::Write::write_all(file, text.as_bytes())
    })
    .with_context(|| format!("cannot write `{}`", file.display()))?;
    printer::note(&format!(
        "accepted the change at run {} in `{}`; commit this file",
        args.run,
        file.display()
    ));
    Ok(Exit::Well)
}

fn unknown_run<'a>(args: &AcceptArgs, ids: impl Iterator<Item = &'a str>) -> CliError {
    let mut help = match did_you_mean(&args.run, ids) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "name the id that `netplan history` prints beside a finding".to_owned(),
    };
    if args.dir == Path::new(DEFAULT_PARENT) {
        help += "; name the folder of other runs with `--in DIR`";
    }
    CliError::Usage(format!(
        "there is no run {} in `{}`; {help}",
        quote(&args.run),
        args.dir.display()
    ))
}

impl AcceptedArgs {
    pub fn is_default(&self) -> bool {
        self.accepted == Path::new(ACCEPTED)
    }

    /// What the file accepts. Only the default one may be missing: then nothing is accepted.
    pub fn read(&self) -> Result<Acceptances, CliError> {
        match self.read_if_there()? {
            Some(acceptances) => Ok(acceptances),
            None if self.is_default() => Ok(Acceptances::default()),
            None => Err(CliError::Usage(format!(
                "there is no file `{}`; `netplan history accept` creates it",
                self.accepted.display()
            ))),
        }
    }

    fn read_if_there(&self) -> Result<Option<Acceptances>, CliError> {
        let file = self.accepted.display();
        let text = match files::read_regular(&self.accepted, LARGEST_ACCEPTED_BYTES) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                let error = anyhow::Error::from(error);
                return Err(error.context(format!("cannot read `{file}`")).into());
            }
        };
        let acceptances = Acceptances::from_json(&text);
        acceptances
            .map(Some)
            .map_err(|error| CliError::Usage(format!("`{file}`: {error}")))
    }
}

//! `netplan man`: the manual pages, for packagers.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

use super::error::{CliError, Exit};
use super::invocation::Invocation;
use super::printer;

/// Print the manual page, or write one for each command into a folder
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  netplan man | man -l -
  netplan man --output /usr/share/man/man1")]
pub(super) struct ManArgs {
    /// Write `netplan.1`, `netplan-run.1`, … into this folder
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
}

pub(super) fn execute(args: &ManArgs) -> Result<Exit, CliError> {
    let command = Invocation::current().command();
    if let Some(folder) = &args.output {
        std::fs::create_dir_all(folder)
            .and_then(|()| clap_mangen::generate_to(command, folder))
            .with_context(|| format!("cannot write manual pages to `{}`", folder.display()))?;
    } else {
        let mut page = Vec::new();
        clap_mangen::Man::new(command)
            .render(&mut page)
            .map_err(anyhow::Error::from)?;
        printer::results(&String::from_utf8_lossy(&page))?;
    }
    Ok(Exit::Well)
}

//! `netplan man`: the manual pages, for packagers.

mod after_help;
mod page;
mod reference;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, Command};
use jiff::Timestamp;

use super::invocation::Invocation;
use crate::cli::error::{CliError, Exit};
use crate::cli::terminal::printer;
use crate::files::{self, Durability};

/// Print the manual page, or write one for each command into a folder
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  netplan man | man -l -
  netplan man --output /usr/share/man/man1")]
pub(in crate::cli) struct ManArgs {
    /// Write the pages into this folder, one for each command
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
}

/// Reproducible builds set it; seconds since 1970.
const SOURCE_DATE_EPOCH: &str = "SOURCE_DATE_EPOCH";
/// The newest heading with a date says when this version was made.
const CHANGELOG: &str = include_str!("../../../CHANGELOG.md");

pub(in crate::cli) fn execute(args: &ManArgs) -> Result<Exit, CliError> {
    let mut command = Invocation::current()
        .command()
        .disable_help_subcommand(true);
    command.build();
    let date = date()?;
    match &args.output {
        Some(folder) => std::fs::create_dir_all(folder)
            .and_then(|()| write_all(&command, &date, folder))
            .with_context(|| format!("cannot write manual pages to `{}`", folder.display()))?,
        None => printer::results(
            &page::render(&command, page::name(&command), &date).map_err(anyhow::Error::from)?,
        )?,
    }
    Ok(Exit::Well)
}

/// Writes the program's page, and one for each command that is not hidden.
fn write_all(program: &Command, date: &str, folder: &Path) -> std::io::Result<()> {
    let below = program.get_subcommands().filter(|one| !one.is_hide_set());
    let mut commands = std::iter::once(program).chain(below);
    commands.try_for_each(|command| {
        let file = folder.join(format!("{}.1", page::name(command)));
        let text = page::render(command, page::name(program), date)?;
        files::replace(&file, 0o666, Durability::Unsynced, |file| {
            file.write_all(text.as_bytes())
        })
    })
}

/// The pages' date, the same for each build of the same source.
fn date() -> Result<String, CliError> {
    let Ok(seconds) = std::env::var(SOURCE_DATE_EPOCH) else {
        return Ok(dated_heading(CHANGELOG).unwrap_or_default().to_owned());
    };
    let seconds = seconds.parse().ok();
    let at = seconds.and_then(|seconds| Timestamp::from_second(seconds).ok());
    let at = at.ok_or_else(|| {
        let message =
            format!("{SOURCE_DATE_EPOCH} is not a time in seconds since 1970; correct or unset it");
        CliError::Usage(message)
    })?;
    Ok(at.strftime("%Y-%m-%d").to_string())
}

/// The date of the first heading of a change log that has one: `## 0.1.0 (2026-11-26)`.
fn dated_heading(changelog: &str) -> Option<&str> {
    let headings = changelog.lines().filter(|line| line.starts_with("## "));
    headings.into_iter().find_map(|heading| {
        let (_, date) = heading.strip_suffix(')')?.rsplit_once('(')?;
        date.parse::<jiff::civil::Date>().is_ok().then_some(date)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_date_is_that_of_the_newest_dated_heading() {
        let text =
            "# Changelog\n\n## Unreleased\n\n## 0.2.0 (2027-01-10)\n\n## 0.1.0 (2026-11-26)\n";
        assert_eq!(dated_heading(text), Some("2027-01-10"));
        assert_eq!(dated_heading("## 0.1.0 (soon)\n"), None);
        assert!(
            dated_heading(CHANGELOG).is_some(),
            "CHANGELOG.md has no date"
        );
    }
}

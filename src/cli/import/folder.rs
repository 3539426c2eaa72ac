//! The files of a folder that a pattern is for.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};

use crate::cli::error::CliError;
use crate::import::iperf3::{Match, Pattern};

/// More files than these are not an import.
const MOST_FILES: usize = 100_000;
/// How deep files are looked for when no pattern says it.
const DEEPEST: usize = 3;
/// The endings of files when no pattern says them.
const ENDINGS: [&str; 2] = [".json", ".json.gz"];

/// A file that the pattern is for.
pub(super) struct Found {
    pub path: PathBuf,
    pub place: Match,
}

/// The files of a folder that the pattern is for, by their paths. Without one it is chosen by the depth of the JSON files.
///
/// # Errors
/// When there is none, when there are too many, and when a folder cannot be read.
pub(super) fn files(folder: &Path, pattern: Option<&Pattern>) -> Result<Vec<Found>, CliError> {
    let mut walk = Walk {
        pattern,
        found: Vec::new(),
        other: None,
    };
    let depth = pattern.map_or(DEEPEST, Pattern::depth);
    walk.add(folder, "", depth)
        .with_context(|| format!("cannot read the folder `{}`", folder.display()))?;
    let Walk {
        found: mut names,
        other,
        ..
    } = walk;
    if names.len() >= MOST_FILES {
        return Err(CliError::Failed(anyhow!(
            "`{}` has {MOST_FILES} files or more; name a folder below it",
            folder.display()
        )));
    }
    names.sort();
    let chosen;
    let pattern = if let Some(pattern) = pattern {
        pattern
    } else {
        chosen = by_depth(folder, &names)?;
        &chosen
    };
    if names.is_empty() {
        let other = other.map_or_else(String::new, |name| {
            format!(
                "; write the pattern of names such as `{name}`, e.g. `{{column}}/{{run}}/{{cell}}.json`"
            )
        });
        return Err(CliError::Usage(format!(
            "no file in `{}` matches the pattern `{}`{other}",
            folder.display(),
            pattern.text(),
        )));
    }
    let found = names.iter().filter_map(|name| {
        Some(Found {
            path: folder.join(name),
            place: pattern.read(name)?,
        })
    });
    Ok(found.collect())
}

/// The pattern for files that all are at the same depth.
fn by_depth(folder: &Path, names: &[String]) -> Result<Pattern, CliError> {
    let depths = names.iter().map(|name| name.split('/').count());
    let (least, most) = (depths.clone().min(), depths.max());
    let usage = |what: &str| {
        CliError::Usage(format!(
            "{what} in `{}`; say which part of a path is the column, the run and the cell, e.g. \
             `--pattern '{{column}}/{{run}}/{{cell}}.json'`",
            folder.display()
        ))
    };
    let Some(depth) = most else {
        let folder = folder.display();
        return Err(CliError::Usage(format!(
            "there is no file `*.json` or `*.json.gz` in `{folder}`; choose files of other names with `--pattern`, e.g. \
             `--pattern '{{cell}}.txt'`; nptest's CSV is imported file by file: `netplan import {folder}/*.csv`"
        )));
    };
    if least != Some(depth) {
        return Err(usage("JSON files are at several depths"));
    }
    let text = Pattern::for_depth(depth).ok_or_else(|| usage("JSON files are too deep"))?;
    Pattern::parse(text).map_err(|problem| CliError::Usage(problem.to_string()))
}

/// Looks for the files of a folder that a pattern is for, or for JSON files.
struct Walk<'a> {
    pattern: Option<&'a Pattern>,
    /// Paths with `/`.
    found: Vec<String>,
    /// The first other file by its name, JSON files before others: an example of what the pattern does not match.
    other: Option<String>,
}

impl Walk<'_> {
    /// Adds the files below a folder. Hidden ones and names that are not UTF-8 are left out.
    fn add(&mut self, folder: &Path, prefix: &str, depth: usize) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            if name.starts_with('.') || self.found.len() >= MOST_FILES {
                continue;
            }
            let path = entry.path();
            // A link counts as what it leads to; the depth bounds a circle of them.
            let Ok(metadata) = fs::metadata(&path) else {
                continue;
            };
            let name = format!("{prefix}{name}");
            if metadata.is_file() {
                self.add_file(name);
            } else if metadata.is_dir() && depth > 1 {
                self.add(&path, &format!("{name}/"), depth - 1)?;
            }
        }
        Ok(())
    }

    fn add_file(&mut self, name: String) {
        let is_wanted = match self.pattern {
            Some(pattern) => pattern.read(&name).is_some(),
            None => ENDINGS.iter().any(|ending| name.ends_with(ending)),
        };
        let key = |name: &String| (!name.contains(".json"), name.clone());
        if is_wanted {
            self.found.push(name);
        } else if self
            .other
            .as_ref()
            .is_none_or(|other| key(&name) < key(other))
        {
            self.other = Some(name);
        }
    }
}

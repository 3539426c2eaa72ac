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
    let depth = pattern.map_or(DEEPEST, Pattern::depth);
    let mut all = Vec::new();
    walk(folder, "", depth, &mut all)
        .with_context(|| format!("cannot read the folder `{}`", folder.display()))?;
    if all.len() >= MOST_FILES {
        return Err(CliError::Failed(anyhow!(
            "`{}` has {MOST_FILES} files or more; name a folder below it",
            folder.display()
        )));
    }
    all.sort();
    let chosen;
    let pattern = if let Some(pattern) = pattern {
        pattern
    } else {
        all.retain(|name| ENDINGS.iter().any(|ending| name.ends_with(ending)));
        chosen = by_depth(folder, &all)?;
        &chosen
    };
    let found: Vec<Found> = all
        .iter()
        .filter_map(|name| {
            Some(Found {
                path: folder.join(name),
                place: pattern.read(name)?,
            })
        })
        .collect();
    if found.is_empty() {
        return Err(CliError::Usage(format!(
            "no file in `{}` matches the pattern `{}`{}",
            folder.display(),
            pattern.text(),
            all.iter().find(|name| name.contains(".json")).or(all.first()).map_or_else(
                String::new,
                |name| format!("; write the pattern of names such as `{name}`, e.g. `{{column}}/{{run}}/{{cell}}.json`")
            )
        )));
    }
    Ok(found)
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
    let depth = most.ok_or_else(|| usage("there is no file `*.json` or `*.json.gz`"))?;
    if least != Some(depth) {
        return Err(usage("JSON files are at several depths"));
    }
    let text = Pattern::for_depth(depth).ok_or_else(|| usage("JSON files are too deep"))?;
    Pattern::parse(text).map_err(|problem| CliError::Usage(problem.to_string()))
}

/// Adds the files below a folder, as paths with `/`. Hidden ones and names that are not UTF-8 are left out.
fn walk(folder: &Path, prefix: &str, depth: usize, names: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        if name.starts_with('.') || names.len() >= MOST_FILES {
            continue;
        }
        let path = entry.path();
        // A link counts as what it leads to; the depth bounds a circle of them.
        let Ok(metadata) = fs::metadata(&path) else {
            continue;
        };
        let name = format!("{prefix}{name}");
        if metadata.is_file() {
            names.push(name);
        } else if metadata.is_dir() && depth > 1 {
            walk(&path, &format!("{name}/"), depth - 1, names)?;
        }
    }
    Ok(())
}

//! Values that shells complete: plans, runs, contexts, keys.
//!
//! A shell asks by running this program with the variable [`VARIABLE`]. Whatever goes wrong then only
//! means that there is nothing to complete.

use std::ffi::OsStr;
use std::path::Path;
use std::time::Duration;

use clap_complete::CompleteEnv;
use clap_complete::engine::{
    ArgValueCandidates, ArgValueCompleter, CompletionCandidate, PathCompleter, ValueCompleter,
};

use crate::cli::error::CliError;
use crate::cluster::kubernetes::{Connection, Run, Settings, contexts};
use crate::plan::explain;
use crate::results::run_dir::DEFAULT_PARENT;
use crate::results::{StoredRun, runs_in};

/// Asks for completions, in the words of the shell that it names.
pub(in crate::cli) const VARIABLE: &str = "NETPLAN_COMPLETE";
/// A person waits at a prompt.
const CLUSTER_ANSWERS_WITHIN: Duration = Duration::from_secs(2);

/// Answers a shell that asks for completions. `false` when none asks.
pub(in crate::cli) fn answer(command: fn() -> clap::Command) -> Result<bool, CliError> {
    let here = std::env::current_dir().ok();
    CompleteEnv::with_factory(command)
        .var(VARIABLE)
        .try_complete(std::env::args_os(), here.as_deref())
        .map_err(|error| CliError::Usage(format!("{VARIABLE}: {error}")))
}

/// YAML files, and folders on the way to them.
pub(in crate::cli) fn plans() -> ArgValueCompleter {
    ArgValueCompleter::new(PathCompleter::file().filter(|path| {
        let extension = path.extension().and_then(OsStr::to_str);
        extension.is_some_and(|extension| matches!(extension, "yaml" | "yml"))
    }))
}

/// Directories of runs: those in the default folder, the latest first, otherwise folders.
pub(in crate::cli) fn run_directories() -> ArgValueCompleter {
    directories_of(|_| true)
}

/// As [`run_directories`], and files where no run fits.
pub(in crate::cli) fn runs_and_files() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| {
        let stored = stored(|_| true, current);
        if stored.is_empty() {
            PathCompleter::any().complete(current)
        } else {
            stored
        }
    })
}

/// As [`run_directories`], of runs that were cut off.
pub(in crate::cli) fn unfinished_run_directories() -> ArgValueCompleter {
    directories_of(|run| !run.is_complete)
}

fn directories_of(wanted: fn(&StoredRun) -> bool) -> ArgValueCompleter {
    ArgValueCompleter::new(move |current: &OsStr| {
        let stored = stored(wanted, current);
        if stored.is_empty() {
            PathCompleter::dir().complete(current)
        } else {
            stored
        }
    })
}

fn stored(wanted: fn(&StoredRun) -> bool, current: &OsStr) -> Vec<CompletionCandidate> {
    let current = current.to_string_lossy();
    let runs = runs_in(Path::new(DEFAULT_PARENT)).into_iter();
    runs.filter(wanted)
        .enumerate()
        .filter_map(|(nth, run)| {
            let path = run.path.to_str()?;
            let state = if run.is_complete { "" } else { ", cut off" };
            let help = format!("{}{state}", run.began.strftime("%Y-%m-%d %H:%M:%S UTC"));
            path.starts_with(&*current).then(|| {
                CompletionCandidate::new(path)
                    .help(Some(help.into()))
                    .display_order(Some(nth))
            })
        })
        .collect()
}

/// Ids of runs in the cluster that kubectl would talk to.
pub(in crate::cli) fn run_ids() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let runs = runs_in_cluster().unwrap_or_default();
        let candidate = |run: Run| {
            let plan = run.plan.as_deref().unwrap_or("-");
            let help = format!("{plan} in {}: {}", run.namespace, run.state);
            CompletionCandidate::new(run.id).help(Some(help.into()))
        };
        runs.into_iter().map(candidate).collect()
    })
}

fn runs_in_cluster() -> Option<Vec<Run>> {
    let runs = async {
        let connection = Connection::open(&Settings::default()).await.ok()?;
        connection.runs().await.ok()
    };
    let within = async { tokio::time::timeout(CLUSTER_ANSWERS_WITHIN, runs).await };
    crate::cli::runtime().ok()?.block_on(within).ok()?
}

/// Contexts of the kubeconfig.
pub(in crate::cli) fn kubeconfig_contexts() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let names = contexts().into_iter();
        names.map(CompletionCandidate::new).collect()
    })
}

/// Keys of the plan language, level by level.
pub(in crate::cli) fn keys() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| {
        let current = current.to_string_lossy();
        let parent = current.rsplit_once('.').map_or("", |(parent, _)| parent);
        let Ok(parent) = explain(parent) else {
            return Vec::new();
        };
        let keys = parent.keys.into_iter();
        keys.filter(|key| key.path.starts_with(&*current))
            .map(|key| {
                let help = key.text.into_iter().next().unwrap_or(key.kind);
                CompletionCandidate::new(key.path).help(Some(help.into()))
            })
            .collect()
    })
}

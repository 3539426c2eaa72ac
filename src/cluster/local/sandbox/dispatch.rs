//! Runs the hidden process that the program's arguments name.

use std::process::ExitCode;

use nix::sys::prctl::set_name;

use super::pods::entry;
use super::probe::{features, limits};
use super::stage::{Stage, WORD};
use super::{hold, init};

/// Runs a hidden process of the local cluster, if the program's arguments say so. To be called
/// before anything else in `main`: namespaces are made by a process with one thread.
#[must_use]
pub fn dispatch() -> Option<ExitCode> {
    let mut args = std::env::args_os().skip(1);
    if args.next()? != WORD {
        return None;
    }
    // For lists of processes: it was started as /proc/self/exe.
    let _ = set_name(c"netplan");
    let stage = args.next().unwrap_or_default();
    let stage = Stage::ALL.into_iter().find(|known| stage == known.word());
    Some(match stage {
        Some(Stage::Hold) => hold::run(),
        Some(Stage::Init) => init::run(),
        Some(Stage::Pod) => entry::run(),
        Some(Stage::Probe) => features::run(),
        Some(Stage::ProbeLimits) => limits::run(),
        None => ExitCode::from(2),
    })
}

//! Which of the hidden processes this one is.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode};

use nix::sys::prctl::set_name;

use super::{init, isolate, pod, probe, probe_limits};

/// The first argument of all hidden processes.
const WORD: &str = "__local";

/// The hidden processes of the local cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Makes the namespaces and waits for `Init`.
    Hold,
    /// Pid 1 of the namespaces.
    Init,
    /// Becomes the command of a pod.
    Pod,
    /// Tries in namespaces of its own what the machine can do.
    Probe,
    /// Tries how much of it the machine can do; pid 1 of the probe's namespaces.
    ProbeLimits,
}

impl Stage {
    const ALL: [Self; 5] = [
        Self::Hold,
        Self::Init,
        Self::Pod,
        Self::Probe,
        Self::ProbeLimits,
    ];
}

impl Stage {
    fn word(self) -> &'static str {
        match self {
            Self::Hold => "hold",
            Self::Init => "init",
            Self::Pod => "pod",
            Self::Probe => "probe",
            Self::ProbeLimits => "probe-limits",
        }
    }

    /// The command that starts this process from the program `exe`.
    pub fn command(self, exe: &Path) -> Command {
        let mut command = Command::new(exe);
        command.arg0("netplan").args([WORD, self.word()]);
        command
    }
}

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
        Some(Stage::Hold) => isolate::hold(),
        Some(Stage::Init) => init::run(),
        Some(Stage::Pod) => pod::run(),
        Some(Stage::Probe) => probe::run(),
        Some(Stage::ProbeLimits) => probe_limits::run(),
        None => ExitCode::from(2),
    })
}

//! The hidden processes of the local cluster, and how they are started.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

/// The first argument of all hidden processes.
pub(super) const WORD: &str = "__local";

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
    /// All of them.
    pub(super) const ALL: [Self; 5] = [
        Self::Hold,
        Self::Init,
        Self::Pod,
        Self::Probe,
        Self::ProbeLimits,
    ];

    /// The second argument of its process.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Hold => "hold",
            Self::Init => "init",
            Self::Pod => "pod",
            Self::Probe => "probe-features",
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

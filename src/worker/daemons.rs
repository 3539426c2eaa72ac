//! Daemons: processes that leave the group and the session of the server that started them. They are
//! known by a mark in their environment, which all that a process starts inherits.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

/// The variable that carries a mark.
const VARIABLE: &str = "NETPLAN_DAEMON";

/// A mark that no other server of this machine has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mark(String);

impl Mark {
    pub(super) fn new() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        // Two workers of one machine may have the same process number, each in its own namespace.
        let now = jiff::Timestamp::now().as_nanosecond();
        Self(format!("{}-{count}-{now}", std::process::id()))
    }

    /// The variable for the environment of a process.
    pub(super) fn variable(&self) -> (&'static str, &str) {
        (VARIABLE, &self.0)
    }

    /// Kills all processes that carry the mark, and what they start meanwhile. Reaps those that are
    /// this process's own.
    pub(super) fn kill(&self) {
        // Each round may find what was forked during the last one.
        for _ in 0..20 {
            let found = self.bearers();
            if found.is_empty() {
                return;
            }
            for pid in found {
                // One that is gone by now needs no signal.
                let _ = kill(pid, Signal::SIGKILL);
                reap(pid);
            }
        }
    }

    fn bearers(&self) -> Vec<Pid> {
        let entry = OsString::from(format!("{VARIABLE}={}", self.0));
        let Ok(processes) = std::fs::read_dir("/proc") else {
            return Vec::new();
        };
        processes
            .flatten()
            .filter_map(|process| process.file_name().to_str()?.parse::<i32>().ok())
            .filter(|pid| {
                // A process that is dead and not reaped yet has an empty environment.
                std::fs::read(format!("/proc/{pid}/environ")).is_ok_and(|environment| {
                    environment
                        .split(|byte| *byte == 0)
                        .any(|variable| variable == entry.as_bytes())
                })
            })
            .map(Pid::from_raw)
            .collect()
    }
}

/// Waits until a killed process is gone, when it is this one's own: an orphan comes to the worker,
/// which asked for that (see `session`). One that is stuck in the kernel is left.
fn reap(pid: Pid) {
    for _ in 0..50 {
        match waitpid(pid, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) => std::thread::sleep(Duration::from_millis(1)),
            _ => return,
        }
    }
}

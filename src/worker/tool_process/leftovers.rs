//! Processes that a tool leaves behind, also in groups and sessions of their own. They are known by a mark
//! in their environment, which all that a process starts inherits, and by their descent from the tool.

use std::collections::HashMap;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

/// The variable that carries a mark.
const VARIABLE: &str = "NETPLAN_SAMPLE";

/// Each round may find what was forked during the last one.
const ROUNDS: usize = 20;

/// A mark that no other tool of this machine has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::worker) struct Mark(String);

impl Mark {
    pub(in crate::worker) fn new() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        // Two workers of one machine may have the same process number, each in its own namespace.
        let now = jiff::Timestamp::now().as_nanosecond();
        Self(format!("{}-{count}-{now}", std::process::id()))
    }

    /// The variable for the environment of a process.
    pub(in crate::worker) fn variable(&self) -> (&'static str, &str) {
        (VARIABLE, &self.0)
    }

    /// Kills all processes that carry the mark or descend from `leader`, but not `leader` itself, whose
    /// end others wait for. Reaps those that are this process's own.
    pub(in crate::worker) fn kill(&self, leader: Option<Pid>) {
        let variable = OsString::from(format!("{VARIABLE}={}", self.0));
        kill_all(|| {
            let processes = processes();
            let mut found = leader.map_or_else(Vec::new, |leader| descendants(&processes, leader));
            found.extend(processes.keys().filter(|pid| carries(**pid, &variable)));
            found.retain(|pid| Some(*pid) != leader && processes[pid].is_alive);
            found
        });
    }
}

/// Kills all that descends from this process, if that is the init process of a pod: then no tool is
/// to run, and what still does has lost its mark.
pub(in crate::worker) fn kill_orphans() {
    let own = Pid::this();
    if own.as_raw() == 1 {
        kill_all(|| {
            let processes = processes();
            let mut found = descendants(&processes, own);
            found.retain(|pid| processes[pid].is_alive);
            found
        });
    }
}

fn kill_all(find: impl Fn() -> Vec<Pid>) {
    for _ in 0..ROUNDS {
        let found = find();
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

/// What `/proc/PID/stat` says of a process (`proc_pid_stat(5)`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Process {
    parent: Pid,
    /// It has not ended; one that has waits for its parent only.
    is_alive: bool,
}

fn processes() -> HashMap<Pid, Process> {
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return HashMap::new();
    };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok())
        .filter_map(|pid| {
            let stat = std::fs::read(format!("/proc/{pid}/stat")).ok()?;
            let process = process(&String::from_utf8_lossy(&stat))?;
            Some((Pid::from_raw(pid), process))
        })
        .collect()
}

/// Reads a process's line. Its name is in parentheses and may have any character in it.
fn process(stat: &str) -> Option<Process> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace();
    let is_alive = !matches!(fields.next()?, "Z" | "X" | "x");
    let parent = Pid::from_raw(fields.next()?.parse().ok()?);
    Some(Process { parent, is_alive })
}

/// The processes below `ancestor`.
fn descendants(processes: &HashMap<Pid, Process>, ancestor: Pid) -> Vec<Pid> {
    let descends = |pid: &Pid| {
        let mut at = *pid;
        // A table that changes while it is read may have circles.
        for _ in 0..processes.len() {
            match processes.get(&at) {
                Some(process) if process.parent == ancestor => return true,
                Some(process) => at = process.parent,
                None => return false,
            }
        }
        false
    };
    let own = |pid: &&Pid| **pid != ancestor && descends(pid);
    processes.keys().filter(own).copied().collect()
}

/// Whether a process has this variable in its environment. One that is dead and not reaped yet has
/// none.
fn carries(pid: Pid, variable: &OsString) -> bool {
    std::fs::read(format!("/proc/{pid}/environ")).is_ok_and(|environment| {
        environment
            .split(|byte| *byte == 0)
            .any(|other| other == variable.as_bytes())
    })
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_line_of_proc_is_read_whatever_the_name_is() {
        let line = |name: &str, state: &str| format!("42 ({name}) {state} 7 42 42 0 -1 4194304");
        for name in ["sleep", "a b", ") Z 1 (", "((", ""] {
            let read = process(&line(name, "S")).unwrap();
            assert_eq!((read.parent.as_raw(), read.is_alive), (7, true), "{name}");
        }
        assert!(!process(&line("sleep", "Z")).unwrap().is_alive);
        assert_eq!(process("42 (sleep"), None);
    }

    proptest! {
        /// In any table, circles included: those whose chain of parents leads to the ancestor.
        #[test]
        fn descent_is_a_chain_of_parents(parents in prop::collection::vec(0..12_i32, 1..12)) {
            let processes: HashMap<Pid, Process> = (1..)
                .zip(&parents)
                .map(|(pid, parent)| {
                    let parent = Pid::from_raw(*parent);
                    (Pid::from_raw(pid), Process { parent, is_alive: true })
                })
                .collect();
            let found = descendants(&processes, Pid::from_raw(1));
            for pid in processes.keys() {
                let mut seen = vec![*pid];
                let mut chain = false;
                while let Some(next) = processes.get(seen.last().unwrap()).map(|p| p.parent) {
                    chain |= next.as_raw() == 1;
                    if seen.contains(&next) {
                        break;
                    }
                    seen.push(next);
                }
                let expected = chain && pid.as_raw() != 1;
                prop_assert_eq!(found.contains(pid), expected, "{:?}", pid);
            }
        }
    }
}

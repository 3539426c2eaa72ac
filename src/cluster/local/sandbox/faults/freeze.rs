//! Stops and continues the processes of a pod.
//!
//! By signals and not by the freezer of control groups, to which an ordinary user has no access.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::cluster::local::sandbox::pods::kubelet::Pod;
use crate::cluster::{Error, FaultSwitch};

/// A process stops within microseconds, unless it waits for a disk.
const STOP: Duration = Duration::from_secs(2);
/// The kernel tells nobody that a process that is not a child has stopped.
const AGAIN: Duration = Duration::from_micros(100);

/// Stops all processes of a pod. Those that it had started when the signal came are found in another round.
pub fn freeze(pod: &Pod) -> Result<FaultSwitch, Error> {
    let before = Timestamp::now();
    let deadline = Instant::now() + STOP;
    loop {
        let running: Vec<Pid> = processes(pod)?
            .into_iter()
            .filter(|pid| !is_stopped(*pid))
            .collect();
        if running.is_empty() {
            let after = Timestamp::now();
            return Ok(FaultSwitch { before, after });
        }
        if Instant::now() >= deadline {
            let _ = thaw(pod);
            return Err(Error::cannot(
                format!("freeze pod `{}`", pod.name),
                format!("its processes did not stop within {} s", STOP.as_secs()),
                "its processes wait for a disk; try again",
            ));
        }
        for pid in running {
            // It may have ended in this moment.
            let _ = kill(pid, Signal::SIGSTOP);
        }
        thread::sleep(AGAIN);
    }
}

/// Continues all processes of a pod.
pub fn thaw(pod: &Pod) -> Result<FaultSwitch, Error> {
    let processes = processes(pod)?;
    let before = Timestamp::now();
    for pid in processes {
        let _ = kill(pid, Signal::SIGCONT);
    }
    let after = Timestamp::now();
    Ok(FaultSwitch { before, after })
}

/// The processes in the pod's pid namespace, by their numbers in this one.
fn processes(pod: &Pod) -> Result<Vec<Pid>, Error> {
    let failed = |error: io::Error| {
        let what = format!("list the processes of pod `{}`", pod.name);
        Error::system(what, error)
    };
    let own = fs::read_link("/proc/self").map_err(failed)?;
    if own != Path::new(&std::process::id().to_string()) {
        return Err(Error::cannot(
            format!("list the processes of pod `{}`", pod.name),
            "/proc of another pid namespace cannot be replaced",
            "in a container, start it with `--privileged` or unmask /proc",
        ));
    }
    let Some(first) = pod.pid() else {
        // It is about to be started again, or is over.
        return Ok(Vec::new());
    };
    let namespace = |pid: i32| fs::read_link(PathBuf::from(format!("/proc/{pid}/ns/pid")));
    let wanted = namespace(first.as_raw()).map_err(failed)?;
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        let pid = name.to_str().and_then(|name| name.parse().ok());
        // One that has ended meanwhile has no namespace.
        if let Some(pid) = pid.filter(|pid| namespace(*pid).is_ok_and(|its| its == wanted)) {
            found.push(Pid::from_raw(pid));
        }
    }
    Ok(found)
}

/// Whether all threads of a process are stopped, or it has ended.
fn is_stopped(pid: Pid) -> bool {
    let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else {
        return true;
    };
    tasks.flatten().all(|task| {
        let stat = fs::read_to_string(task.path().join("stat"));
        stat.map_or(true, |stat| {
            state(&stat).is_none_or(|state| "TtZX".contains(state))
        })
    })
}

/// The state of a thread, from its `stat` (`proc_pid_stat(5)`): a letter after the name, which has brackets around it.
fn state(stat: &str) -> Option<char> {
    stat.rsplit_once(')')?.1.trim_start().chars().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_follows_the_name_whatever_the_name_is() {
        assert_eq!(state("12 (a) S) T 1 12"), Some('T'));
        assert_eq!(state("12 (sleep) S 1"), Some('S'));
        assert_eq!(state(""), None);
    }
}

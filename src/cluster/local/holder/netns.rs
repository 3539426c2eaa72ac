//! Network namespaces: made by threads, named by files, filled by programs that run in them.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Write;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use nix::sched::{CloneFlags, setns};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::isolate::{denied, unshare_more};
use super::mounts::{bind, write};
use crate::cluster::Error;
use crate::cluster::local::fabric::{Fabric, Namespace, Step};
use crate::cluster::local::programs::search_path;

/// Where `ip` looks for namespaces by name. It is in the holder's own tmpfs.
pub const FOLDER: &str = "/run/netns";

/// A program that takes longer hangs; it would need milliseconds.
const STEP: Duration = Duration::from_secs(30);

/// The namespaces of the cluster by name.
pub type Namespaces = HashMap<String, Arc<OwnedFd>>;

/// Makes the whole network.
pub fn build(fabric: &Fabric) -> Result<Namespaces, Error> {
    let made = side_by_side(&fabric.namespaces, make)?;
    let namespaces: Namespaces = fabric
        .namespaces
        .iter()
        .map(|namespace| namespace.name.clone())
        .zip(made.into_iter().map(Arc::new))
        .collect();
    for step in &fabric.links {
        perform(step, "the root")?;
    }
    side_by_side(&fabric.inside, |(name, steps)| {
        let namespace = namespaces
            .get(name)
            .ok_or_else(|| Error::system(format!("find namespace {name}"), "it was not made"))?;
        enter(namespace)?;
        steps.iter().try_for_each(|step| perform(step, name))
    })?;
    Ok(namespaces)
}

/// Moves the calling thread into a network namespace. The thread must be one that ends with its
/// task: threads do not come back.
pub fn enter(namespace: &OwnedFd) -> Result<(), Error> {
    setns(namespace, CloneFlags::CLONE_NEWNET)
        .map_err(|errno| denied("enter a network namespace", errno))
}

/// Runs `task` on a thread of its own for each item.
fn side_by_side<I: Sync, T: Send>(
    items: &[I],
    task: impl Fn(&I) -> Result<T, Error> + Sync,
) -> Result<Vec<T>, Error> {
    let task = &task;
    std::thread::scope(|scope| {
        let threads: Vec<_> = items
            .iter()
            .map(|item| scope.spawn(move || task(item)))
            .collect();
        threads
            .into_iter()
            .map(|thread| {
                thread
                    .join()
                    .unwrap_or_else(|_| Err(Error::system("run a thread", "it panicked")))
            })
            .collect()
    })
}

/// Makes a namespace and gives it a name, as `ip netns add` does.
fn make(namespace: &Namespace) -> Result<OwnedFd, Error> {
    unshare_more("make a network namespace", CloneFlags::CLONE_NEWNET)?;
    let own = Path::new("/proc/thread-self/ns/net");
    let file = PathBuf::from(FOLDER).join(&namespace.name);
    write(&file, "")?;
    bind(own, &file)?;
    for (key, value) in &namespace.settings {
        set(key, value)
            .map_err(|error| Error::system(format!("write /proc/sys/net/{key}"), error))?;
    }
    for (key, value) in &namespace.optional_settings {
        let _ = set(key, value);
    }
    let file = File::open(own).map_err(|error| Error::system("keep a namespace", error))?;
    Ok(file.into())
}

/// These files follow the network namespace of the thread.
fn set(key: &str, value: &str) -> std::io::Result<()> {
    fs::write(format!("/proc/sys/net/{key}"), value)
}

/// Runs a program to its end, which has to come soon: these programs only talk to the kernel.
pub fn perform(step: &Step, namespace: &str) -> Result<(), Error> {
    perform_within(STEP, step, namespace)
}

fn perform_within(limit: Duration, step: &Step, namespace: &str) -> Result<(), Error> {
    let failed = |stderr: String| Error::Step {
        namespace: namespace.to_owned(),
        command: format!("{} {}", step.program, step.args.join(" ")),
        stderr,
    };
    let run = || {
        let mut child = Command::new(&step.program)
            .args(&step.args)
            .env("PATH", search_path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        let pid = i32::try_from(child.id()).ok().map(Pid::from_raw);
        let stdin = child.stdin.take();
        let (over, ended) = mpsc::channel::<()>();
        thread::scope(|scope| {
            let watchdog = scope.spawn(move || {
                let is_late = ended.recv_timeout(limit) == Err(RecvTimeoutError::Timeout);
                if let Some(pid) = pid.filter(|_| is_late) {
                    // It may have ended in this moment.
                    let _ = kill(pid, Signal::SIGKILL);
                }
                is_late
            });
            if let Some(mut stdin) = stdin {
                // A program that stops reading says why on standard error.
                let _ = stdin.write_all(step.input.as_bytes());
            }
            let output = child.wait_with_output();
            drop(over);
            Ok::<_, std::io::Error>((output?, watchdog.join().unwrap_or(false)))
        })
    };
    let (output, is_late) = run().map_err(|error| failed(error.to_string()))?;
    if is_late {
        let limit = limit.as_secs();
        return Err(failed(format!("it did not end within {limit} s")));
    }
    if output.status.success() {
        return Ok(());
    }
    Err(failed(
        String::from_utf8_lossy(&output.stderr).trim().to_owned(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_hangs_is_ended_and_named() {
        let step = |seconds: &str| Step {
            program: "sleep".to_owned(),
            args: vec![seconds.to_owned()],
            input: String::new(),
        };
        assert_eq!(perform_within(STEP, &step("0"), "n1"), Ok(()));
        let error = perform_within(Duration::ZERO, &step("600"), "n1").unwrap_err();
        assert_eq!(
            error.to_string(),
            "`sleep 600` in namespace `n1` failed: it did not end within 0 s"
        );
    }
}

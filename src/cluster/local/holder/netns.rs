//! Network namespaces: made by threads, named by files, filled by programs that run in them.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Write;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use nix::sched::{CloneFlags, setns};

use super::isolate::{denied, unshare_more};
use super::mounts::{bind, write};
use crate::cluster::Error;
use crate::cluster::local::fabric::{Fabric, Namespace, Step};
use crate::cluster::local::programs::search_path;

/// Where `ip` looks for namespaces by name. It is in the holder's own tmpfs.
pub const FOLDER: &str = "/run/netns";

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

/// Runs a program to its end.
pub fn perform(step: &Step, namespace: &str) -> Result<(), Error> {
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
        if let Some(mut stdin) = child.stdin.take() {
            // A program that stops reading says why on standard error.
            let _ = stdin.write_all(step.input.as_bytes());
        }
        child.wait_with_output()
    };
    let output = run().map_err(|error| failed(error.to_string()))?;
    if output.status.success() {
        return Ok(());
    }
    Err(failed(
        String::from_utf8_lossy(&output.stderr).trim().to_owned(),
    ))
}

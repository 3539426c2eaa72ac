//! Network namespaces: made by threads, named by files, filled by programs that run in them.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use nix::sched::{CloneFlags, setns};

use super::isolate::{denied, unshare_more};
use super::mounts::{bind, write};
use super::threads::{not_started, side_by_side};
use crate::cluster::Error;
use crate::cluster::local::blueprint::network::{Namespace, Network, Step};
use crate::cluster::local::machine::path_lookup::search_path;
use crate::cluster::local::machine::watchdog::run_with_deadline;
use crate::diag::Problem;

/// Where `ip` looks for namespaces by name. It is in the sandbox's own tmpfs.
pub const FOLDER: &str = "/run/netns";

/// A program that takes longer hangs; it would need milliseconds.
const STEP: Duration = Duration::from_secs(30);

/// What is read of a program's standard error.
const SAID_BYTES: u64 = 64 * 1024;

/// The namespaces of the cluster by name.
pub type Namespaces = HashMap<String, Arc<OwnedFd>>;

/// Makes the whole network.
pub fn build(network: &Network) -> Result<Namespaces, Error> {
    let what = "make the network";
    let tasks = network.namespaces.iter().map(|one| || make(one));
    let made: Vec<OwnedFd> = side_by_side(what, tasks)?
        .into_iter()
        .collect::<Result<_, _>>()?;
    let namespaces: Namespaces = network
        .namespaces
        .iter()
        .map(|namespace| namespace.name.clone())
        .zip(made.into_iter().map(Arc::new))
        .collect();
    for step in &network.links {
        run_step(step, "the root")?;
    }
    let fill = |name: &str, steps: &[Step]| {
        let namespace = namespaces
            .get(name)
            .ok_or_else(|| Error::system(format!("find namespace {name}"), "it was not made"))?;
        enter(namespace)?;
        steps.iter().try_for_each(|step| run_step(step, name))
    };
    let fill = &fill;
    let tasks = network
        .inside
        .iter()
        .map(|(name, steps)| move || fill(name, steps));
    side_by_side(what, tasks)?
        .into_iter()
        .collect::<Result<(), _>>()?;
    Ok(namespaces)
}

/// Moves the calling thread into a network namespace. The thread must be one that ends with its
/// task: threads do not come back.
pub fn enter(namespace: &OwnedFd) -> Result<(), Error> {
    setns(namespace, CloneFlags::CLONE_NEWNET)
        .map_err(|errno| denied("enter a network namespace", errno))
}

/// Makes a namespace and gives it a name, as `ip netns add` does.
fn make(namespace: &Namespace) -> Result<OwnedFd, Error> {
    unshare_more("make a network namespace", CloneFlags::CLONE_NEWNET)?;
    let own = Path::new("/proc/thread-self/ns/net");
    let file = PathBuf::from(FOLDER).join(&namespace.name);
    write(&file, "")?;
    bind(own, &file)?;
    for (key, value) in &namespace.settings {
        write_setting(key, value)?;
    }
    for (key, value) in &namespace.optional_settings {
        let _ = write_setting(key, value);
    }
    let file = File::open(own).map_err(|error| Error::system("keep a namespace", error))?;
    Ok(file.into())
}

/// Writes a file below /proc/sys/net; they follow the network namespace of the thread.
///
/// # Errors
/// [`Error::Problem`] where the file is read-only, e.g. in containers without `--privileged`.
pub fn write_setting(key: &str, value: &str) -> Result<(), Error> {
    let path = format!("/proc/sys/net/{key}");
    fs::write(&path, value).map_err(|error| match error.kind() {
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
            Error::from(Problem::without_place(format!("cannot write {path}: {error}")).help("in a container, start it with `--privileged`, or with a writable /proc/sys \
                       (docker: `--security-opt systempaths=unconfined`; podman: `--security-opt unmask=ALL`)"))
        }
        _ => Error::system(format!("write {path}"), error),
    })
}

/// Runs a program to its end, which has to come soon: these programs only talk to the kernel.
pub fn run_step(step: &Step, namespace: &str) -> Result<(), Error> {
    run_step_within(STEP, step, namespace)
}

fn run_step_within(limit: Duration, step: &Step, namespace: &str) -> Result<(), Error> {
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
        run_with_deadline(limit, &mut child, |child| {
            if let Some(mut stdin) = child.stdin.take() {
                // A program that stops reading says why on standard error.
                let _ = stdin.write_all(step.input.as_bytes());
            }
            let mut said = Vec::new();
            if let Some(stderr) = child.stderr.take() {
                // Whoever says more than that is not read any further.
                let _ = stderr.take(SAID_BYTES).read_to_end(&mut said);
            }
            Ok((child.wait()?, said))
        })
    };
    let ((status, said), is_late) = run().map_err(|error| match error.kind() {
        io::ErrorKind::WouldBlock => not_started(&format!("start `{}`", step.program), &error),
        _ => failed(error.to_string()),
    })?;
    if is_late {
        let limit = limit.as_secs();
        return Err(failed(format!("it did not end within {limit} s")));
    }
    if status.success() {
        return Ok(());
    }
    Err(failed(String::from_utf8_lossy(&said).trim().to_owned()))
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
        assert_eq!(run_step_within(STEP, &step("0"), "n1"), Ok(()));
        let error = run_step_within(Duration::ZERO, &step("600"), "n1").unwrap_err();
        assert_eq!(
            error.to_string(),
            "`sleep 600` in namespace `n1` failed: it did not end within 0 s"
        );
    }
}

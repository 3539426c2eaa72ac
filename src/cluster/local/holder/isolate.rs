//! The first process: makes the namespaces and waits until they are empty.

use std::fs;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{ExitCode, Stdio};

use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{getegid, geteuid};

use super::Stage;
use super::threads::not_started;
use crate::cluster::local::protocol::Message;
use crate::cluster::local::userns;
use crate::cluster::local::wire::Sender;
use crate::cluster::{Error, Trouble};
use crate::diag::printable;

/// Moves this process into new namespaces; `flags` says which, besides the user namespace that
/// gives the right to make them. Root does without that one where it is refused.
pub fn isolate(flags: CloneFlags) -> Result<(), Error> {
    let (uid, gid) = (geteuid(), getegid());
    match unshare(CloneFlags::CLONE_NEWUSER | flags) {
        Ok(()) => {}
        Err(_) if uid.is_root() => return unshare(flags).map_err(userns::refused),
        Err(errno) => return Err(userns::refused(errno)),
    }
    let write = |file: &str, text: String| {
        fs::write(format!("/proc/self/{file}"), text)
            .map_err(|error| Error::system(format!("write /proc/self/{file}"), error))
    };
    // A process may map its own ids only, and the group only when it cannot drop groups.
    write("setgroups", "deny".to_owned())?;
    write("uid_map", format!("0 {uid} 1"))?;
    write("gid_map", format!("0 {gid} 1"))
}

/// Moves this thread into more new namespaces; `what` completes "cannot …".
pub fn unshare_more(what: &str, flags: CloneFlags) -> Result<(), Error> {
    unshare(flags).map_err(|errno| match errno {
        Errno::ENOSPC => named(what, userns::refused(errno)),
        _ => denied(what, errno),
    })
}

/// Stage `hold`; the socket is standard input.
pub fn hold() -> ExitCode {
    let flags = CloneFlags::CLONE_NEWNS
        | CloneFlags::CLONE_NEWNET
        | CloneFlags::CLONE_NEWPID
        | CloneFlags::CLONE_NEWIPC
        | CloneFlags::CLONE_NEWUTS;
    // The terminal's signals are for the command line, which was told to start us in a process
    // group of our own.
    if let Err(error) = isolate(flags) {
        say_hello(Err(error));
        return ExitCode::FAILURE;
    }
    let exe = Path::new("/proc/self/exe");
    let child = Stage::Init.command(exe).stdin(Stdio::inherit()).spawn();
    let mut child = match child {
        Ok(child) => child,
        Err(error) => {
            say_hello(Err(not_started(
                "start a process in the new namespaces",
                &error,
            )));
            return ExitCode::FAILURE;
        }
    };
    match child.wait() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(status) => {
            // The command line reads this when the socket has closed.
            say(&format!(
                "its first process ended with {status}; if nobody ended it, `sudo dmesg` tells \
                 whether memory ran out"
            ));
            ExitCode::FAILURE
        }
        Err(_) => ExitCode::FAILURE,
    }
}

/// Says something to whoever reads this process's standard error: the command line, or a pod's log.
pub fn say(message: &str) {
    // Nobody may be reading it any more.
    let _ = writeln!(io::stderr(), "{}", printable::lines(message));
}

/// The first message to the command line.
pub fn say_hello(hello: Result<(), Error>) {
    if let Ok(stream) = socket() {
        // Nobody listens only when the command line is gone, and then nobody cares.
        let _ = Sender::new(stream).send(&Message::Hello(hello), None);
    }
}

/// The socket to the command line.
pub fn socket() -> io::Result<UnixStream> {
    Ok(UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?))
}

/// `what` failed; when that was for lack of rights, says why an ordinary user lacks them.
pub fn denied(what: &str, errno: Errno) -> Error {
    match errno {
        Errno::EPERM | Errno::EACCES => named(what, userns::refused(errno)),
        _ => Error::system(what, errno),
    }
}

/// The trouble, with what it prevented before it.
fn named(what: &str, error: Error) -> Error {
    match error {
        Error::Lacks(Trouble { what: why, help }) => Error::Lacks(Trouble {
            what: format!("cannot {what}: {why}"),
            help,
        }),
        other => other,
    }
}

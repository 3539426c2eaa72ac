//! Moves processes into new namespaces, with errors that say what to do about a refusal.

use std::fs;

use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{getegid, geteuid};

use crate::cluster::Error;
use crate::cluster::local::machine::userns;

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

/// `what` failed; when that was for lack of rights, says why an ordinary user lacks them.
pub fn denied(what: &str, errno: Errno) -> Error {
    match errno {
        Errno::EPERM | Errno::EACCES => named(what, userns::refused(errno)),
        _ => Error::system(what, errno),
    }
}

/// The problem, with what it prevented before it.
fn named(what: &str, error: Error) -> Error {
    match error {
        Error::Problem(mut problem) => {
            problem.what = format!("cannot {what}: {}", problem.what);
            Error::Problem(problem)
        }
        other => other,
    }
}

//! What a worker's process gives up before it starts tools, and what tools must not see.
//!
//! A tool is a program of the plan's author, and it runs as the same user as the worker. It must not get at
//! the worker's key, by which it could report results of its own making:
//!
//! - in the worker's memory, environment or open files: the process is not dumpable (`PR_SET_DUMPABLE` in
//!   prctl(2)), so that the kernel asks for `CAP_SYS_PTRACE`, which no pod has;
//! - in the folder that the worker read it from: a Secret is mounted read-only and read again when the container
//!   restarts, so that it cannot be removed. Landlock (landlock(7)) makes its files unreadable for tools. It also
//!   forbids them to trace the worker, whatever capabilities they have. A kernel without Landlock leaves the
//!   files readable.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::thread;

use landlock::{
    AccessFs, Ruleset, RulesetAttr, RulesetCreated, RulesetCreatedAttr, path_beneath_rules,
};
use nix::sys::prctl::set_dumpable;
use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// The largest file that a tool may write, in bytes.
const FILE_BYTES: u64 = 1 << 30;
/// How many processes and threads the user of the tools may have. A tool has one for each of its streams; the
/// limit also counts those of other pods that run as the same user, so that it is far above that.
const PROCESSES: u64 = 16 * 1024;

/// What tools may read, once the process is confined.
static READABLE: OnceLock<RulesetCreated> = OnceLock::new();

/// Confines this process and the tools that it will start: their core dumps, files and processes are
/// limited, and they cannot read the files of the folder `secrets`. To be called once, by a process that is a
/// worker and nothing else, after it has read its identity.
///
/// What the system does not support is left out.
pub fn confine(secrets: &Path) {
    // A core dump has the key in it.
    let limits = [
        (Resource::RLIMIT_CORE, 0),
        (Resource::RLIMIT_FSIZE, FILE_BYTES),
        (Resource::RLIMIT_NPROC, PROCESSES),
    ];
    for (resource, most) in limits {
        if let Ok((soft, hard)) = getrlimit(resource) {
            let _ = setrlimit(resource, soft.min(most), hard.min(most));
        }
    }
    let _ = set_dumpable(false);
    if let Some(readable) = all_but(secrets) {
        let _ = READABLE.set(readable);
    }
}

/// Starts a tool by `start`, which is called on a thread that cannot read what tools must not see; the
/// tool's process inherits that.
pub(in crate::worker) fn start_confined<T: Send>(
    start: impl FnOnce() -> io::Result<T> + Send,
) -> io::Result<T> {
    let Some(readable) = READABLE.get() else {
        return start();
    };
    let readable = readable.try_clone()?;
    let confined = move || {
        readable.restrict_self().map_err(io::Error::other)?;
        start()
    };
    // A thread of its own: what a thread has given up it does not get back.
    thread::scope(|scope| {
        let thread = thread::Builder::new().spawn_scoped(scope, confined)?;
        let joined = thread.join();
        joined.unwrap_or_else(|_| Err(io::Error::other("the thread that starts it panicked")))
    })
}

/// Rules that allow to read every file but those below `folder`. A file that appears later beside the folder,
/// or beside one of the folders above it, is not readable either. `None` where the folder is not there.
fn all_but(folder: &Path) -> Option<RulesetCreated> {
    let folder = fs::canonicalize(folder).ok()?;
    // A ruleset that does not allow it forbids to move files to other folders.
    let access = AccessFs::ReadFile | AccessFs::Refer;
    let ruleset = Ruleset::default().handle_access(access).ok()?;
    // Whatever is not there any more, or may not be opened, gets no rule.
    let rules = path_beneath_rules(beside(&folder), access);
    ruleset.create().ok()?.add_rules(rules).ok()
}

/// Everything that is beside `folder` or beside one of the folders above it.
fn beside(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for above in folder.ancestors().skip(1) {
        let entries = fs::read_dir(above).into_iter().flatten().flatten();
        all.extend(entries.map(|entry| entry.path()).filter(|path| {
            // A link may lead back to where the folder is.
            fs::canonicalize(path).is_ok_and(|real| !folder.starts_with(real))
        }));
    }
    all
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn nothing_beside_a_folder_leads_to_it() {
        let root = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(root.path()).unwrap();
        for folder in ["a/secret", "a/other", "b"] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        fs::write(root.join("a/file"), "").unwrap();
        symlink("a", root.join("link")).unwrap();
        symlink("nowhere", root.join("broken")).unwrap();
        let mut found = beside(&root.join("a/secret"));
        found.retain(|path| path.starts_with(&root));
        found.sort();
        assert_eq!(
            found,
            ["a/file", "a/other", "b"].map(|name| root.join(name))
        );
        assert!(beside(&root.join("a/secret")).contains(&PathBuf::from("/proc")));
    }
}

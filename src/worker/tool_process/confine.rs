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
//!
//! The same holds for the worker's copy of the run's journal: tools can neither read it nor write it, nor put another
//! folder in its place.

use std::collections::BTreeSet;
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

/// The files that tools may use, once the process is confined.
static USABLE: OnceLock<RulesetCreated> = OnceLock::new();

/// Confines this process and the tools that it will start: their core dumps, files and processes are
/// limited, and they can neither read nor write the files of the folders `private`. To be called once, by a process that is a
/// worker and nothing else, after it has read its identity.
///
/// What the system does not support is left out.
pub fn confine(private: &[&Path]) {
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
    if let Some(usable) = all_but(private) {
        let _ = USABLE.set(usable);
    }
}

/// Starts a tool by `start`, which is called on a thread that cannot use what tools must not see; the
/// tool's process inherits that.
pub(in crate::worker) fn start_confined<T: Send>(
    start: impl FnOnce() -> io::Result<T> + Send,
) -> io::Result<T> {
    let Some(usable) = USABLE.get() else {
        return start();
    };
    let usable = usable.try_clone()?;
    let confined = move || {
        usable.restrict_self().map_err(io::Error::other)?;
        start()
    };
    // A thread of its own: what a thread has given up it does not get back.
    thread::scope(|scope| {
        let thread = thread::Builder::new().spawn_scoped(scope, confined)?;
        let joined = thread.join();
        joined.unwrap_or_else(|_| Err(io::Error::other("the thread that starts it panicked")))
    })
}

/// Rules that allow to read, write, make and remove everything but what is below `folders`. A file that appears later beside one of the
/// folders, or beside one of the folders above it, cannot be used either. `None` where none of the folders is there.
fn all_but(folders: &[&Path]) -> Option<RulesetCreated> {
    let folders = folders
        .iter()
        .filter_map(|folder| fs::canonicalize(folder).ok());
    let folders: Vec<PathBuf> = folders.collect();
    if folders.is_empty() {
        return None;
    }
    // A ruleset that does not allow it forbids to move files to other folders.
    let files = AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::RemoveFile | AccessFs::Refer;
    // Else a tool could move one of the folders away, and make another one.
    let folders_too = AccessFs::RemoveDir | AccessFs::MakeDir | AccessFs::MakeSym;
    let made = AccessFs::MakeReg | AccessFs::MakeFifo | AccessFs::MakeSock;
    let access = files | folders_too | made;
    let ruleset = Ruleset::default().handle_access(access).ok()?;
    // Whatever is not there any more, or may not be opened, gets no rule.
    let rules = path_beneath_rules(beside(&folders), access);
    ruleset.create().ok()?.add_rules(rules).ok()
}

/// Everything that is beside one of `folders` or beside one of the folders above it, without the folders.
fn beside(folders: &[PathBuf]) -> Vec<PathBuf> {
    let above = folders.iter().flat_map(|folder| folder.ancestors().skip(1));
    let above: BTreeSet<&Path> = above.collect();
    let mut all = Vec::new();
    for above in above {
        let entries = fs::read_dir(above).into_iter().flatten().flatten();
        all.extend(entries.map(|entry| entry.path()).filter(|path| {
            // A link may lead back to where a folder is.
            fs::canonicalize(path)
                .is_ok_and(|real| !folders.iter().any(|folder| folder.starts_with(&real)))
        }));
    }
    all
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn nothing_beside_folders_leads_to_them() {
        let root = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(root.path()).unwrap();
        for folder in ["a/secret", "a/copy", "a/other", "b"] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        fs::write(root.join("a/file"), "").unwrap();
        symlink("a", root.join("link")).unwrap();
        symlink("nowhere", root.join("broken")).unwrap();
        let all = beside(&["a/secret", "a/copy"].map(|name| root.join(name)));
        let mut found = all.clone();
        found.retain(|path| path.starts_with(&root));
        found.sort();
        assert_eq!(
            found,
            ["a/file", "a/other", "b"].map(|name| root.join(name))
        );
        assert!(all.contains(&PathBuf::from("/proc")));
    }
}

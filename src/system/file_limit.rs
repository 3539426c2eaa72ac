//! The number of file descriptors that a process may have.
//!
//! The soft limit is often 1024 so that old programs that use select(2) do not break. netplan does not use it,
//! and raises the soft limit to the hard one for itself, but the programs that it starts get the original
//! limit back.

use std::sync::{Mutex, PoisonError};

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// The soft limit at the process's start, once it was raised. The lock also keeps two programs from being
/// started at once, because the limit is the whole process's.
static ORIGINAL: Mutex<Option<u64>> = Mutex::new(None);

/// Raises this process's soft limit of file descriptors to its hard limit. Does nothing where that
/// fails: the limit that there is may be enough.
pub fn raise_file_limit() {
    let mut original = ORIGINAL.lock().unwrap_or_else(PoisonError::into_inner);
    if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE)
        && soft < hard
        && setrlimit(Resource::RLIMIT_NOFILE, hard, hard).is_ok()
    {
        original.get_or_insert(soft);
    }
}

/// Calls `start`, which starts a program, while the soft limit is the original one.
pub fn with_original_file_limit<T>(start: impl FnOnce() -> T) -> T {
    let original = ORIGINAL.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(soft) = *original else {
        return start();
    };
    let Ok((raised, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else {
        return start();
    };
    let is_lowered = setrlimit(Resource::RLIMIT_NOFILE, soft, hard).is_ok();
    let started = start();
    if is_lowered {
        // It was allowed before.
        let _ = setrlimit(Resource::RLIMIT_NOFILE, raised, hard);
    }
    started
}

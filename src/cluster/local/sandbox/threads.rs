//! Threads of the sandbox. A system that has no more of them to give is an error, and never a panic: the
//! command line waits for an answer.

use std::io;
use std::thread::{Builder, Scope, ScopedJoinHandle, scope};

use crate::cluster::Error;
use crate::cluster::local::machine::process_limit::process_limit_reached;

/// Runs `task` on a thread of its own, which ends with it, and waits. `what` completes "cannot …".
pub fn on_own_thread<T: Send>(
    what: &str,
    task: impl FnOnce() -> Result<T, Error> + Send,
) -> Result<T, Error> {
    let mut results = side_by_side(what, [task])?;
    results.pop().unwrap_or_else(|| Err(panicked(what)))
}

/// Runs each task on a thread of its own and waits for all of them; gives their results in order.
///
/// # Errors
/// When a thread cannot be started. The tasks before it have run.
pub fn side_by_side<T: Send>(
    what: &str,
    tasks: impl IntoIterator<Item = impl FnOnce() -> Result<T, Error> + Send>,
) -> Result<Vec<Result<T, Error>>, Error> {
    scope(|scope| {
        let started: Result<Vec<_>, Error> = tasks
            .into_iter()
            .map(|task| spawn(what, scope, task))
            .collect();
        let joined = started?.into_iter().map(ScopedJoinHandle::join);
        Ok(joined
            .map(|result| result.unwrap_or_else(|_| Err(panicked(what))))
            .collect())
    })
}

fn spawn<'s, T: Send + 's>(
    what: &str,
    scope: &'s Scope<'s, '_>,
    task: impl FnOnce() -> T + Send + 's,
) -> Result<ScopedJoinHandle<'s, T>, Error> {
    let spawned = Builder::new().spawn_scoped(scope, task);
    spawned.map_err(|error| not_started(what, &error))
}

/// Lets `task` run on a thread of its own.
///
/// # Errors
/// When the thread cannot be started; `what` completes "cannot …".
pub fn detach(what: &str, task: impl FnOnce() + Send + 'static) -> Result<(), Error> {
    let spawned = Builder::new().spawn(task);
    spawned.map(drop).map_err(|error| not_started(what, &error))
}

/// The error for a process or a thread that the system did not start.
pub fn not_started(what: &str, error: &io::Error) -> Error {
    if error.kind() == io::ErrorKind::WouldBlock {
        Error::from(process_limit_reached(what))
    } else {
        Error::system(what, error)
    }
}

fn panicked(what: &str) -> Error {
    Error::system(what, "a thread panicked")
}

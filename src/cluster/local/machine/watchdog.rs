//! Runs a child process with a deadline.

use std::io;
use std::process::Child;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, Builder};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Lets `work` talk to a child and wait for its end, and kills the child at the limit. Also says whether
/// that was done.
///
/// # Errors
/// Those of `work`, or when no thread can be started to watch the child; then it is killed.
pub fn run_with_deadline<T>(
    limit: Duration,
    child: &mut Child,
    work: impl FnOnce(&mut Child) -> io::Result<T>,
) -> io::Result<(T, bool)> {
    let pid = i32::try_from(child.id()).ok().map(Pid::from_raw);
    let (over, ended) = mpsc::channel::<()>();
    let watch = move || {
        let is_late = ended.recv_timeout(limit) == Err(RecvTimeoutError::Timeout);
        if let Some(pid) = pid.filter(|_| is_late) {
            // It may have ended in this moment.
            let _ = kill(pid, Signal::SIGKILL);
        }
        is_late
    };
    thread::scope(|scope| {
        let watchdog = match Builder::new().spawn_scoped(scope, watch) {
            Ok(watchdog) => watchdog,
            Err(error) => {
                let _ = (child.kill(), child.wait());
                return Err(error);
            }
        };
        let done = work(child);
        drop(over);
        let is_late = watchdog.join().unwrap_or(false);
        Ok((done?, is_late))
    })
}

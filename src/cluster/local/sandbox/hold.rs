//! The first process: makes the namespaces and waits until they are empty.

use std::path::Path;
use std::process::{ExitCode, Stdio};

use nix::sched::CloneFlags;

use super::isolate::isolate;
use super::reporting::{print_error, send_hello};
use super::stage::Stage;
use super::threads::not_started;

/// Stage `hold`; the socket is standard input.
pub fn run() -> ExitCode {
    let flags = CloneFlags::CLONE_NEWNS
        | CloneFlags::CLONE_NEWNET
        | CloneFlags::CLONE_NEWPID
        | CloneFlags::CLONE_NEWIPC
        | CloneFlags::CLONE_NEWUTS;
    // The terminal's signals are for the command line, which was told to start us in a process
    // group of our own.
    if let Err(error) = isolate(flags) {
        send_hello(Err(error));
        return ExitCode::FAILURE;
    }
    let exe = Path::new("/proc/self/exe");
    let child = Stage::Init.command(exe).stdin(Stdio::inherit()).spawn();
    let mut child = match child {
        Ok(child) => child,
        Err(error) => {
            send_hello(Err(not_started(
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
            print_error(&format!(
                "its first process ended with {status}; if you did not stop it, `sudo dmesg` tells \
                 whether memory ran out"
            ));
            ExitCode::FAILURE
        }
        Err(_) => ExitCode::FAILURE,
    }
}

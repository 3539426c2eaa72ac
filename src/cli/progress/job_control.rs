//! Signals of a shell and of other people: stop here, show what runs.

use std::io;

use nix::sys::signal::{self, Signal};
use nix::unistd::{getpgrp, getsid};
use tokio::signal::unix::{self, SignalKind};

/// SIGUSR1 and, where it is listened to, SIGTSTP.
#[derive(Debug)]
pub(super) struct Listener(unix::Signal);

impl Listener {
    /// Listens to the signal that asks what runs.
    pub fn for_show() -> io::Result<Self> {
        unix::signal(SignalKind::user_defined1()).map(Self)
    }

    /// Listens to Ctrl-Z.
    pub fn for_suspend() -> io::Result<Self> {
        unix::signal(SignalKind::from_raw(Signal::SIGTSTP as i32)).map(Self)
    }

    /// The next signal. Dropping the future loses none.
    pub async fn recv(&mut self) {
        self.0.recv().await;
    }
}

/// Whether a shell would continue this process: not in the session's first process group.
pub(super) fn can_stop() -> bool {
    getsid(None) != Ok(getpgrp())
}

/// Stops this process. Returns when it continues.
pub(super) fn stop() {
    // The signal whose default action was replaced; this one cannot be.
    let _ = signal::raise(Signal::SIGSTOP);
}

//! The signals by which a person ends a run.

use std::io;

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signalled {
    /// Somebody wants it to end: Ctrl-C, `kill`.
    Stop,
    /// The terminal has closed.
    Hangup,
}

/// Ctrl-C, `kill`, and a terminal that closes; the last not under `nohup`.
#[derive(Debug)]
pub(super) struct Interrupt {
    ctrl_c: system::Signal,
    terminate: system::Terminate,
    hangup: Option<system::Hangup>,
}

impl Interrupt {
    /// From now on these signals no longer end the process by themselves.
    pub fn listen() -> io::Result<Self> {
        Ok(Self {
            ctrl_c: system::ctrl_c()?,
            terminate: system::terminate()?,
            hangup: system::hangup()?,
        })
    }

    /// The next of them. Dropping the future loses none.
    pub async fn next(&mut self) -> Signalled {
        let hangup = async {
            match &mut self.hangup {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.ctrl_c.recv() => Signalled::Stop,
            _ = self.terminate.recv() => Signalled::Stop,
            _ = hangup => Signalled::Hangup,
        }
    }
}

#[cfg(unix)]
mod system {
    use std::io;

    use nix::libc::SIGHUP;
    pub(super) use tokio::signal::unix::Signal;
    use tokio::signal::unix::{SignalKind, signal};

    pub(super) type Terminate = Signal;
    pub(super) type Hangup = Signal;

    pub(super) fn ctrl_c() -> io::Result<Signal> {
        signal(SignalKind::interrupt())
    }

    pub(super) fn terminate() -> io::Result<Terminate> {
        signal(SignalKind::terminate())
    }

    pub(super) fn hangup() -> io::Result<Option<Hangup>> {
        if is_ignored(SIGHUP) {
            return Ok(None);
        }
        signal(SignalKind::hangup()).map(Some)
    }

    /// Whether whoever started us wants the signal ignored, as `nohup` does (see `SigIgn` in proc(5)). Only Linux
    /// says.
    fn is_ignored(signal: i32) -> bool {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
        mask.is_some_and(|mask| mask & (1 << (signal - 1)) != 0)
    }
}

#[cfg(windows)]
mod system {
    use std::io;

    use tokio::signal::windows;
    pub(super) use tokio::signal::windows::{
        CtrlBreak as Terminate, CtrlC as Signal, CtrlClose as Hangup,
    };

    pub(super) fn ctrl_c() -> io::Result<Signal> {
        windows::ctrl_c()
    }

    pub(super) fn terminate() -> io::Result<Terminate> {
        windows::ctrl_break()
    }

    pub(super) fn hangup() -> io::Result<Option<Hangup>> {
        windows::ctrl_close().map(Some)
    }
}

//! The signals by which a person ends a run.

use std::io;

use nix::libc::SIGHUP;
use tokio::signal::unix::{Signal, SignalKind, signal};

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
    ctrl_c: Signal,
    terminate: Signal,
    hangup: Option<Signal>,
}

impl Interrupt {
    /// From now on these signals no longer end the process by themselves.
    pub fn listen() -> io::Result<Self> {
        let hangup = if is_ignored(SIGHUP) {
            None
        } else {
            Some(signal(SignalKind::hangup())?)
        };
        Ok(Self {
            ctrl_c: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup,
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

/// Whether whoever started us wants the signal ignored, as `nohup` does (see `SigIgn` in proc(5)).
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & (1 << (signal - 1)) != 0)
}

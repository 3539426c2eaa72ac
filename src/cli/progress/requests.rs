//! What asks a run under way to show something: the clock, a key, a signal.

use std::io;
use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior, interval};

use super::job_control::{self, Listener};
use super::keyboard::Keyboard;
use crate::cli::terminal::printer;

/// Between two drawings of the status line. Nothing else happens while a sample runs.
const TICK: Duration = Duration::from_secs(1);
/// Shows what runs.
const SHOW: u8 = b't';
/// Sets a mark, where a plan has `by: hand`.
const ENTER: u8 = b'\n';

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Request {
    /// Draw the status line anew.
    Redraw,
    /// Show what runs.
    ShowRunning,
    /// A person has pressed Enter.
    Enter,
}

/// Listens to them as long as it lives.
#[derive(Debug)]
pub(super) struct Requests {
    show: Listener,
    live: Option<Live>,
}

/// What a status line needs besides.
#[derive(Debug)]
struct Live {
    ticks: Interval,
    keyboard: Option<Keyboard>,
    suspend: Listener,
}

/// From here on SIGUSR1 does not end this process; before [`Requests::listen`] there is nothing to show.
/// Needs a Tokio runtime.
pub(in crate::cli) fn ignore_early_requests() {
    // A handler stays for the life of the process.
    let _ = Listener::for_show();
}

impl Requests {
    /// Listens to SIGUSR1 and, where there is a status line, to the keyboard and the clock.
    pub fn listen(live: bool) -> io::Result<Self> {
        let show = Listener::for_show()?;
        let live = if live {
            let mut ticks = interval(TICK);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            Some(Live {
                ticks,
                keyboard: Keyboard::open(),
                suspend: Listener::for_suspend()?,
            })
        } else {
            None
        };
        Ok(Self { show, live })
    }

    /// The next one. Dropping the future loses none.
    pub async fn next(&mut self) -> Request {
        let live = async {
            match &mut self.live {
                Some(live) => live.next().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = self.show.recv() => Request::ShowRunning,
            request = live => request,
        }
    }
}

impl Live {
    async fn next(&mut self) -> Request {
        loop {
            let key = async {
                match &mut self.keyboard {
                    Some(keyboard) => keyboard.key().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                _ = self.ticks.tick() => {
                    if let Some(keyboard) = &mut self.keyboard {
                        keyboard.take();
                    }
                    return Request::Redraw;
                }
                () = self.suspend.recv() => {
                    self.stop();
                    return Request::Redraw;
                }
                key = key => match key {
                    SHOW => return Request::ShowRunning,
                    ENTER => return Request::Enter,
                    _ => {}
                }
            }
        }
    }

    /// Stops this process, as Ctrl-Z does, with the terminal as it was. Returns when it continues.
    fn stop(&mut self) {
        if !job_control::can_stop() {
            return;
        }
        printer::status_line(None);
        if let Some(keyboard) = &mut self.keyboard {
            keyboard.give_back();
        }
        job_control::stop();
        if let Some(keyboard) = &mut self.keyboard {
            keyboard.take();
        }
    }
}

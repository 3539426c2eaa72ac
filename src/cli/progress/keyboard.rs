//! Single keys from the terminal, without Enter and without echo.

use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::PathBuf;

use nix::libc::{O_NOCTTY, O_NONBLOCK};
use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};
use nix::unistd::{getpgrp, tcgetpgrp};
use tokio::net::unix::pipe::Receiver;

/// The terminal that standard input is. Its settings are restored when this is dropped.
#[derive(Debug)]
pub(super) struct Keyboard {
    /// Opened anew, so that reads do not wait here and still do where others share standard input.
    terminal: File,
    /// The same file for the event loop, which has no type for terminals. `None` after a hangup.
    keys: Option<Receiver>,
    /// The settings as they were, while they are changed.
    before: Option<Termios>,
}

impl Keyboard {
    /// `None` where standard input is not a terminal, or where somebody else may read from it.
    pub fn open() -> Option<Self> {
        if !io::stdin().is_terminal() || stdout_is_pipe() {
            return None;
        }
        let terminal = OpenOptions::new()
            .read(true)
            .custom_flags(O_NONBLOCK | O_NOCTTY)
            .open(stdin_path()?)
            .ok()?;
        let keys = Receiver::from_file_unchecked(terminal.try_clone().ok()?).ok()?;
        let mut keyboard = Self {
            terminal,
            keys: Some(keys),
            before: None,
        };
        keyboard.take();
        Some(keyboard)
    }

    /// Makes keys come one by one, if this process is in the foreground and they do not yet: the
    /// settings of a terminal belong to the foreground.
    pub fn take(&mut self) {
        if !is_foreground(&self.terminal) {
            // The shell has restored its own settings.
            self.before = None;
            return;
        }
        if self.before.is_none()
            && let Ok(before) = tcgetattr(&self.terminal)
        {
            let mut changed = before.clone();
            changed
                .local_flags
                .remove(LocalFlags::ICANON | LocalFlags::ECHO);
            if tcsetattr(&self.terminal, SetArg::TCSADRAIN, &changed).is_ok() {
                self.before = Some(before);
            }
        }
    }

    /// Restores the settings.
    pub fn give_back(&mut self) {
        if let Some(before) = self.before.take()
            && is_foreground(&self.terminal)
        {
            let _ = tcsetattr(&self.terminal, SetArg::TCSADRAIN, &before);
        }
    }

    /// The next key. Dropping the future loses none.
    pub async fn key(&mut self) -> u8 {
        loop {
            let Some(keys) = &self.keys else {
                return std::future::pending().await;
            };
            let is_ready = keys.readable().await.is_ok();
            // To read in the background would stop this process.
            if is_ready && !is_foreground(&self.terminal) {
                return std::future::pending().await;
            }
            let mut key = [0];
            match keys.try_read(&mut key) {
                Ok(1..) => return key[0],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Ok(0) | Err(_) => self.keys = None,
            }
        }
    }
}

impl Drop for Keyboard {
    fn drop(&mut self) {
        self.give_back();
    }
}

/// The file that standard input is.
fn stdin_path() -> Option<PathBuf> {
    if cfg!(target_os = "linux") {
        // Also of a terminal that has no name here, e.g. a container's.
        return Some(PathBuf::from("/proc/self/fd/0"));
    }
    nix::unistd::ttyname(io::stdin()).ok()
}

fn is_foreground(terminal: &impl AsFd) -> bool {
    tcgetpgrp(terminal) == Ok(getpgrp())
}

/// A pager at its other end reads the same keys.
fn stdout_is_pipe() -> bool {
    let stdout = io::stdout().as_fd().try_clone_to_owned().map(File::from);
    let kind = stdout.and_then(|stdout| Ok(stdout.metadata()?.file_type()));
    kind.is_ok_and(|kind| kind.is_fifo() || kind.is_socket())
}

//! Shows a page in the person's browser.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context, bail};

/// The program that opens a file as the desktop does.
const OPENER: &str = if cfg!(target_os = "macos") {
    "open"
} else {
    "xdg-open"
};

/// An opener that runs for longer has become the browser.
const PATIENCE: Duration = Duration::from_secs(10);

/// Opens a page in the browser.
///
/// # Errors
/// When this session has no display, or when the opener is missing or fails.
pub(super) fn open(page: &Path) -> anyhow::Result<()> {
    let by_hand = || format!("open `{}` in a browser", page.display());
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let has_display = cfg!(target_os = "macos") || is_set("DISPLAY") || is_set("WAYLAND_DISPLAY");
    if !has_display {
        bail!(
            "this session has no display (neither DISPLAY nor WAYLAND_DISPLAY is set); {}",
            by_hand()
        );
    }
    // Absolute, so that no name is taken for an option.
    let path = std::path::absolute(page).with_context(by_hand)?;
    let mut opener = Command::new(OPENER)
        .arg(path)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| format!("cannot start `{OPENER}`; {}", by_hand()))?;
    let (ended, end) = mpsc::channel();
    std::thread::spawn(move || ended.send(opener.wait()));
    match end.recv_timeout(PATIENCE) {
        Ok(Ok(status)) if !status.success() => {
            bail!("`{OPENER}` failed ({status}); {}", by_hand())
        }
        Ok(Err(error)) => bail!("cannot wait for `{OPENER}`: {error}; {}", by_hand()),
        Ok(Ok(_)) | Err(_) => Ok(()),
    }
}

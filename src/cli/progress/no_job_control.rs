//! In the place of `job_control` on systems without its signals.

use std::io;

/// A signal that never comes.
#[derive(Debug)]
pub(super) struct Listener;

#[expect(clippy::unnecessary_wraps, reason = "as where there are signals")]
impl Listener {
    pub fn for_show() -> io::Result<Self> {
        Ok(Self)
    }

    pub fn for_suspend() -> io::Result<Self> {
        Ok(Self)
    }

    pub async fn recv(&mut self) {
        std::future::pending().await
    }
}

/// Whether a shell would continue this process.
pub(super) fn can_stop() -> bool {
    false
}

/// Stops this process: it cannot.
pub(super) fn stop() {}

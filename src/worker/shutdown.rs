//! The signals that end a worker.

use std::io;

use tokio::signal::unix::{SignalKind, signal};

/// Resolves when the process is asked to end by SIGTERM or SIGINT. The signals are caught from this
/// call on, not from the first poll: a pod's init process would otherwise never see them.
///
/// # Errors
/// When the kernel refuses the handlers.
pub fn terminated() -> io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => (),
            _ = interrupt.recv() => (),
        }
    })
}

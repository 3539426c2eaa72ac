//! A command of `during:`.

use std::process::Stdio;

use tokio::io::AsyncReadExt;
use tokio::process::{Child, Command};

/// The bytes that are kept of what it prints to standard error.
const KEPT_BYTES: u64 = 16 * 1024;

/// Starts it. It is killed when it is dropped.
///
/// # Errors
/// Why it cannot be started.
pub(super) fn start(argv: &[String]) -> Result<Child, String> {
    let (program, arguments) = argv.split_first().ok_or("the command is empty")?;
    Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("cannot start `{program}`: {error}"))
}

/// Waits for its end. Returns the exit code, unless a signal ended it, and the last line of its standard error.
pub(super) async fn ended(mut child: Child) -> (Option<i32>, String) {
    let stderr = child.stderr.take();
    let read = async {
        let mut kept = Vec::new();
        if let Some(mut stderr) = stderr {
            let _ = (&mut stderr).take(KEPT_BYTES).read_to_end(&mut kept).await;
            // The rest, so that it does not wait for a reader.
            let _ = tokio::io::copy(&mut stderr, &mut tokio::io::sink()).await;
        }
        kept
    };
    let (status, kept) = tokio::join!(child.wait(), read);
    let text = String::from_utf8_lossy(&kept);
    let last = text.lines().rfind(|line| !line.trim().is_empty());
    let code = status.ok().and_then(|status| status.code());
    (code, last.unwrap_or_default().to_owned())
}

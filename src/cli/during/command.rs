//! A command of `during:`.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::time::{Instant, timeout};

/// The bytes that are kept of what it prints to standard error: the last ones.
const KEPT_BYTES: usize = 16 * 1024;
/// What it has started may hold its standard error open, and is not waited for.
const READ_WITHIN: Duration = Duration::from_millis(200);

/// A command that runs. It is killed with all that it has started, unless it has ended, when this is dropped.
pub(super) struct Running(Child);

/// How a command ended.
pub(super) struct Ended {
    pub at: Instant,
    /// `None` when a signal ended it.
    pub exit_code: Option<i32>,
    /// What it says of a failure: the last line of its standard error, or the signal. May be empty.
    pub why: String,
}

impl Running {
    /// Starts a command.
    ///
    /// # Errors
    /// Why it cannot be started.
    pub fn start(argv: &[String]) -> Result<Self, String> {
        let (program, arguments) = argv.split_first().ok_or("the command is empty")?;
        let mut command = Command::new(program);
        command
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        #[cfg(unix)]
        command.process_group(0);
        let child = command.spawn();
        child
            .map(Self)
            .map_err(|error| format!("cannot start `{program}`: {error}"))
    }

    /// Waits for its end.
    pub async fn ended(mut self) -> Ended {
        let stderr = self.0.stderr.take();
        let mut kept = Vec::new();
        let (status, at) = {
            let mut read = Box::pin(async {
                if let Some(stderr) = stderr {
                    keep_last(stderr, &mut kept).await;
                }
            });
            let wait = async {
                let status = self.0.wait().await;
                (status, Instant::now())
            };
            tokio::pin!(wait);
            tokio::select! {
                ended = &mut wait => {
                    let _ = timeout(READ_WITHIN, read).await;
                    ended
                }
                () = &mut read => wait.await,
            }
        };
        let text = String::from_utf8_lossy(&kept);
        let last = text.lines().rfind(|line| !line.trim().is_empty());
        let exit_code = status
            .as_ref()
            .ok()
            .and_then(std::process::ExitStatus::code);
        let why = match (status, exit_code, last) {
            (_, Some(0), _) => String::new(),
            (Ok(status), None, _) => status.to_string(),
            (_, _, last) => last.unwrap_or_default().to_owned(),
        };
        Ended { at, exit_code, why }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        kill_group(&self.0);
    }
}

#[cfg(unix)]
fn kill_group(child: &Child) {
    use nix::sys::signal::{Signal, killpg};
    use nix::unistd::Pid;
    // One that has ended has no id any more.
    if let Some(leader) = child.id().and_then(|id| i32::try_from(id).ok()) {
        let _ = killpg(Pid::from_raw(leader), Signal::SIGKILL);
    }
}

#[cfg(not(unix))]
fn kill_group(_: &Child) {}

/// Reads to the end, and keeps the last bytes.
async fn keep_last(mut from: impl AsyncRead + Unpin, kept: &mut Vec<u8>) {
    let mut chunk = [0; 4096];
    while let Ok(length) = from.read(&mut chunk).await {
        let Some(read) = chunk.get(..length).filter(|read| !read.is_empty()) else {
            return;
        };
        kept.extend_from_slice(read);
        kept.drain(..kept.len().saturating_sub(KEPT_BYTES));
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[expect(clippy::unwrap_used, reason = "a helper of tests")]
    async fn ended(script: &str) -> Ended {
        let argv = ["sh", "-c", script].map(str::to_owned);
        Running::start(&argv).unwrap().ended().await
    }

    #[tokio::test]
    async fn a_failure_is_told_in_the_last_line_of_any_length_of_output() {
        let loud = ended("seq 100000 >&2; echo last >&2; echo >&2; exit 3").await;
        assert_eq!((loud.exit_code, &*loud.why), (Some(3), "last"));
        let well = ended("echo warning >&2").await;
        assert_eq!((well.exit_code, &*well.why), (Some(0), ""));
        let killed = ended("kill -9 $$").await;
        assert_eq!(
            (killed.exit_code, &*killed.why),
            (None, "signal: 9 (SIGKILL)")
        );
    }

    #[tokio::test]
    async fn what_a_command_leaves_behind_is_not_waited_for() {
        let begun = Instant::now();
        let ended = ended("sleep 60 & echo $! >&2; exit 1").await;
        assert_eq!(ended.exit_code, Some(1));
        assert!(begun.elapsed() < Duration::from_secs(30));
        // It runs on.
        let pid = nix::unistd::Pid::from_raw(ended.why.parse().unwrap());
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL).unwrap();
    }

    #[tokio::test]
    async fn a_command_that_is_cut_is_killed_with_what_it_started() {
        let (reader, writer) = std::io::pipe().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", "sleep 600; true"]).stdout(writer);
        command.process_group(0).kill_on_drop(true);
        let running = Running(command.spawn().unwrap());
        drop((command, running));
        // It ends when nobody can write to it any more.
        let read = tokio::task::spawn_blocking(|| std::io::read_to_string(reader));
        let read = timeout(Duration::from_secs(30), read).await.unwrap();
        assert_eq!(read.unwrap().unwrap(), "");
    }
}

//! A tool's process: started in a process group of its own, read to the end, and gone afterwards
//! with all that it started, in whatever group or session that is.
//!
//! Everything is killed with SIGKILL: it is sure and at once, and a tool whose result nobody waits for
//! has nothing to save.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until, timeout};

use super::confine::start_confined;
use super::leftovers::Mark;
use super::programs::file_of;
use crate::system::with_original_file_limit;
use crate::tools::{Ended, How};

/// What is kept of each of a process's streams, in bytes; the rest is read and dropped.
pub const KEPT: usize = 16 * 1024 * 1024;

/// How long a killed group may take to be gone, and its pipes to close. Only a process that is stuck
/// in the kernel takes longer; it is not waited for.
const AFTERMATH: Duration = Duration::from_millis(250);

/// Room for at least so many bytes is made before each read.
const CHUNK: usize = 8 * 1024;

/// Ends a process before its deadline: by a message, or by the sender's going away.
pub type Stop = oneshot::Receiver<()>;

/// Runs a program to its end, its deadline, or `stop`, whichever is first. The wall time is that of
/// the process itself, from its start to its end.
pub async fn run(argv: &[String], deadline: Instant, stop: &mut Stop) -> (Ended, Duration) {
    let started = Instant::now();
    let mut process = match Process::start(argv, None) {
        Ok(process) => process,
        Err(how) => return (never_ran(how), Duration::ZERO),
    };
    let event = process.next(Some(deadline), stop).await;
    let wall = started.elapsed();
    (process.end(event).await, wall)
}

/// The end of what did not begin.
pub(super) fn never_ran(how: How) -> Ended {
    Ended {
        how,
        stdout: Vec::new(),
        stderr: Vec::new(),
    }
}

/// What can happen to a process.
#[derive(Debug)]
pub(super) enum Event {
    /// The awaited text is in its output.
    Ready,
    /// It ended by itself.
    Exited(io::Result<ExitStatus>),
    Deadline,
    Stopped,
}

/// A process that runs, with its group and its pipes. When it is dropped, all that it started is
/// killed.
#[derive(Debug)]
pub(super) struct Process {
    // Dropped first: the group is killed while its leader is not reaped yet, so that its number
    // cannot belong to somebody else.
    group: Group,
    child: Child,
    stdout: Stream,
    stderr: Stream,
}

impl Process {
    /// Starts a program; its output is searched for `awaited`.
    pub(super) fn start(argv: &[String], awaited: Option<&str>) -> Result<Self, How> {
        let Some((program, arguments)) = argv.split_first() else {
            return Err(How::NotStarted("the command line is empty".to_owned()));
        };
        let mark = Mark::new();
        let mut command = Command::new(program);
        command
            .args(arguments)
            .envs([mark.variable()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        let runtime = Handle::current();
        let start = || {
            let _entered = runtime.enter();
            with_original_file_limit(|| command.spawn())
        };
        let mut child = start_confined(start).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => How::NotFound(program.clone()),
            // A folder in PATH that may not be entered turns 'not found' into this.
            io::ErrorKind::PermissionDenied
                if !program.contains('/') && file_of(program).is_none() =>
            {
                How::NotFound(program.clone())
            }
            _ => How::NotStarted(format!("`{program}`: {error}")),
        })?;
        let leader = child.id().and_then(|id| i32::try_from(id).ok());
        Ok(Self {
            group: Group {
                leader: leader.map(Pid::from_raw),
                mark: Some(mark),
            },
            stdout: Stream::new(child.stdout.take().map(boxed), awaited),
            stderr: Stream::new(child.stderr.take().map(boxed), awaited),
            child,
        })
    }

    /// Reads output until something happens. A stop counts before an end that it may have caused.
    pub(super) async fn next(&mut self, deadline: Option<Instant>, stop: &mut Stop) -> Event {
        let passed = async {
            match deadline {
                Some(deadline) => sleep_until(deadline).await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(passed);
        loop {
            tokio::select! {
                biased;
                _ = &mut *stop => return Event::Stopped,
                // Before the pipes: output without end must not put it off.
                () = &mut passed => return Event::Deadline,
                // The same holds for the output of what it left behind.
                status = self.child.wait() => {
                    // Its last words may be that it is ready.
                    let _ = timeout(AFTERMATH, self.read_until_ready()).await;
                    return if self.became_ready() {
                        Event::Ready
                    } else {
                        Event::Exited(status)
                    };
                }
                () = either(&mut self.stdout, &mut self.stderr) => {
                    if self.became_ready() {
                        return Event::Ready;
                    }
                }
            }
        }
    }

    /// Reads what there is until the awaited text is in it; at once when none is awaited.
    async fn read_until_ready(&mut self) {
        let (stdout, stderr) = (&mut self.stdout, &mut self.stderr);
        while stdout.awaits() && stderr.awaits() && (stdout.is_open() || stderr.is_open()) {
            either(stdout, stderr).await;
        }
    }

    /// Goes on reading the output of what a process that has ended left behind, until `stop`.
    pub(super) async fn linger(&mut self, stop: &mut Stop) {
        self.group.forget_if_gone();
        loop {
            tokio::select! {
                biased;
                _ = &mut *stop => return,
                () = either(&mut self.stdout, &mut self.stderr) => {}
            }
        }
    }

    /// Whether the awaited text has come, on either stream; true once.
    fn became_ready(&mut self) -> bool {
        let ready = self.stdout.found() || self.stderr.found();
        if ready {
            self.stdout.awaited = None;
            self.stderr.awaited = None;
        }
        ready
    }

    /// Kills all that is left, reads what is left of the output, and reaps.
    pub(super) async fn end(mut self, event: Event) -> Ended {
        let is_reaped = matches!(event, Event::Exited(_));
        self.group.kill(is_reaped);
        let how = match event {
            Event::Deadline => How::Deadline,
            // Not reached with `Ready`: who waits for it goes on to the next event.
            Event::Stopped | Event::Ready => How::Stopped,
            Event::Exited(Ok(status)) => match (status.code(), status.signal()) {
                (Some(code), _) => How::Code(code),
                (None, Some(signal)) => How::Signal(signal),
                (None, None) => How::NotStarted(format!("ended unaccountably: {status}")),
            },
            Event::Exited(Err(error)) => How::NotStarted(format!("cannot be waited for: {error}")),
        };
        let Self {
            group,
            child,
            stdout,
            stderr,
        } = &mut self;
        let _ = timeout(AFTERMATH, async {
            tokio::join!(stdout.read_to_end(), stderr.read_to_end(), async {
                let _ = child.wait().await;
                group.gone().await;
            });
        })
        .await;
        self.group.mark = None;
        Ended {
            how,
            stdout: std::mem::take(&mut self.stdout.kept),
            stderr: std::mem::take(&mut self.stderr.kept),
        }
    }
}

/// The processes of a tool.
#[derive(Debug)]
struct Group {
    /// Of the process group, until that is known to be gone.
    leader: Option<Pid>,
    /// What they all carry, until they are known to be gone.
    mark: Option<Mark>,
}

impl Group {
    /// Kills all of them. A leader that has been reaped has no descendants: they are others' now.
    fn kill(&self, is_reaped: bool) {
        let kill_marked = |leader| {
            if let Some(mark) = &self.mark {
                mark.kill(leader);
            }
        };
        // Before the group: what descends from a process that is gone is known by its mark alone.
        kill_marked(self.leader.filter(|_| !is_reaped));
        // ESRCH: nobody is left.
        if let Some(leader) = self.leader
            && killpg(leader, Signal::SIGKILL).is_ok()
        {
            // It may have started another process just before.
            kill_marked(Some(leader));
        }
    }

    /// A group without members has no number that could not become another's.
    fn forget_if_gone(&mut self) {
        if self
            .leader
            .is_some_and(|leader| killpg(leader, None) == Err(Errno::ESRCH))
        {
            self.leader = None;
        }
    }

    /// Waits until a killed group has no member left, and reaps those that were orphaned to this
    /// process: in a pod it is the init process, elsewhere it asked for them (see `session`).
    /// Only then are the ports that they listened on certainly free again.
    async fn gone(&mut self) {
        let Some(leader) = self.leader else { return };
        let Ok(mut deaths) = signal(SignalKind::child()) else {
            return;
        };
        loop {
            let group = Pid::from_raw(-leader.as_raw());
            while let Ok(status) = waitpid(group, Some(WaitPidFlag::WNOHANG)) {
                if status == WaitStatus::StillAlive {
                    break;
                }
            }
            if killpg(leader, None) == Err(Errno::ESRCH) {
                self.leader = None;
                return;
            }
            if deaths.recv().await.is_none() {
                return;
            }
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill(false);
    }
}

type Pipe = Box<dyn AsyncRead + Send + Unpin>;

fn boxed(pipe: impl AsyncRead + Send + Unpin + 'static) -> Pipe {
    Box::new(pipe)
}

/// One of a process's output streams: what was read of it, and the text that is awaited in it.
struct Stream {
    /// None once it is closed.
    pipe: Option<Pipe>,
    kept: Vec<u8>,
    awaited: Option<Awaited>,
}

impl Stream {
    fn new(pipe: Option<Pipe>, awaited: Option<&str>) -> Self {
        Self {
            pipe,
            kept: Vec::new(),
            awaited: awaited.map(Awaited::new),
        }
    }

    fn is_open(&self) -> bool {
        self.pipe.is_some()
    }

    /// Reads once; nothing is lost when it is dropped before its end.
    async fn read(&mut self) {
        let Some(pipe) = &mut self.pipe else { return };
        let before = self.kept.len();
        self.kept.reserve(CHUNK);
        let read = pipe.read_buf(&mut self.kept).await;
        if !matches!(read, Ok(1..)) {
            self.pipe = None;
        }
        if let (Some(awaited), Some(new)) = (&mut self.awaited, self.kept.get(before..)) {
            awaited.see(new);
        }
        self.kept.truncate(KEPT);
    }

    async fn read_to_end(&mut self) {
        while self.is_open() {
            self.read().await;
        }
    }

    /// Whether a text is awaited that has not come yet.
    fn awaits(&self) -> bool {
        self.awaited.as_ref().is_some_and(|awaited| !awaited.found)
    }

    fn found(&self) -> bool {
        self.awaited.as_ref().is_some_and(|awaited| awaited.found)
    }
}

/// Reads once from one of the two, for ever from neither: fairly, for one may be without end.
async fn either(one: &mut Stream, other: &mut Stream) {
    tokio::select! {
        () = one.read(), if one.is_open() => {}
        () = other.read(), if other.is_open() => {}
        else => std::future::pending().await,
    }
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stream")
            .field("open", &self.is_open())
            .field("kept", &self.kept.len())
            .finish_non_exhaustive()
    }
}

/// Searches a stream for a text that may come in pieces. The text has no newline, so that where it
/// is found it is within a line.
#[derive(Debug)]
struct Awaited {
    text: Vec<u8>,
    /// The end of what was seen, one byte shorter than the text.
    tail: Vec<u8>,
    found: bool,
}

impl Awaited {
    fn new(text: &str) -> Self {
        Self {
            text: text.as_bytes().to_vec(),
            tail: Vec::new(),
            found: false,
        }
    }

    /// Takes the next piece. An empty text is found in the first output there is.
    fn see(&mut self, piece: &[u8]) {
        if self.found || piece.is_empty() {
            return;
        }
        self.tail.extend_from_slice(piece);
        let width = self.text.len().max(1);
        self.found = self.text.is_empty() || self.tail.windows(width).any(|w| w == self.text);
        let surplus = self.tail.len().saturating_sub(width - 1);
        self.tail.drain(..surplus);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// However a stream is cut into pieces, the text is found as soon as it is complete.
        #[test]
        fn a_text_is_found_in_any_pieces(
            text in "[ab]{1,4}", pieces in prop::collection::vec("[ab\n]{0,5}", 0..12),
        ) {
            let mut awaited = Awaited::new(&text);
            let mut seen = String::new();
            for piece in pieces {
                seen.push_str(&piece);
                awaited.see(piece.as_bytes());
                prop_assert_eq!(awaited.found, seen.contains(&text));
                prop_assert!(awaited.tail.len() < text.len());
            }
        }
    }

    #[test]
    fn an_empty_text_is_found_in_the_first_output() {
        let mut awaited = Awaited::new("");
        awaited.see(b"");
        assert!(!awaited.found);
        awaited.see(b"x");
        assert!(awaited.found);
    }
}

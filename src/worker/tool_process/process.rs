//! A tool's process: started in a process group of its own, read to its end, and killed afterwards
//! with all that it started, in whatever group or session that is.
//!
//! Everything is killed with SIGKILL, which always works at once: a tool whose result nobody waits for has
//! nothing to save.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until, timeout};

use super::confine::start_confined;
use super::leftovers::Mark;
use super::path_lookup::{file_of, to_start};
use super::stream::{Stream, either};
use crate::system::with_original_file_limit;
use crate::tools::{Cut, Ended, How, stderr_bytes};

/// How long a killed group may take to be gone, and its pipes to close. Only a process that is stuck
/// in the kernel takes longer; it is not waited for.
const AFTERMATH: Duration = Duration::from_millis(250);

/// Ends a process before its deadline: by a message, or when the sender is dropped.
pub type Stop = oneshot::Receiver<()>;

/// Runs a program to its end, its deadline, or `stop`, whichever is first, and keeps at most
/// `output_bytes` of what it prints. The wall time is that of the process itself, from its start to
/// its end.
pub async fn run(
    argv: &[String],
    output_bytes: usize,
    deadline: Instant,
    stop: &mut Stop,
) -> (Ended, Duration) {
    let started = Instant::now();
    let mut process = match Process::start(argv, output_bytes, None) {
        Ok(process) => process,
        Err(how) => return (Ended::silent(how), Duration::ZERO),
    };
    let event = process.next(Some(deadline), stop).await;
    let wall = started.elapsed();
    (process.end(event).await, wall)
}

/// What can happen to a process.
#[derive(Debug)]
pub(in crate::worker) enum Event {
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
pub(in crate::worker) struct Process {
    // Dropped first: the group is killed while its leader is not reaped yet, so that its number
    // cannot belong to somebody else.
    group: Group,
    child: Child,
    stdout: Stream,
    stderr: Stream,
}

impl Process {
    /// Starts a program, of whose output at most `output_bytes` are kept. The output is searched for
    /// `awaited`.
    pub(in crate::worker) fn start(
        argv: &[String],
        output_bytes: usize,
        awaited: Option<&str>,
    ) -> Result<Self, How> {
        let Some((program, arguments)) = argv.split_first() else {
            return Err(How::NotStarted("the command line is empty".to_owned()));
        };
        let mark = Mark::new();
        let mut command = Command::new(to_start(program));
        command
            .arg0(program)
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
        let stderr_bytes = stderr_bytes(output_bytes);
        let stdout_bytes = output_bytes - stderr_bytes;
        let leader = child.id().and_then(|id| i32::try_from(id).ok());
        Ok(Self {
            group: Group {
                leader: leader.map(Pid::from_raw),
                mark: Some(mark),
            },
            stdout: Stream::new(child.stdout.take(), stdout_bytes, awaited),
            stderr: Stream::new(child.stderr.take(), stderr_bytes, awaited),
            child,
        })
    }

    /// From here on one of these texts is awaited in the output.
    pub(in crate::worker) fn await_any(&mut self, texts: &[String]) {
        self.stdout.await_any(texts);
        self.stderr.await_any(texts);
    }

    /// Reads output until something happens. A stop counts before an end that it may have caused.
    pub(in crate::worker) async fn next(
        &mut self,
        deadline: Option<Instant>,
        stop: &mut Stop,
    ) -> Event {
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
                    // The end of its output may say that it is ready.
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

    /// Reads the output of what a process that has ended left behind, until `stop`.
    pub(in crate::worker) async fn linger(&mut self, stop: &mut Stop) {
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
            self.stdout.await_nothing();
            self.stderr.await_nothing();
        }
        ready
    }

    /// Kills all that is left, reads what is left of the output, and reaps.
    pub(in crate::worker) async fn end(mut self, event: Event) -> Ended {
        let is_reaped = matches!(event, Event::Exited(_));
        self.group.kill(is_reaped);
        let how = match event {
            Event::Deadline => How::Deadline,
            // Not reached with `Ready`: the caller waits for the next event.
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
        let (stdout, stdout_cut) = self.stdout.take_output();
        let (stderr, stderr_cut) = self.stderr.take_output();
        Ended {
            how,
            stdout,
            stderr,
            cut: Cut {
                stdout: stdout_cut,
                stderr: stderr_cut,
            },
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

//! Runs the program. Every test that needs it as a process starts it in this way.
//!
//! ```ignore
//! Netplan::in_folder(folder).args(["check", "plan.yaml"]).run().expect(0).says("is right");
//! let running = Netplan::in_folder(folder).args(["run", "plan.yaml"]).start();
//! running.signal(Signal::SIGINT);
//! running.finish().expect(130);
//! ```

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{NETPLAN, ROOT, wait_until};

/// No command line takes this long, whatever the machine and the cluster.
const DEADLINE: Duration = Duration::from_secs(400);

/// What the tester's environment may say, and would change what netplan does.
const VARIABLES: [&str; 19] = [
    "ALL_PROXY",
    "CI",
    "CLICOLOR",
    "CLICOLOR_FORCE",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "KUBECONFIG",
    "KUBERNETES_SERVICE_HOST",
    "NETPLAN_COMPLETE",
    "NETPLAN_NODE",
    "NETPLAN_POD_IP",
    "NO_COLOR",
    "NO_PROXY",
    "SOURCE_DATE_EPOCH",
    "XDG_STATE_HOME",
    "all_proxy",
    "http_proxy",
    "https_proxy",
    "no_proxy",
];

/// A command line that has not been started. Its standard input is empty.
#[must_use]
pub struct Netplan {
    wrapper: Vec<OsString>,
    program: OsString,
    arguments: Vec<OsString>,
    folder: PathBuf,
    /// In order; a variable without a value is removed.
    variables: Vec<(OsString, Option<OsString>)>,
    stdin: Stdio,
    stdout: Option<Stdio>,
    stderr: Option<Stdio>,
}

impl Netplan {
    /// In this folder, without the tester's own settings: the folder is `HOME` too.
    pub fn in_folder(folder: impl AsRef<Path>) -> Self {
        let folder = folder.as_ref().to_owned();
        let new = Self {
            wrapper: Vec::new(),
            program: NETPLAN.into(),
            arguments: Vec::new(),
            folder: folder.clone(),
            variables: Vec::new(),
            stdin: Stdio::null(),
            stdout: None,
            stderr: None,
        };
        new.without_env(&VARIABLES).env("HOME", folder)
    }

    /// In the root of this repository.
    pub fn in_repository() -> Self {
        Self::in_folder(ROOT)
    }

    /// With the tester's own environment and kubeconfig.
    pub fn with_own_environment(mut self) -> Self {
        self.variables.clear();
        self
    }

    /// From another file: a copy of the program, or a link to it.
    pub fn program(mut self, file: impl Into<OsString>) -> Self {
        self.program = file.into();
        self
    }

    /// By a command that takes netplan and its arguments as further arguments, e.g. `setsid --wait`, or `sh -c SCRIPT`,
    /// where the script has them as `"$0" "$@"`.
    pub fn started_by(mut self, wrapper: &[&str]) -> Self {
        self.wrapper = wrapper.iter().map(Into::into).collect();
        self
    }

    pub fn args(mut self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        let arguments = arguments.into_iter();
        self.arguments
            .extend(arguments.map(|argument| argument.as_ref().to_owned()));
        self
    }

    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        let value = Some(value.as_ref().to_owned());
        self.variables.push((name.into(), value));
        self
    }

    pub fn without_env(mut self, names: &[&str]) -> Self {
        let removed = names.iter().map(|name| (name.into(), None));
        self.variables.extend(removed);
        self
    }

    /// Looks for programs in this folder before it looks elsewhere.
    pub fn path_before(self, folder: impl AsRef<Path>) -> Self {
        let mut path = OsString::from(folder.as_ref());
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap_or_default());
        self.env("PATH", path)
    }

    pub fn stdin(mut self, stdin: impl Into<Stdio>) -> Self {
        self.stdin = stdin.into();
        self
    }

    /// Sends the output there; [`Ended::stdout`] is then empty.
    pub fn stdout(mut self, stdout: impl Into<Stdio>) -> Self {
        self.stdout = Some(stdout.into());
        self
    }

    /// Sends the messages there; [`Ended::stderr`] is then empty.
    pub fn stderr(mut self, stderr: impl Into<Stdio>) -> Self {
        self.stderr = Some(stderr.into());
        self
    }

    #[track_caller]
    pub fn start(self) -> Running {
        println!(
            "$ netplan {}",
            self.arguments.join(OsStr::new(" ")).display()
        );
        let mut words = self.wrapper.into_iter().chain([self.program]);
        let mut command = Command::new(words.next().unwrap());
        command.args(words).args(self.arguments);
        for (name, value) in self.variables {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        let [stdout, stderr] = [(); 2].map(|()| tempfile::tempfile().unwrap());
        let kept = |file: &File| Stdio::from(file.try_clone().unwrap());
        command
            .current_dir(self.folder)
            .stdin(self.stdin)
            .stdout(self.stdout.unwrap_or_else(|| kept(&stdout)))
            .stderr(self.stderr.unwrap_or_else(|| kept(&stderr)));
        Running {
            child: command.spawn().unwrap(),
            stdout,
            stderr,
        }
    }

    #[track_caller]
    pub fn run(self) -> Ended {
        self.start().finish()
    }
}

/// A command line that runs, until it ends or this value is dropped.
pub struct Running {
    child: Child,
    stdout: File,
    stderr: File,
}

impl Running {
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has printed until now.
    pub fn stdout(&self) -> String {
        read(&self.stdout)
    }

    /// What it has said until now.
    pub fn stderr(&self) -> String {
        read(&self.stderr)
    }

    /// The id of the run that it starts, once it is said.
    pub fn run_id(&self) -> String {
        let mut id = None;
        wait_until("the run's id to be said", || {
            id = run_id(&self.stderr());
            assert!(id.is_some() || !self.has_ended(), "{}", self.stderr());
            id.is_some()
        });
        id.unwrap()
    }

    pub fn has_ended(&self) -> bool {
        // It stays a zombie until `finish`.
        let status = std::fs::read_to_string(format!("/proc/{}/stat", self.pid()));
        status.is_ok_and(|status| status.contains(") Z "))
    }

    /// Ctrl-C.
    pub fn interrupt(&self) {
        self.signal(Signal::SIGINT);
    }

    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.pid().cast_signed()), signal).unwrap();
    }

    /// `kill -9`.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for its end.
    #[track_caller]
    pub fn finish(mut self) -> Ended {
        let begun = Instant::now();
        loop {
            if let Some(ended) = self.try_finish(begun) {
                return ended;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits for its end in a task.
    pub async fn finish_in_task(mut self) -> Ended {
        let begun = Instant::now();
        loop {
            if let Some(ended) = self.try_finish(begun) {
                return ended;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    #[track_caller]
    fn try_finish(&mut self, begun: Instant) -> Option<Ended> {
        assert!(begun.elapsed() < DEADLINE, "{}", self.stderr());
        let status = self.child.try_wait().unwrap()?;
        let ended = Ended {
            code: status.code(),
            stdout: self.stdout(),
            stderr: self.stderr(),
        };
        println!("{}after {:.1?}", ended.transcript(), begun.elapsed());
        Some(ended)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The id in `run 0badcafe of …`.
fn run_id(said: &str) -> Option<String> {
    let (_, rest) = said.split_once("run ")?;
    let id = rest.get(..8)?;
    let is_id = id.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_id.then(|| id.to_owned())
}

/// The whole file, wherever its writer is.
fn read(file: &File) -> String {
    let mut bytes = vec![0; usize::try_from(file.metadata().unwrap().len()).unwrap()];
    file.read_exact_at(&mut bytes, 0).unwrap();
    String::from_utf8(bytes).unwrap()
}

/// A command line that has ended.
#[derive(Clone, Debug)]
pub struct Ended {
    /// None if a signal ended it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ended {
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}", self.said());
        self
    }

    /// It printed this text, or said it.
    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        assert!(self.said().contains(text), "`{text}`: {}", self.said());
        self
    }

    /// Both outputs, one after the other.
    pub fn said(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    /// Exit code and both outputs, as snapshots have them.
    pub fn transcript(&self) -> String {
        format!(
            "exit code {}\n--- stdout\n{}--- stderr\n{}",
            self.code.unwrap_or(-1),
            self.stdout,
            self.stderr
        )
    }
}

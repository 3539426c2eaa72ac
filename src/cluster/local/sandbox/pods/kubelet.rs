//! Starts pods, keeps what they print, and starts them again when they fail.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, PipeReader, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use nix::sched::CloneFlags;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::entry::Start;
use super::log_buffer::LogBuffer;
use crate::cluster::local::blueprint::pod_plan::{Content, PodPlan, Restart};
use crate::cluster::local::ipc::framing::Sender;
use crate::cluster::local::ipc::messages::Message;
use crate::cluster::local::sandbox::Stage;
use crate::cluster::local::sandbox::isolate::unshare_more;
use crate::cluster::local::sandbox::mounts::{STATE, make_dir, write};
use crate::cluster::local::sandbox::netns::{Namespaces, enter};
use crate::cluster::local::sandbox::threads::{detach, not_started, on_own_thread};
use crate::cluster::{Error, Exit, Next, PodEnded};
use crate::results::Progress;

/// How many lines of its output go with the news that a pod has ended.
const LAST_LINES: usize = 20;
/// A process that ran this long before it failed has not failed in a row.
const SOUND: Duration = Duration::from_secs(10);
/// The pause before the first restart in a row; it doubles with each.
const PAUSE: Duration = Duration::from_millis(50);

/// All pods of the cluster.
#[derive(Debug)]
pub struct Kubelet {
    sender: Arc<Sender>,
    resolv_conf: PathBuf,
    pods: Mutex<BTreeMap<String, Arc<Pod>>>,
}

/// One pod.
#[derive(Debug)]
pub struct Pod {
    pub name: String,
    pub namespace: Arc<OwnedFd>,
    plan: PodPlan,
    /// The folder of its files.
    folder: PathBuf,
    log: Mutex<LogBuffer>,
    pid: Mutex<Option<Pid>>,
    over: AtomicBool,
}

impl Kubelet {
    /// `resolv_conf` is what /etc/resolv.conf leads to.
    pub fn new(sender: Arc<Sender>, resolv_conf: PathBuf) -> Self {
        Self {
            sender,
            resolv_conf,
            pods: Mutex::default(),
        }
    }

    /// Starts all pods.
    pub fn start(&self, plans: Vec<PodPlan>, namespaces: &Namespaces) -> Result<(), Error> {
        for plan in plans {
            let namespace = namespaces
                .get(&plan.namespace)
                .ok_or_else(|| Error::NoSuchPod {
                    pod: plan.name.clone(),
                })?;
            let folder = Path::new(STATE).join("pods").join(&plan.name);
            write_pod_files(&plan, &folder)?;
            let pod = Arc::new(Pod {
                name: plan.name.clone(),
                namespace: Arc::clone(namespace),
                plan,
                folder,
                log: Mutex::default(),
                pid: Mutex::default(),
                over: AtomicBool::new(false),
            });
            lock(&self.pods).insert(pod.name.clone(), Arc::clone(&pod));
            let (process, output) = self.launch(&pod)?;
            let (sender, resolv_conf) = (Arc::clone(&self.sender), self.resolv_conf.clone());
            let what = format!("supervise pod `{}`", pod.name);
            detach(&what, move || {
                let kubelet = Self::new(sender, resolv_conf);
                kubelet.supervise(&pod, process, output);
            })?;
        }
        Ok(())
    }

    pub fn pod(&self, name: &str) -> Result<Arc<Pod>, Error> {
        lock(&self.pods)
            .get(name)
            .cloned()
            .ok_or_else(|| Error::NoSuchPod {
                pod: name.to_owned(),
            })
    }

    /// Starts the pod's process in its network namespace and in a pid namespace of its own, whose
    /// pid 1 it is: what it leaves running ends with it.
    fn launch(&self, pod: &Pod) -> Result<(Child, PipeReader), Error> {
        let start = Start {
            plan: pod.plan.clone(),
            folder: pod.folder.clone(),
            resolv_conf: self.resolv_conf.clone(),
        };
        let what = format!("start pod `{}`", pod.name);
        let cannot = |error: io::Error| Error::system(&what, error);
        let spec = serde_json::to_vec(&start).map_err(|error| cannot(error.into()))?;
        let spawn = || {
            enter(&pod.namespace)?;
            unshare_more("make a pid namespace", CloneFlags::CLONE_NEWPID)?;
            let (reader, writer) = io::pipe().map_err(cannot)?;
            let errors = writer.try_clone().map_err(cannot)?;
            let mut child = Stage::Pod
                .command(Path::new("/proc/self/exe"))
                .stdin(Stdio::piped())
                .stdout(writer)
                .stderr(errors)
                .spawn()
                .map_err(|error| not_started(&what, &error))?;
            if let Some(mut stdin) = child.stdin.take() {
                // When it ends before it has read this, its end says why.
                let _ = stdin.write_all(&spec);
            }
            Ok((child, reader))
        };
        // A thread for each start: a thread makes one pid namespace in its life.
        let (child, reader) = on_own_thread(&what, spawn)?;
        *lock(&pod.pid) = i32::try_from(child.id()).ok().map(Pid::from_raw);
        Ok((child, reader))
    }

    fn supervise(&self, pod: &Pod, mut process: Child, mut output: PipeReader) {
        let (mut restarts, mut in_a_row) = (0, 0);
        loop {
            let began = Instant::now();
            // Its pipe closes with its last process, which is pid 1 at the latest.
            pod.read_output(output);
            let status = process.wait();
            *lock(&pod.pid) = None;
            if began.elapsed() >= SOUND {
                in_a_row = 0;
            }
            let exit = status.map_or(Exit::Code(-1), exit_of);
            let again = restart_decision(pod.plan.restart, exit, in_a_row, pod.plan.restart_limit);
            let next = match again {
                RestartDecision::Yes => Next::Restarted(restarts + 1),
                RestartDecision::No => Next::Stays,
                RestartDecision::TooOften => Next::GaveUp(restarts),
            };
            if again != RestartDecision::Yes {
                pod.over.store(true, Ordering::Release);
            }
            self.report_end(pod, exit, next);
            if again != RestartDecision::Yes {
                return;
            }
            thread::sleep(PAUSE * 2_u32.saturating_pow(in_a_row.min(10)));
            restarts += 1;
            in_a_row += 1;
            match self.launch(pod) {
                Ok(started) => (process, output) = started,
                Err(error) => {
                    lock(&pod.log).push(format!("netplan: {error}\n").as_bytes());
                    pod.over.store(true, Ordering::Release);
                    self.report_end(pod, exit, Next::GaveUp(restarts));
                    return;
                }
            }
        }
    }

    fn report_end(&self, pod: &Pod, exit: Exit, next: Next) {
        let ended = PodEnded {
            pod: pod.name.clone(),
            exit,
            last_lines: Progress::last_text_lines(&lock(&pod.log).text(), LAST_LINES),
            next,
        };
        // When the command line is gone, so are we.
        let _ = self.sender.send(&Message::Ended(ended), None);
    }
}

impl Pod {
    /// Whether its process has ended and will not be started again.
    pub fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }

    pub fn log(&self) -> String {
        lock(&self.log).text()
    }

    /// Its first process, by the number here; `None` while none runs.
    pub fn pid(&self) -> Option<Pid> {
        *lock(&self.pid)
    }

    /// Ends its processes.
    pub fn kill(&self) {
        if let Some(pid) = self.pid() {
            // It may have ended in this moment.
            let _ = kill(pid, Signal::SIGKILL);
        }
    }

    /// Keeps what the pod prints until its last process has ended.
    fn read_output(&self, mut output: PipeReader) {
        let mut buffer = [0; 8192];
        loop {
            match output.read(&mut buffer) {
                Ok(0) => return,
                Ok(count) => lock(&self.log).push(&buffer[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return,
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RestartDecision {
    Yes,
    No,
    TooOften,
}

/// What the restart policy says after `in_a_row` restarts.
fn restart_decision(restart: Restart, exit: Exit, in_a_row: u32, limit: u32) -> RestartDecision {
    let wanted = match restart {
        Restart::Always => true,
        Restart::OnFailure => exit != Exit::Code(0),
        Restart::Never => false,
    };
    match wanted {
        false => RestartDecision::No,
        true if in_a_row >= limit => RestartDecision::TooOften,
        true => RestartDecision::Yes,
    }
}

fn exit_of(status: ExitStatus) -> Exit {
    match (status.code(), status.signal()) {
        (Some(code), _) => Exit::Code(code),
        (None, Some(signal)) => Exit::Signal(signal),
        (None, None) => Exit::Code(-1),
    }
}

/// Writes the pod's files. They outlive its processes, so that a restarted one finds its volumes.
fn write_pod_files(plan: &PodPlan, folder: &Path) -> Result<(), Error> {
    make_dir(&folder.join("run"))?;
    write(&folder.join("hosts"), &plan.hosts)?;
    for volume in &plan.volumes {
        let target = folder.join("volumes").join(&volume.name);
        make_dir(&target)?;
        for file in &volume.files {
            let path = target.join(&file.name);
            match &file.content {
                Content::Text(text) => write(&path, text)?,
                Content::Binary(bytes) => write(&path, &bytes.0)?,
            }
            fs::set_permissions(&path, fs::Permissions::from_mode(file.mode))
                .map_err(|error| Error::system(format!("set mode of {}", path.display()), error))?;
        }
    }
    Ok(())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

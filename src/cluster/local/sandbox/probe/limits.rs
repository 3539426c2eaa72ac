//! Tries whether the system gives as many namespaces and processes as a plan's pods need, and whether
//! network settings can be written. Everything ends with the process.

use std::io::{self, Read, Write};
use std::path::Path;
use std::process::{ExitCode, Stdio};
use std::sync::RwLock;
use std::sync::mpsc::channel;
use std::thread::{Builder, scope};
use std::time::Duration;

use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};
use serde::{Deserialize, Serialize};

use crate::cluster::Error;
use crate::cluster::local::machine::userns;
use crate::cluster::local::machine::watchdog::run_with_deadline;
use crate::cluster::local::sandbox::Stage;
use crate::cluster::local::sandbox::isolate::unshare_more;
use crate::cluster::local::sandbox::mounts::mount_new;
use crate::cluster::local::sandbox::netns::write_setting;
use crate::cluster::local::sandbox::threads::{not_started, on_own_thread};
use crate::diag::Problem;

/// How much a plan's local cluster needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amounts {
    pub nodes: usize,
    /// Workers and orchestrator.
    pub pods: usize,
}

/// Processes and threads of a pod: the worker with its helpers, a tool's server and its client.
const PER_POD: usize = 10;
/// Those of the command line and of the cluster itself.
const BESIDE: usize = 12;
/// The threads that are tried only wait.
const STACK: usize = 64 * 1024;
/// Making a namespace takes a millisecond or so.
const WITHIN: Duration = Duration::from_secs(60);
/// More than any list of problems.
const SAID_BYTES: u64 = 1 << 20;

/// The namespaces of a pod, with the limit of each.
const OF_POD: [(CloneFlags, &str); 5] = [
    (CloneFlags::CLONE_NEWNS, "mnt"),
    (CloneFlags::CLONE_NEWUTS, "uts"),
    (CloneFlags::CLONE_NEWIPC, "ipc"),
    (CloneFlags::CLONE_NEWNET, "net"),
    (CloneFlags::CLONE_NEWPID, "pid"),
];
const OF_NODE: [(CloneFlags, &str); 1] = [(CloneFlags::CLONE_NEWNET, "net")];

/// Tries it in a process that is pid 1 of a namespace, as the cluster's own first process is.
pub fn try_in_child(amounts: Amounts) -> Vec<Problem> {
    let what = "try the limits of this machine";
    let start = || {
        unshare_more("make a pid namespace", CloneFlags::CLONE_NEWPID)?;
        let mut command = Stage::ProbeLimits.command(Path::new("/proc/self/exe"));
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        command.spawn().map_err(|error| not_started(what, &error))
    };
    // A thread whose children are in another pid namespace can start no threads.
    let mut child = match on_own_thread(what, start) {
        Ok(child) => child,
        Err(error) => return vec![problem(error)],
    };
    let answered = run_with_deadline(WITHIN, &mut child, |child| {
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(&serde_json::to_vec(&amounts)?)?;
        }
        let mut said = Vec::new();
        if let Some(stdout) = child.stdout.take() {
            stdout.take(SAID_BYTES).read_to_end(&mut said)?;
        }
        Ok((child.wait()?, said))
    });
    match answered {
        Ok(((status, said), false)) => serde_json::from_slice(&said).unwrap_or_else(|_| {
            vec![problem(Error::system(
                what,
                format!("the process that tries them ended with {status}"),
            ))]
        }),
        Ok((_, true)) => vec![problem(Error::system(what, "it took too long"))],
        Err(error) => vec![problem(not_started(what, &error))],
    }
}

/// Stage `probe-limits`: reads the amounts and prints what is missing, both as JSON.
pub fn run() -> ExitCode {
    let mut text = String::new();
    let read = io::stdin().read_to_string(&mut text);
    let Ok(Ok(amounts)) = read.map(|_| serde_json::from_str(&text)) else {
        return ExitCode::FAILURE;
    };
    let problems = try_here(amounts);
    match serde_json::to_vec(&problems).map(|bytes| io::stdout().write_all(&bytes)) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

fn try_here(amounts: Amounts) -> Vec<Problem> {
    // As in the cluster: where it is refused, the old one shows the settings of the new namespaces too.
    let _ = mount_new("proc", Path::new("/proc"));
    let mut problems = Vec::new();
    if let Err(error) = write_setting("ipv4/ip_forward", "1") {
        problems.push(problem(error));
    }
    problems.extend(try_amounts(amounts).err().map(problem));
    problems
}

/// Holds all namespaces and threads at once for a moment.
fn try_amounts(Amounts { nodes, pods }: Amounts) -> Result<(), Error> {
    let threads = (BESIDE + PER_POD * pods).max(nodes + pods);
    // Every thread waits at the gate until all have started.
    let gate = RwLock::new(());
    scope(|scope| {
        let closed = gate.write();
        let (sender, made) = channel();
        let mut started = Ok(());
        for number in 0..threads {
            let namespaces: &[_] = match number {
                number if number < pods => &OF_POD,
                number if number < pods + nodes => &OF_NODE,
                _ => &[],
            };
            let (sender, gate) = (sender.clone(), &gate);
            let hold = move || {
                // The other end takes them all.
                let _ = sender.send(make(namespaces));
                drop(sender);
                drop(gate.read());
            };
            let thread = Builder::new().stack_size(STACK).spawn_scoped(scope, hold);
            if let Err(error) = thread {
                let what = format!("start {threads} processes and threads for {pods} pods");
                started = Err(not_started(&what, &error));
                break;
            }
        }
        drop(sender);
        let refused = made.iter().find_map(Result::err);
        drop(closed);
        refused.map_or(started, |refused| Err(refused.into_error(nodes, pods)))
    })
}

/// A namespace that could not be made.
struct Refused {
    errno: Errno,
    kind: &'static str,
}

fn make(namespaces: &[(CloneFlags, &'static str)]) -> Result<(), Refused> {
    namespaces
        .iter()
        .try_for_each(|&(flag, kind)| unshare(flag).map_err(|errno| Refused { errno, kind }))
}

impl Refused {
    fn into_error(self, nodes: usize, pods: usize) -> Error {
        let Self { errno, kind } = self;
        if errno != Errno::ENOSPC {
            return userns::refused(errno);
        }
        Error::from(Problem::without_place(format!(
                "cannot create the namespaces of {pods} pods and {nodes} nodes: the limit \
                 `user.max_{kind}_namespaces` is reached"
            )).help(format!(
                "raise it with `sudo sysctl -w user.max_{kind}_namespaces=15000`, or stop what uses so many"
            )))
    }
}

fn problem(error: Error) -> Problem {
    match error {
        Error::Problem(problem) => *problem,
        other => Problem::without_place(other.to_string()).help("the local cluster needs this"),
    }
}

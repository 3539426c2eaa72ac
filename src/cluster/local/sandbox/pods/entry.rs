//! Pid 1 of a pod: gives it its own mounts and names, and becomes its command.

use std::env;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use nix::sched::CloneFlags;
use nix::sys::prctl::set_no_new_privs;
use nix::unistd::sethostname;
use rustix::thread::{CapabilitySet, remove_capability_from_bounding_set};
use serde::{Deserialize, Serialize};

use crate::cluster::Error;
use crate::cluster::local::blueprint::pod_plan::PodPlan;
use crate::cluster::local::machine::path_lookup::search_path;
use crate::cluster::local::sandbox::isolate::{denied, unshare_more};
use crate::cluster::local::sandbox::mounts::{
    IMAGE, STATE, bind, bind_opened, make_dir, mount_new, open_path, read_only, write,
};
use crate::cluster::local::sandbox::reporting::print_error;
use crate::results::environment::EMULATED_VARIABLE;

/// What the kubelet tells it, on standard input.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Start {
    pub plan: PodPlan,
    /// The folder of the pod's files.
    pub folder: PathBuf,
    /// What /etc/resolv.conf leads to.
    pub resolv_conf: PathBuf,
}

/// The exit codes of shells and container runtimes for a command that could not be started.
const NOT_FOUND: u8 = 127;
const NOT_STARTED: u8 = 126;

/// Stage `pod`.
pub fn run() -> ExitCode {
    let mut text = Vec::new();
    let start: Start = match io::stdin().read_to_end(&mut text) {
        Ok(_) => match serde_json::from_slice(&text) {
            Ok(start) => start,
            Err(error) => return fail(&error, NOT_STARTED),
        },
        Err(error) => return fail(&error, NOT_STARTED),
    };
    if let Err(error) = set_up_pod(&start) {
        return fail(&error, NOT_STARTED);
    }
    let Some((program, args)) = start.plan.argv.split_first() else {
        return fail(&"the command is empty", NOT_FOUND);
    };
    let error = Command::new(program)
        .args(args)
        .env_clear()
        .env("PATH", path())
        // For tools that were installed outside of the system's folders.
        .envs(env::var_os("LD_LIBRARY_PATH").map(|value| ("LD_LIBRARY_PATH", value)))
        .env(EMULATED_VARIABLE, "1")
        .envs(start.plan.env.iter().map(|(key, value)| (key, value)))
        .current_dir("/")
        .stdin(Stdio::null())
        .exec();
    let code = match error.kind() {
        io::ErrorKind::NotFound => NOT_FOUND,
        _ => NOT_STARTED,
    };
    fail(&format!("cannot start `{program}`: {error}"), code)
}

fn fail(error: &dyn std::fmt::Display, code: u8) -> ExitCode {
    print_error(&format!("netplan: {error}"));
    ExitCode::from(code)
}

/// Our own program first: it is the `netplan` of the image.
fn path() -> OsString {
    let mut path = OsString::from(IMAGE);
    path.push(":");
    path.push(search_path());
    path
}

/// Where the machine shows its control groups.
const CGROUPS: &str = "/sys/fs/cgroup";

/// Mounts what the pod sees. Its `/run` is a folder of the sandbox's; it is put together there,
/// and moved to its place last, because it covers where all the rest comes from.
fn set_up_pod(start: &Start) -> Result<(), Error> {
    let flags = CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWUTS | CloneFlags::CLONE_NEWIPC;
    unshare_more("make the pod's namespaces", flags)?;
    // Only for show.
    let _ = sethostname(&start.plan.name);
    let run = start.folder.join("run");
    // Opened before they are covered.
    let host_paths: Vec<(&Path, File)> = start
        .plan
        .host_paths
        .iter()
        .map(|path| Ok((path.as_path(), open_path(path)?)))
        .collect::<Result<_, Error>>()?;
    let mut closed = Vec::new();
    for mount in &start.plan.mounts {
        let path = Path::new(&mount.path);
        let target = match path.strip_prefix("/run") {
            Ok(below) => {
                let target = run.join(below);
                make_dir(&target)?;
                target
            }
            Err(_) => path.to_path_buf(),
        };
        bind(&start.folder.join("volumes").join(&mount.volume), &target)?;
        if mount.read_only {
            closed.push(target);
        }
    }
    for (path, opened) in host_paths {
        bind_opened(&opened, path)?;
    }
    for target in closed {
        read_only(&target)?;
    }
    // The folder and not the file in it: a file that has been deleted since, as when a new build
    // takes its place, cannot be bound any more.
    let image = run.join(IMAGE.trim_start_matches("/run/"));
    make_dir(&image)?;
    bind(&Path::new(STATE).join("image"), &image)?;
    bind(&start.folder.join("hosts"), Path::new("/etc/hosts"))?;
    // Without a name server, names that /etc/hosts lacks fail at once instead of after seconds.
    let nameless = Path::new(STATE).join("empty");
    match start.resolv_conf.strip_prefix("/run") {
        Ok(below) => write(&run.join(below), "")?,
        Err(_) if start.resolv_conf.exists() => bind(&nameless, &start.resolv_conf)?,
        Err(_) => {}
    }
    bind(&run, Path::new("/run"))?;
    // Where a container's masks forbid a new one, the old one does.
    let cgroups = File::open(CGROUPS);
    let _ = mount_new("proc", Path::new("/proc"));
    if mount_new("sysfs", Path::new("/sys")).is_ok()
        && let Ok(cgroups) = cgroups
    {
        // The new one covers them; a pod sees its own, to know when a CPU limit stops it.
        let covered = format!("/proc/self/fd/{}", cgroups.as_raw_fd());
        if bind(Path::new(&covered), Path::new(CGROUPS)).is_ok() {
            let _ = read_only(Path::new(CGROUPS));
        }
    }
    set_no_new_privs().map_err(|errno| denied("set no_new_privs", errno))?;
    drop_capabilities();
    Ok(())
}

/// What a pod's processes may do with the namespaces that they are in. Without the others they can neither see the
/// memory of the pod's first process, nor what is mounted over.
const KEPT: CapabilitySet = CapabilitySet::CHOWN
    .union(CapabilitySet::DAC_OVERRIDE)
    .union(CapabilitySet::FOWNER)
    .union(CapabilitySet::FSETID)
    .union(CapabilitySet::KILL)
    .union(CapabilitySet::SETGID)
    .union(CapabilitySet::SETUID)
    .union(CapabilitySet::NET_BIND_SERVICE)
    .union(CapabilitySet::NET_BROADCAST)
    .union(CapabilitySet::NET_ADMIN)
    .union(CapabilitySet::NET_RAW)
    .union(CapabilitySet::IPC_LOCK)
    .union(CapabilitySet::SYS_NICE)
    .union(CapabilitySet::SYS_RESOURCE);

/// Takes all other capabilities from the programs that this process becomes. One that the kernel does not
/// know needs no taking.
fn drop_capabilities() {
    for capability in CapabilitySet::all().difference(KEPT).iter() {
        let _ = remove_capability_from_bounding_set(capability);
    }
}

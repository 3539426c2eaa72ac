//! Mounting, with errors that say what.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;
use nix::mount::{MsFlags, mount};

use super::isolate::denied;
use crate::cluster::Error;
use crate::diag::Problem;

/// Where the sandbox keeps its files; in a tmpfs that no one else sees.
pub const STATE: &str = "/run/netplan-state";
/// The folder of our own program, in pods.
pub const IMAGE: &str = "/run/netplan-image";

/// An empty /run, which is where our files and those of the pods are.
pub fn cover_run() -> Result<(), Error> {
    let run = Path::new("/run");
    if !run.is_dir() {
        return Err(Error::from(
            Problem::without_place("there is no folder `/run`, which the files of pods need")
                .help("create it with `sudo mkdir /run`"),
        ));
    }
    mount_new("tmpfs", run)
}

/// A file system without a device, as `tmpfs` or `proc`.
pub fn mount_new(kind: &str, target: &Path) -> Result<(), Error> {
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    mount(Some(kind), target, Some(kind), flags, None::<&str>)
        .map_err(|errno| denied(&format!("mount {kind} on {}", target.display()), errno))
}

/// Shows `source`, with what is mounted below it, at `target` as well.
pub fn bind(source: &Path, target: &Path) -> Result<(), Error> {
    let flags = MsFlags::MS_BIND | MsFlags::MS_REC;
    mount(Some(source), target, None::<&str>, flags, None::<&str>).map_err(|errno| {
        denied(
            &format!("bind {} to {}", source.display(), target.display()),
            errno,
        )
    })
}

/// Makes a bound folder of the sandbox's tmpfs read-only.
pub fn read_only(target: &Path) -> Result<(), Error> {
    let flags = MsFlags::MS_REMOUNT
        | MsFlags::MS_BIND
        | MsFlags::MS_RDONLY
        | MsFlags::MS_NOSUID
        | MsFlags::MS_NODEV;
    mount(None::<&str>, target, None::<&str>, flags, None::<&str>)
        .map_err(|errno| denied(&format!("make {} read-only", target.display()), errno))
}

/// Opens a path only to be bound later.
pub fn open_path(path: &Path) -> Result<File, Error> {
    File::options()
        .read(true)
        .custom_flags(OFlag::O_PATH.bits())
        .open(path)
        .map_err(|error| Error::system(format!("open {}", path.display()), error))
}

/// Shows what was opened, with what is mounted below it, at `target` as well, and read-only.
pub fn bind_opened(opened: &File, target: &Path) -> Result<(), Error> {
    let source = PathBuf::from(format!("/proc/self/fd/{}", opened.as_raw_fd()));
    if opened.metadata().is_ok_and(|meta| meta.is_dir()) {
        make_dir(target)?;
    } else {
        write(target, "")?;
    }
    bind(&source, target)?;
    let flags = MsFlags::MS_REMOUNT
        | MsFlags::MS_BIND
        | MsFlags::MS_RDONLY
        | MsFlags::MS_NOSUID
        | MsFlags::MS_NODEV;
    let remount = |flags| mount(None::<&str>, target, None::<&str>, flags, None::<&str>);
    // In a user namespace a flag that the machine's mount has cannot be taken away.
    remount(flags)
        .or_else(|_| remount(flags | MsFlags::MS_NOEXEC))
        .map_err(|errno| denied(&format!("make {} read-only", target.display()), errno))
}

/// Cuts this mount namespace off from the machine's.
pub fn make_private() -> Result<(), Error> {
    let flags = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    mount(None::<&str>, "/", None::<&str>, flags, None::<&str>)
        .map_err(|errno| denied("make mounts private", errno))
}

/// Makes our own program a file at `target`: by a mount, or as a copy where its path does not
/// lead to it any more (deleted, or below a folder that is covered or closed to us).
pub fn place_program(target: &Path) -> Result<(), Error> {
    let running = Path::new("/proc/self/exe");
    let id = |path: &Path| fs::metadata(path).map(|file| (file.dev(), file.ino()));
    let by_path = fs::read_link(running).ok().filter(
        |path| matches!((id(path), id(running)), (Ok(by_path), Ok(running)) if by_path == running),
    );
    write(target, "")?;
    if by_path.is_some_and(|path| bind(&path, target).is_ok()) {
        return Ok(());
    }
    fs::copy(running, target)
        .map(drop)
        .map_err(|error| Error::system(format!("copy the program to {}", target.display()), error))
}

/// What this name means once symbolic links are followed; itself where it leads nowhere.
pub fn resolved(path: &str) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| {
        fs::read_link(path).map_or_else(|_| PathBuf::from(path), |to| Path::new("/etc").join(to))
    })
}

pub fn make_dir(path: &Path) -> Result<(), Error> {
    fs::create_dir_all(path)
        .map_err(|error| Error::system(format!("make folder {}", path.display()), error))
}

pub fn write(path: &Path, content: impl AsRef<[u8]>) -> Result<(), Error> {
    let write = || -> io::Result<()> {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(path, content.as_ref())
    };
    write().map_err(|error| Error::system(format!("write {}", path.display()), error))
}

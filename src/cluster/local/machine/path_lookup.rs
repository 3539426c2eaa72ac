//! The programs that the local cluster calls or runs in pods, and where they are.

use std::env;
use std::ffi::{OsStr, OsString};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::tools::Program;

/// All programs that a local cluster may call.
pub const IP: Program = Program {
    name: "ip",
    package: "iproute2",
};
pub const TC: Program = Program {
    name: "tc",
    package: "iproute2",
};
pub const NFT: Program = Program {
    name: "nft",
    package: "nftables",
};
pub const ETHTOOL: Program = Program {
    name: "ethtool",
    package: "ethtool",
};

/// The folders of system programs, which ordinary users often lack in their `PATH`.
const SYSTEM: &str = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin";

/// Whether a program is where pods look for it.
#[must_use]
pub fn is_installed(program: Program) -> bool {
    locate(program.name).is_some()
}

/// The file that pods start by this name; its own symbolic links are not followed.
pub fn locate(program: &str) -> Option<PathBuf> {
    let is_program = |file: &PathBuf| {
        file.metadata()
            .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
    };
    if program.contains('/') {
        return Some(PathBuf::from(program)).filter(is_program);
    }
    env::split_paths(&search_path())
        .map(|folder| folder.join(program))
        .find(is_program)
}

/// `PATH`, and the folders of system programs. Each folder is named as it is once symbolic links are
/// followed, because pods have a `/run` and a working directory of their own: a link below `/run`, as
/// `PATH` has some on NixOS, leads nowhere there.
pub fn search_path() -> OsString {
    let path = env::var_os("PATH").unwrap_or_default();
    joined(&folders(&[&path, OsStr::new(SYSTEM)]))
}

/// The folders that these lists name and that exist, each once.
fn folders(lists: &[&OsStr]) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = Vec::new();
    for list in lists.iter().filter(|list| !list.is_empty()) {
        for folder in env::split_paths(list) {
            match folder.canonicalize() {
                Ok(folder) if !folders.contains(&folder) => folders.push(folder),
                _ => {}
            }
        }
    }
    folders
}

fn joined(folders: &[PathBuf]) -> OsString {
    let mut list = OsString::new();
    for folder in folders {
        if !list.is_empty() {
            list.push(":");
        }
        list.push(folder);
    }
    list
}

/// Everything that starting these programs in a pod needs to see of this machine's files: the program
/// as it is found, what it leads to, and the folders of `LD_LIBRARY_PATH`, which pods are given.
pub fn files_for(programs: impl IntoIterator<Item = impl AsRef<str>>) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = Vec::new();
    for program in programs {
        if let Some(file) = locate(program.as_ref()) {
            files.extend(file.canonicalize());
            files.push(file);
        }
    }
    match env::var_os("LD_LIBRARY_PATH") {
        Some(libraries) if !files.is_empty() => files.extend(folders(&[&libraries])),
        _ => {}
    }
    files
}

/// Whether pods have another thing where this file of the machine is, and none of it can be shown to
/// them: the sandbox covers these folders.
pub fn is_covered(file: &Path) -> bool {
    ["/run", "/proc", "/sys"]
        .iter()
        .any(|folder| file.starts_with(folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_named_once_and_without_links() {
        let folder = tempfile::tempdir().unwrap();
        let real = folder.path().canonicalize().unwrap().join("real");
        std::fs::create_dir(&real).unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&real, &link).unwrap();
        let list = joined(&[link, folder.path().join("none"), real.clone()]);
        assert_eq!(folders(&[&list, OsStr::new("")]), [real]);
        let relative = folders(&[OsStr::new(".")]);
        assert!(relative[0].is_absolute());
    }
}

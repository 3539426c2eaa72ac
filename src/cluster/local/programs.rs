//! The programs that the local cluster calls, and where they are.

use std::env;
use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

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

/// Whether a program is where pods look for it.
#[must_use]
pub fn found(program: Program) -> bool {
    env::split_paths(&search_path()).any(|folder| {
        let file: PathBuf = folder.join(program.name);
        file.metadata()
            .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
    })
}

/// `PATH`, and the folders of system programs, which ordinary users often lack in theirs.
pub fn search_path() -> OsString {
    let mut path = env::var_os("PATH").unwrap_or_default();
    if !path.is_empty() {
        path.push(":");
    }
    path.push("/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin");
    path
}

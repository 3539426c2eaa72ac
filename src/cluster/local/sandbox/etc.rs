//! What `/etc` of the machine lacks for pods: an `/etc/hosts` to mount each pod's own over, and an
//! `/etc/protocols` that names TCP, without which netperf crashes. Minimal images have neither.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::mounts::{STATE, bind, make_dir, mount_new, write};
use crate::cluster::Error;
use crate::tools::names_tcp;

const ETC: &str = "/etc";
const HOSTS: &str = "/etc/hosts";
const PROTOCOLS: &str = "/etc/protocols";

/// Where the machine's /etc is seen in ours.
const MACHINE: &str = ".machine";

/// Names and numbers of the protocols that tools ask for (protocols(5); the numbers are IANA's).
const NAMES: &str = "\
ip\t0\tIP
icmp\t1\tICMP
tcp\t6\tTCP
udp\t17\tUDP
ipv6\t41\tIPv6
ipv6-icmp\t58\tIPv6-ICMP
sctp\t132\tSCTP
";

/// Completes /etc. Where a file is missing, or is a link that leads nowhere, e.g. in many containers, /etc
/// becomes a folder of ours that shows what the machine's shows.
pub fn complete() -> Result<(), Error> {
    let is_missing = |path: &str| !Path::new(path).exists();
    let missing: Vec<&str> = [HOSTS, PROTOCOLS]
        .into_iter()
        .filter(|path| is_missing(path))
        .collect();
    if !missing.is_empty() {
        cover(&missing)?;
    }
    for path in &missing {
        write(Path::new(path), "")?;
    }
    if fs::read_to_string(PROTOCOLS).is_ok_and(|text| names_tcp(&text)) {
        return Ok(());
    }
    let names = Path::new(STATE).join("protocols");
    write(&names, NAMES)?;
    bind(&names, Path::new(PROTOCOLS))
}

/// Covers /etc by a folder that leads to the machine's for all but these files.
fn cover(but: &[&str]) -> Result<(), Error> {
    let shown = || -> io::Result<()> {
        for entry in fs::read_dir(Path::new(ETC).join(MACHINE))? {
            let entry = entry?;
            let (name, here) = (entry.file_name(), Path::new(ETC).join(entry.file_name()));
            if but.iter().any(|path| here == Path::new(path)) {
                continue;
            }
            let target = if entry.file_type()?.is_symlink() {
                // A relative one means the same here as where it was.
                fs::read_link(entry.path())?
            } else {
                Path::new(MACHINE).join(name)
            };
            symlink(target, here)?;
        }
        Ok(())
    };
    let aside = Path::new(STATE).join("etc");
    make_dir(&aside)?;
    bind(Path::new(ETC), &aside)?;
    mount_new("tmpfs", Path::new(ETC))?;
    let machine = Path::new(ETC).join(MACHINE);
    make_dir(&machine)?;
    bind(&aside, &machine)?;
    shown().map_err(|error| Error::system("show the machine's /etc in ours", error))
}

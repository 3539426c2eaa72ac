//! Why a kernel refuses user namespaces, and what to do about it.

use std::fs;

use nix::errno::Errno;

use crate::cluster::Error;
use crate::diag::Problem;

/// What the machine says about user namespaces; `None` where it has no such switch.
#[derive(Clone, Copy, Debug, Default)]
struct Switches {
    max_user_namespaces: Option<u64>,
    unprivileged_userns_clone: Option<u64>,
    apparmor_restrict: Option<u64>,
}

/// The error for namespaces that were refused with this errno.
pub fn refused(errno: Errno) -> Error {
    let read = |path: &str| fs::read_to_string(path).ok()?.trim().parse().ok();
    let switches = Switches {
        max_user_namespaces: read("/proc/sys/user/max_user_namespaces"),
        unprivileged_userns_clone: read("/proc/sys/kernel/unprivileged_userns_clone"),
        apparmor_restrict: read("/proc/sys/kernel/apparmor_restrict_unprivileged_userns"),
    };
    Error::from(reason(errno, switches))
}

fn reason(errno: Errno, switches: Switches) -> Problem {
    let off = |key: &str, value: u64, allow: &str| {
        (
            format!("user namespaces are disabled (`{key}` is {value})"),
            format!("enable them with `sudo sysctl -w {key}={allow}`, or run netplan with sudo"),
        )
    };
    let (what, help) = match switches {
        Switches {
            max_user_namespaces: Some(0),
            ..
        } => off("user.max_user_namespaces", 0, "15000"),
        Switches {
            unprivileged_userns_clone: Some(0),
            ..
        } => off("kernel.unprivileged_userns_clone", 0, "1"),
        Switches {
            apparmor_restrict: Some(1),
            ..
        } => off("kernel.apparmor_restrict_unprivileged_userns", 1, "0"),
        _ if errno == Errno::EPERM || errno == Errno::EACCES => (
            format!("this process may not create namespaces ({errno})"),
            "in a container, start it with `--privileged`, or with a seccomp profile that allows \
             unshare and mount"
                .to_owned(),
        ),
        _ if errno == Errno::ENOSPC => (
            "this user has reached the limit of namespaces".to_owned(),
            // The kernel does not say which of the limits was reached.
            "raise the limits that `sysctl -a --pattern 'user.max_.*_namespaces'` shows, with \
             `sudo sysctl -w`, or stop what uses so many"
                .to_owned(),
        ),
        _ => (
            format!("the kernel cannot create the namespaces ({errno})"),
            "the local cluster needs a kernel with user, mount, network, pid, ipc and uts \
             namespaces"
                .to_owned(),
        ),
    };
    Problem::without_place(what).help(help)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_switch_is_named_with_its_way_out() {
        let cases = [
            (
                Switches {
                    max_user_namespaces: Some(0),
                    ..Switches::default()
                },
                "max_user_namespaces",
            ),
            (
                Switches {
                    unprivileged_userns_clone: Some(0),
                    ..Switches::default()
                },
                "unprivileged_userns_clone=1",
            ),
            (
                Switches {
                    apparmor_restrict: Some(1),
                    ..Switches::default()
                },
                "apparmor_restrict_unprivileged_userns=0",
            ),
            (
                Switches {
                    max_user_namespaces: Some(9),
                    ..Switches::default()
                },
                "--privileged",
            ),
        ];
        for (switches, word) in cases {
            let problem = reason(Errno::EPERM, switches);
            assert!(problem.to_string().contains(word), "{problem}");
        }
    }
}

//! Limits of this machine that keep the local cluster from starting, and how to raise them.

use std::fs;

use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit};

use crate::diag::Problem;

/// The kernel starts no more processes or threads (EAGAIN of fork(2) and clone(2)). `what` completes
/// "cannot …".
pub fn process_limit_reached(what: &str) -> Problem {
    let soft = getrlimit(Resource::RLIMIT_NPROC).map_or(RLIM_INFINITY, |(soft, _)| soft);
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    reason(what, soft, pids_max(&groups))
}

fn reason(what: &str, soft: u64, pids_max: Option<String>) -> Problem {
    let limits = match (soft, pids_max) {
        (RLIM_INFINITY, None) => "the limit of processes is reached".to_owned(),
        (RLIM_INFINITY, Some(most)) => {
            format!("the limit of processes is reached (`pids.max` of the control group is {most})")
        }
        (soft, None) => format!(
            "the limit of processes is reached (`ulimit -u` is {soft} for all processes and threads of this user)"
        ),
        (soft, Some(most)) => format!(
            "the limit of processes is reached (`ulimit -u` is {soft} for all processes and threads of this user, \
             `pids.max` of the control group is {most})"
        ),
    };
    Problem::without_place(format!("cannot {what}: {limits}")).help(
        "raise the limit (`ulimit -u`, /etc/security/limits.conf, `TasksMax=` of systemd, or \
               `--pids-limit` of the container), or end other processes of this user",
    )
}

/// The limit of this process's own control group (cgroup v2), if it has one and can be seen.
fn pids_max(cgroups: &str) -> Option<String> {
    let path = cgroups.lines().find_map(|line| line.strip_prefix("0::"))?;
    let text = fs::read_to_string(format!("/sys/fs/cgroup{path}/pids.max")).ok()?;
    Some(text.trim().to_owned()).filter(|most| most != "max")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limits_that_there_are_are_named() {
        let said = |soft, pids: Option<&str>| {
            let pids = pids.map(str::to_owned);
            reason("start pod `w1`", soft, pids).to_string()
        };
        for (soft, pids) in [(12, None), (12, Some("99")), (RLIM_INFINITY, Some("99"))] {
            let said = said(soft, pids);
            assert!(
                said.starts_with("cannot start pod `w1`: the limit"),
                "{said}"
            );
            assert_eq!(said.contains("`ulimit -u` is 12"), soft == 12, "{said}");
            assert_eq!(said.contains("`pids.max` of"), pids.is_some(), "{said}");
        }
        assert!(!said(RLIM_INFINITY, None).contains(" is 1"));
    }
}

//! netperf needs `tcp` in `/etc/protocols`.
//!
//! Given `-G`, netperf 2.7.0 and 2.7.1 call getprotobyname(3) for `tcp` and use what it returns without
//! looking. Where no `/etc/protocols` names it, as in minimal images, the client crashes. The server does
//! not ask.

use crate::diag::Problem;
use crate::schedule::Param;
use crate::tools::failure::{Cause, Failure};
use crate::tools::installed::{Installed, Use};
use crate::tools::tool::Job;

const HELP: &str = "install the package `netbase` where the client runs";

/// Why a client with this installation would crash.
pub(super) fn unfit(installed: &Installed<'_>, used: Use<'_>) -> Option<Problem> {
    let Use::Client(params) = used else {
        return None;
    };
    params.get(Param::Mss)?;
    let version = installed.version.unwrap_or_default();
    (installed.names_tcp == Some(false)).then(|| Problem::without_place(format!(
            "netperf {version} crashes when it sets the MSS, because `/etc/protocols` does not name `tcp`"
        )).help(HELP.to_owned()))
}

/// Says of a crash with `-G` what is known of it.
pub(super) fn explained(failure: Failure, job: &Job<'_>) -> Failure {
    if failure.cause != Cause::Crashed || job.params.get(Param::Mss).is_none() {
        return failure;
    }
    let words = format!(
        "{}; with `-G` netperf does so where `/etc/protocols` does not name `tcp`: {HELP}",
        failure.words
    );
    Failure::new(Cause::Crashed, &words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{BuiltInUse, Timing};
    use crate::schedule::Params;
    use crate::tools::{Ended, How, Tool, netperf::Netperf};

    #[test]
    fn only_a_client_that_sets_an_mss_needs_the_name() {
        let with = Params(vec![(Param::Mss, 600)]);
        let without = Params(vec![(Param::WriteSize, 600)]);
        let installed = |names_tcp| Installed {
            version: Some("2.7.1"),
            names_tcp,
        };
        let lacking = installed(Some(false));
        let unfit_client = unfit(&lacking, Use::Client(&with)).unwrap();
        assert_eq!(
            unfit_client.what,
            "netperf 2.7.1 crashes when it sets the MSS, because `/etc/protocols` does not name `tcp`"
        );
        assert_eq!(unfit(&lacking, Use::Client(&without)), None);
        assert_eq!(unfit(&lacking, Use::Server), None);
        for names_tcp in [Some(true), None] {
            assert_eq!(unfit(&installed(names_tcp), Use::Client(&with)), None);
        }
    }

    #[test]
    fn a_crash_is_explained_where_an_mss_was_to_be_set() {
        let timing = Timing::default();
        let read = |params: &[(Param, u64)], signal| {
            let params = Params(params.to_vec());
            let job = Job {
                params: &params,
                timing: &timing,
                target: "10.96.0.12",
                slot: 0,
            };
            let ended = Ended::silent(How::Signal(signal));
            let netperf = BuiltInUse::new("netperf", "TCP_STREAM").unwrap();
            Netperf::from(&netperf).read(&job, &ended).unwrap_err()
        };
        let crashed = read(&[(Param::Mss, 600)], 11);
        assert_eq!(crashed.cause, Cause::Crashed);
        assert!(
            crashed
                .words
                .contains("netperf crashed: signal 11 (SIGSEGV)")
        );
        assert!(crashed.words.contains("`netbase`"), "{}", crashed.words);
        assert!(!read(&[], 11).words.contains("netbase"));
        let killed = read(&[(Param::Mss, 600)], 9);
        assert_eq!(killed.cause, Cause::Killed);
        assert!(!killed.words.contains("netbase"));
    }
}

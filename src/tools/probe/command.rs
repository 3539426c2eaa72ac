//! The probe's command lines.

use std::time::Duration;

use super::mode::Probe;
use crate::catalog::OWN_PROGRAM;
use crate::plan::units::Duration as Time;
use crate::tools::tool::{Client, Job, Ready, Server};

/// The port of packets of slot 0; new connections have the next one.
const FIRST_PORT: u16 = 5400;

/// What the server prints when it is ready.
pub const READY: &str = "the probe's server is ready";

/// How much longer than its sample a server lasts that nobody stops: a client may be late, and try again.
const SERVER_PATIENCE: Duration = Duration::from_secs(300);

/// Each path to a destination has its own ports, so that paths can be measured at the same time.
pub(super) fn port(slot: u16) -> u16 {
    FIRST_PORT.saturating_add(slot.saturating_mul(2))
}

fn argv(role: &str, slot: u16) -> Vec<String> {
    let port = port(slot).to_string();
    [OWN_PROGRAM, "probe", role, "--port", &port]
        .map(str::to_owned)
        .to_vec()
}

pub(super) fn server(job: &Job<'_>) -> Server {
    let mut argv = argv("server", job.slot);
    let timing = job.timing;
    let lasts = timing.warmup.0 + timing.duration.0 + SERVER_PATIENCE;
    argv.extend(["--for".to_owned(), Time(lasts).to_string()]);
    Server {
        argv,
        ready: Ready::Line(READY.to_owned()),
    }
}

pub(super) fn client(probe: Probe, job: &Job<'_>) -> Client {
    let mut argv = argv("client", job.slot);
    let mut option = |name: &str, value: String| argv.extend([name.to_owned(), value]);
    option("--to", job.target.to_owned());
    option("--for", job.timing.duration.to_string());
    if !job.timing.warmup.0.is_zero() && !probe.finds_mtu() {
        option("--warmup", job.timing.warmup.to_string());
    }
    if let Some(intervals) = job.timing.intervals {
        option("--intervals", intervals.to_string());
    }
    if let Some(interval) = probe.interval {
        option("--interval", Time(interval).to_string());
    }
    if let Some(interval) = probe.connect_interval {
        option("--connect-interval", Time(interval).to_string());
    }
    let kinds = [
        ("--udp", probe.sends_udp()),
        ("--tcp", probe.sends_tcp()),
        ("--mtu", probe.finds_mtu()),
    ];
    for (kind, is_sent) in kinds {
        if is_sent {
            argv.push(kind.to_owned());
        }
    }
    Client {
        argv,
        warmup_argv: Vec::new(),
        // The latency is measured, not the connection.
        watch_tcp_port: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{BuiltInUse, Timing};
    use crate::schedule::Params;

    fn line(used: &BuiltInUse, warmup_s: u64) -> (String, String) {
        let s = |s| Time(Duration::from_secs(s));
        let timing = Timing {
            duration: s(10),
            warmup: s(warmup_s),
            ..Timing::default()
        };
        let params = Params::default();
        let job = Job {
            params: &params,
            timing: &timing,
            target: "10.96.0.12",
            slot: 1,
        };
        let client = client(Probe::from(used), &job).argv.join(" ");
        (client, server(&job).argv.join(" "))
    }

    #[test]
    fn each_mode_has_its_options_and_the_slots_ports() {
        let head = "netplan probe client --port 5402 --to 10.96.0.12 --for 10s";
        for (mode, options) in [
            ("all", "--interval 1ms --connect-interval 20ms --udp --tcp"),
            ("udp", "--interval 1ms --udp"),
            ("tcp", "--interval 1ms --tcp"),
            ("connect", "--connect-interval 20ms"),
            ("mtu", "--mtu"),
        ] {
            let used = BuiltInUse::new("probe", mode).unwrap();
            let (client, server) = line(&used, 0);
            assert_eq!(client, format!("{head} {options}"));
            assert_eq!(server, "netplan probe server --port 5402 --for 310s");
        }
        let used = BuiltInUse::new("probe", "tcp").unwrap();
        let timing = Timing {
            duration: Time(Duration::from_secs(10)),
            intervals: Some(Time(Duration::from_millis(500))),
            ..Timing::default()
        };
        let job = Job {
            params: &Params::default(),
            timing: &timing,
            target: "10.96.0.12",
            slot: 1,
        };
        assert_eq!(
            client(Probe::from(&used), &job).argv.join(" "),
            format!("{head} --intervals 500ms --interval 1ms --tcp")
        );
        let used = BuiltInUse::new("probe", "udp")
            .unwrap()
            .with("interval", 100);
        let (client, _) = line(&used, 2);
        assert_eq!(client, format!("{head} --warmup 2s --interval 100us --udp"));
    }
}

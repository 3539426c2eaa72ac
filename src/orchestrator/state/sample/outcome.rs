//! What a worker's environment and a process's end mean for a sample.

use std::time::Duration;

use super::super::message::TcpConnection;
use crate::catalog::{Direction, lowest_interval};
use crate::diag::Problem;
use crate::results::environment::host_metrics::{End, Observation, RECEIVED_PACKETS};
use crate::results::{Circumstances, WorkerEnvironment};
use crate::tools::{
    Cause, Ended, How, Metrics, Ready, Series, Tool, Use, cut_note, first_lines, name,
};

/// Why this worker cannot take its part in a sample of the tool.
pub(in super::super) fn why_unfit(
    tool: &dyn Tool,
    worker: &str,
    environment: &WorkerEnvironment,
    used: Use<'_>,
) -> Option<String> {
    let name = tool.name();
    if tool.version_query().is_some() && !environment.tools.contains_key(name) {
        return Some(format!(
            "`{name}` is not on worker `{worker}`: install it there (for this machine, \
             `netplan doctor` says how) and run again, or leave it out with `--only`"
        ));
    }
    if let Some(program) = tool.program_for(used)
        && !environment.programs.contains_key(program)
    {
        let origin = tool.origin().unwrap_or_default();
        return Some(format!(
            "`{program}` of the tool `{name}` is not on worker `{worker}`: {origin}; install it \
             there and run again, or leave these cells out with `--only`"
        ));
    }
    let Problem { what, help, .. } = tool.unfit(&environment.installed(name), used)?;
    let help = help.unwrap_or_default();
    Some(format!(
        "{what} (worker `{worker}`): {help} (for Kubernetes, in the image that `kubernetes.image` names), \
         or leave these cells out with `--only`"
    ))
}

/// Why a server that has ended before it was ready did so.
pub(in super::super) fn why_no_server(
    ended: &Ended,
    awaited: &Ready,
    within: Duration,
) -> (Cause, String) {
    let (said, cut) = (first_lines(ended), cut_note(ended));
    let with_said = |text: String| {
        if said.is_empty() {
            format!("{text}{cut}")
        } else {
            format!("{text}{cut}: {said}")
        }
    };
    match &ended.how {
        How::NotFound(program) => (
            Cause::ToolMissing,
            format!("the server's program `{program}` is not there"),
        ),
        How::NotStarted(why) => (
            Cause::ServerFailed,
            format!("the server could not be started: {why}"),
        ),
        How::Deadline => (
            Cause::ServerFailed,
            with_said(format!(
                "the server was not ready after {} s of waiting for {awaited}",
                within.as_secs()
            )),
        ),
        How::Code(code) => match said.lines().find(|line| refuses_an_option(line)) {
            Some(line) => (Cause::OptionRefused, line.to_owned()),
            None => (
                Cause::ServerFailed,
                with_said(format!(
                    "the server ended with exit code {code} before it was ready"
                )),
            ),
        },
        How::Signal(signal) => (
            Cause::ServerFailed,
            with_said(format!(
                "signal {signal} ended the server before it was ready"
            )),
        ),
        How::Stopped => (
            Cause::ServerFailed,
            with_said("the server was stopped before it was ready".to_owned()),
        ),
    }
}

/// Whether getopt(3) of the C libraries complains of an option that the program does not know.
fn refuses_an_option(line: &str) -> bool {
    ["unrecognized option", "unknown option", "invalid option"]
        .iter()
        .any(|complaint| line.contains(complaint))
}

/// Adds what the kernel said of the connection: its MSS always, the rest where the tool says nothing.
pub(in super::super) fn add_tcp_figures(metrics: &mut Metrics, tcp: Option<TcpConnection>) {
    let Some(tcp) = tcp.filter(|tcp| tcp.mss > 0) else {
        return;
    };
    metrics.set(name::EFFECTIVE_MSS, f64::from(tcp.mss));
    for (name, value) in [
        (name::RTT_US, tcp.rtt_us),
        (name::RETRANSMITS, tcp.retransmits),
    ] {
        if let (None, Some(value)) = (metrics.get(name), value) {
            metrics.set(name, f64::from(value));
        }
    }
}

/// Marks the intervals whose rate is above the one of the link, which each direction has for itself.
pub(in super::super) fn mark_over_link(all: &mut [Series], circumstances: &Circumstances) {
    let Some(link_bps) = circumstances.link_bps else {
        return;
    };
    let of_throughput = |series: &&mut Series| {
        lowest_interval(series.metric()) == Some(name::THROUGHPUT_LOWEST_BPS)
    };
    for series in all.iter_mut().filter(of_throughput) {
        series.mark_over_link(link_bps);
    }
}

/// Adds the lowest rate of the intervals that count: of both directions that of the slower one.
pub(in super::super) fn add_lowest(metrics: &mut Metrics, all: &[Series]) {
    for series in all {
        if let Some((metric, rate)) = lowest_interval(series.metric()).zip(series.lowest()) {
            let lowest = metrics.get(metric).map_or(rate, |lowest| lowest.min(rate));
            metrics.set(metric, lowest);
        }
    }
}

/// Adds what an end observed around the sample.
pub(in super::super) fn add_observation(
    metrics: &mut Metrics,
    end: End,
    seen: Option<Observation>,
) {
    for (metric, value) in seen.into_iter().flat_map(|seen| seen.figures) {
        metrics.set(metric.at(end), value);
    }
}

/// Adds the packets a second of a stream whose tool does not count them: those that the interface of the end
/// that receives the payload counted. There are none where both ends do, an offload joins segments to larger packets, or where the interface also carries what the
/// same pod sends.
pub(in super::super) fn add_packet_rate(
    metrics: &mut Metrics,
    direction: Direction,
    circumstances: &Circumstances,
) {
    let (end, warmup_s) = match direction {
        Direction::Forward => (End::Server, circumstances.server_warmup_s),
        Direction::Reverse => (End::Client, circumstances.client_warmup_s),
        Direction::Both => return,
    };
    if metrics.get(name::THROUGHPUT_BPS).is_none()
        || metrics.get(name::PACKETS_PER_S).is_some()
        || !circumstances.offloads.is_empty()
        || circumstances.hairpin
        || circumstances.loopback
        || circumstances.loaded
    {
        return;
    }
    let received = metrics.get(RECEIVED_PACKETS.at(end));
    let elapsed = metrics.get(name::ELAPSED_S);
    // The interface counts from before the first packet to after the last one, and packets flow for this long.
    let flowed_s = elapsed.unwrap_or(circumstances.asked_s) + warmup_s;
    if let Some(received) = received.filter(|_| flowed_s > 0.0) {
        metrics.set(name::PACKETS_PER_S, received / flowed_s);
    }
}

/// Both streams of an attempt that failed, for people to read.
pub(in super::super) fn all_output(ended: Ended) -> Option<Vec<u8>> {
    let Ended {
        stdout: mut all,
        stderr,
        ..
    } = ended;
    match (all.is_empty(), stderr.is_empty()) {
        (true, true) => None,
        (false, true) => Some(all),
        (true, false) => Some(stderr),
        (false, false) => {
            if !all.ends_with(b"\n") {
                all.push(b'\n');
            }
            all.extend_from_slice(b"--- stderr ---\n");
            all.extend_from_slice(&stderr);
            Some(all)
        }
    }
}

/// What kind of text a tool printed, for the name of its file.
pub(in super::super) fn extension(raw: &[u8]) -> &'static str {
    if raw.trim_ascii_start().starts_with(b"{") {
        "json"
    } else {
        "txt"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{BuiltInUse, ToolSpec};
    use crate::schedule::{Param, Params};
    use crate::tools::from_spec;

    fn environment(tools: &[(&str, &str)], names_tcp: Option<bool>) -> WorkerEnvironment {
        let tools = tools.iter();
        WorkerEnvironment {
            tools: tools
                .map(|(tool, version)| ((*tool).to_owned(), (*version).to_owned()))
                .collect(),
            etc_protocols_names_tcp: names_tcp,
            ..WorkerEnvironment::default()
        }
    }

    fn tool(name: &str, mode: &str) -> Box<dyn Tool> {
        from_spec(&ToolSpec::BuiltIn(BuiltInUse::new(name, mode).unwrap()))
    }

    /// The packets a second of a stream of 2 s, warm-up included, whose server's interface received so many.
    fn packet_rate(received: f64, circumstances: &Circumstances) -> Option<f64> {
        let mut metrics = Metrics::default();
        metrics.set(name::THROUGHPUT_BPS, 1e9);
        metrics.set(name::ELAPSED_S, 1.5);
        metrics.set(RECEIVED_PACKETS.at(End::Server), received);
        add_packet_rate(&mut metrics, Direction::Forward, circumstances);
        metrics.get(name::PACKETS_PER_S)
    }

    #[test]
    fn packets_are_counted_where_each_is_one_of_the_stream() {
        let plain = Circumstances {
            server_warmup_s: 0.5,
            ..Circumstances::default()
        };
        assert_eq!(packet_rate(3000.0, &plain), Some(1500.0));
        for other in [
            Circumstances {
                offloads: vec!["GRO at server".to_owned()],
                ..plain.clone()
            },
            Circumstances {
                hairpin: true,
                ..plain.clone()
            },
            Circumstances {
                loopback: true,
                ..plain.clone()
            },
        ] {
            assert_eq!(packet_rate(3000.0, &other), None);
        }
        let mut counted = Metrics::default();
        counted.set(name::THROUGHPUT_BPS, 1e9);
        counted.set(name::PACKETS_PER_S, 7.0);
        counted.set(RECEIVED_PACKETS.at(End::Server), 3000.0);
        add_packet_rate(&mut counted, Direction::Forward, &plain);
        assert_eq!(counted.get(name::PACKETS_PER_S), Some(7.0));
    }

    #[test]
    fn a_worker_is_unfit_without_the_tool_or_with_one_that_is_too_old() {
        let tool = tool("iperf3", "tcp");
        let why = |tools: &[(&str, &str)]| {
            why_unfit(&*tool, "w1", &environment(tools, None), Use::Server)
        };
        assert!(why(&[]).unwrap().contains("`iperf3` is not on worker `w1`"));
        let old = why(&[("iperf3", "3.9")]).unwrap();
        assert!(old.starts_with("iperf3 3.9 is too old; 3.12 is required (worker `w1`): install"));
        for version in ["3.12", "3.22", "3.9+", "unknown"] {
            assert_eq!(why(&[("iperf3", version)]), None, "{version}");
        }
    }

    #[test]
    fn a_worker_is_unfit_without_the_program_of_a_declared_tool_that_it_starts() {
        let text = "
version: 1
name: p
workers: { w1: {}, w2: {} }
paths: [{ name: a, from: w1, to: w2, via: pod_ip }]
tools:
  own:
    package: own-tools
    server: { command: [own-server], ready: { line: up } }
    client: { command: [own-client] }
    metrics: { m: { json: /m, unit: count } }
tests: [own: {}]
";
        let plan = crate::plan::load(crate::diag::Source::new("p", text), &[]).unwrap();
        let tool = from_spec(&plan.tests[0].tool);
        let params = Params::default();
        let why = |programs: &[&str], used| {
            let file = |name: &&str| ((*name).to_owned(), format!("/usr/bin/{name}"));
            let environment = WorkerEnvironment {
                programs: programs.iter().map(file).collect(),
                ..WorkerEnvironment::default()
            };
            why_unfit(&*tool, "w1", &environment, used)
        };
        let reason = why(&["own-server"], Use::Client(&params)).unwrap();
        assert!(
            reason.starts_with("`own-client` of the tool `own` is not on worker `w1`"),
            "{reason}"
        );
        assert!(
            reason.contains("the package `own-tools` has it"),
            "{reason}"
        );
        assert_eq!(why(&["own-client"], Use::Client(&params)), None);
        assert!(why(&["own-client"], Use::Server).is_some());
        assert_eq!(why(&["own-server"], Use::Server), None);
    }

    #[test]
    fn a_client_that_would_crash_is_unfit() {
        let tool = tool("netperf", "TCP_STREAM");
        let mss = Params(vec![(Param::Mss, 600)]);
        let why = |names_tcp, used| {
            why_unfit(
                &*tool,
                "w1",
                &environment(&[("netperf", "2.7.1")], names_tcp),
                used,
            )
        };
        let reason = why(Some(false), Use::Client(&mss)).unwrap();
        assert!(
            reason.contains("netperf 2.7.1 crashes when it sets the MSS"),
            "{reason}"
        );
        assert!(reason.contains("`netbase`"), "{reason}");
        assert_eq!(why(Some(false), Use::Server), None);
        // Of a worker that did not say nothing is held against it.
        assert_eq!(why(None, Use::Client(&mss)), None);
    }

    #[test]
    fn a_server_that_does_not_know_an_option_says_so_in_its_own_words() {
        let ended = |stderr: &str| Ended::new(How::Code(1), "", stderr);
        let why = |stderr| why_no_server(&ended(stderr), &Ready::Exited, Duration::from_secs(1));
        let usage = "iperf3: unrecognized option '--idle-timeout'\nUsage: iperf3 [-s|-c host]\n";
        let expected = "iperf3: unrecognized option '--idle-timeout'";
        assert_eq!(why(usage), (Cause::OptionRefused, expected.to_owned()));
        assert_eq!(why("unable to start listener").0, Cause::ServerFailed);
    }
}

//! iperf3's command lines.

use std::fmt::Write as _;
use std::time::Duration;

use super::options::Iperf3;
use crate::catalog::Direction;
use crate::schedule::Param;
use crate::tools::output::sample_time::seconds;
use crate::tools::tool::{Client, Job, Ready, Server};

/// No answer to the connection attempt in this time is a failure of its own kind.
const CONNECT_TIMEOUT_MS: u32 = 3000;
/// `TCP_USER_TIMEOUT`: data without an acknowledgement for so long ends the client, well before
/// the deadline of a sample would.
const SEND_TIMEOUT_MS: u32 = 5000;
/// How long iperf3 waits for the answer to the datagram that opens a UDP stream (`iperf_udp.c`).
pub(super) const OPENING: Duration = Duration::from_secs(30);
/// A server that no client came to ends by itself, should nobody be left to stop it.
const IDLE_TIMEOUT_S: u32 = 60;

/// A server for one test, so that no state is left for the next. Its output goes to a pipe:
/// without `--forceflush` the line that says that it listens would stay in a buffer.
///
/// Where intervals are asked for, those of the server, where it receives, come in whole kbit/s, and the client asks for
/// them at the end.
pub(super) fn server(tool: &Iperf3, job: &Job<'_>) -> Server {
    let port = tool.port;
    let mut line = format!("iperf3 -s -1 -p {port} --forceflush --idle-timeout {IDLE_TIMEOUT_S}");
    if tool.is_load {
        // It reports what arrives as often as iperf3 can.
        line.push_str(" -i 0.1");
    } else if let Some(intervals) = job.timing.intervals.filter(|_| server_receives(job)) {
        let _ = write!(line, " -i {} -f k", intervals.0.as_secs_f64());
    }
    Server {
        argv: words(&line),
        ready: Ready::Line("Server listening on".to_owned()),
    }
}

/// Whether a server reports the intervals of a direction: they are those of the end that receives.
fn server_receives(job: &Job<'_>) -> bool {
    job.params.direction() != Direction::Reverse
}

/// As [`server_receives`], of the client.
fn client_receives(job: &Job<'_>) -> bool {
    job.params.direction() != Direction::Forward
}

/// What the server of a load prints once something has arrived: the transfer of an interval, which is `0.00 Bytes` before.
pub(super) const FLOWS: [&str; 3] = [" KBytes ", " MBytes ", " GBytes "];

pub(super) fn client(tool: &Iperf3, job: &Job<'_>) -> Client {
    let param = |param| job.params.get(param);
    let tcp = !tool.is_udp();
    let mut argv = Vec::with_capacity(32);
    let mut option = |flag: &str, value: Option<String>| {
        if let Some(value) = value {
            argv.extend([flag.to_owned(), value]);
        }
    };
    option("-c", Some(job.target.to_owned()));
    option("-p", Some(tool.port.to_string()));
    let (duration, warmup) = seconds(job.timing);
    option("-t", Some(duration.to_string()));
    option("-O", (warmup > 0).then(|| warmup.to_string()));
    // Interval reports in JSON take megabytes for many streams, and those of a client that only sends are not read.
    let intervals = job.timing.intervals.filter(|_| client_receives(job));
    let every_s = intervals.map_or(0.0, |intervals| intervals.0.as_secs_f64());
    option("-i", Some(every_s.to_string()));
    option("--connect-timeout", Some(CONNECT_TIMEOUT_MS.to_string()));
    option("--snd-timeout", tcp.then(|| SEND_TIMEOUT_MS.to_string()));
    let streams = param(Param::Streams).filter(|streams| *streams > 1);
    option("-P", streams.map(|n| n.to_string()));
    if tcp {
        option("-M", param(Param::Mss).map(|n| n.to_string()));
        option("-C", tool.congestion.clone());
        option("-b", param(Param::Rate).map(|n| n.to_string()));
        option("-l", param(Param::WriteSize).map(|n| n.to_string()));
    } else {
        // iperf3's own default for UDP is 1 Mbit/s; 0 is unlimited.
        option("-b", Some(param(Param::Rate).unwrap_or(0).to_string()));
        option("-l", param(Param::Datagram).map(|n| n.to_string()));
    }
    // Asking for a window turns the kernel's autotuning off, so only a plan asks for one.
    option("-w", tool.window.map(|n| n.to_string()));
    let mut flags = vec!["-J".to_owned()];
    match job.params.direction() {
        Direction::Forward => {}
        Direction::Reverse => flags.push("-R".to_owned()),
        Direction::Both => flags.push("--bidir".to_owned()),
    }
    if job.timing.intervals.is_some() && server_receives(job) {
        flags.push("--get-server-output".to_owned());
    }
    if !tcp {
        flags.push("-u".to_owned());
    }
    if tcp && tool.no_delay {
        flags.push("-N".to_owned());
    }
    if tcp && tool.zerocopy {
        flags.push("-Z".to_owned());
    }
    Client {
        argv: std::iter::once("iperf3".to_owned())
            .chain(argv)
            .chain(flags)
            .collect(),
        warmup_argv: Vec::new(),
        watch_tcp_port: tcp.then_some(tool.port),
    }
}

fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::units::Duration;
    use crate::plan::{BuiltInUse, Timing};
    use crate::schedule::Params;

    fn timing(warmup_ms: u64, duration_ms: u64) -> Timing {
        let ms = |ms| Duration(std::time::Duration::from_millis(ms));
        Timing {
            duration: ms(duration_ms),
            warmup: ms(warmup_ms),
            cooldown: ms(0),
            timeout: None,
            retries: 0,
            repeat: crate::plan::Repeat::Times(1),
            intervals: None,
        }
    }

    fn line(tool: &Iperf3, params: &[(Param, u64)], warmup_ms: u64, duration_ms: u64) -> String {
        let timing = timing(warmup_ms, duration_ms);
        let params = Params(params.to_vec());
        let job = Job {
            params: &params,
            timing: &timing,
            target: "10.96.0.12",
            slot: 1,
        };
        client(tool, &job).argv.join(" ")
    }

    fn tool(mode: &str) -> Iperf3 {
        Iperf3::from(&BuiltInUse::new("iperf3", mode).unwrap())
    }

    #[test]
    fn a_tcp_client_asks_for_what_the_plan_says_and_nothing_else() {
        assert_eq!(
            line(&tool("tcp"), &[(Param::Streams, 1)], 0, 10_000),
            "iperf3 -c 10.96.0.12 -p 5201 -t 10 -i 0 --connect-timeout 3000 --snd-timeout 5000 -J"
        );
        let all = Iperf3 {
            window: Some(1 << 20),
            congestion: Some("cubic".to_owned()),
            no_delay: true,
            zerocopy: true,
            ..tool("tcp")
        };
        let params = [
            (Param::Streams, 8),
            (Param::Rate, 1_000_000),
            (Param::WriteSize, 4096),
            (Param::Mss, 96),
        ];
        assert_eq!(
            line(&all, &params, 1000, 3000),
            "iperf3 -c 10.96.0.12 -p 5201 -t 3 -O 1 -i 0 --connect-timeout 3000 --snd-timeout 5000 \
             -P 8 -M 96 -C cubic -b 1000000 -l 4096 -w 1048576 -J -N -Z"
        );
    }

    #[test]
    fn a_udp_client_is_unlimited_unless_the_plan_says_otherwise() {
        assert_eq!(
            line(&tool("udp"), &[(Param::Datagram, 1460)], 0, 1000),
            "iperf3 -c 10.96.0.12 -p 5201 -t 1 -i 0 --connect-timeout 3000 -b 0 -l 1460 -J -u"
        );
        let params = [(Param::Rate, 5_000_000), (Param::Datagram, 64)];
        assert_eq!(
            line(&tool("udp"), &params, 0, 1000),
            "iperf3 -c 10.96.0.12 -p 5201 -t 1 -i 0 --connect-timeout 3000 -b 5000000 -l 64 -J -u"
        );
    }

    #[test]
    fn the_direction_is_asked_of_the_client() {
        let flags = |mode, direction: Direction| {
            let line = line(
                &tool(mode),
                &[(Param::Direction, direction.number())],
                0,
                1000,
            );
            line.rsplit_once(" -J").unwrap().1.to_owned()
        };
        assert_eq!(flags("tcp", Direction::Forward), "");
        assert_eq!(flags("tcp", Direction::Reverse), " -R");
        assert_eq!(flags("udp", Direction::Both), " --bidir -u");
    }

    #[test]
    fn the_end_that_receives_reports_intervals() {
        let mut timing = timing(0, 1000);
        let lines = |timing: &Timing, direction: Direction| {
            let params = Params(vec![(Param::Direction, direction.number())]);
            let job = Job {
                params: &params,
                timing,
                target: "10.96.0.12",
                slot: 1,
            };
            let client = client(&tool("tcp"), &job);
            (
                server(&tool("tcp"), &job).argv.join(" "),
                client.argv.join(" "),
            )
        };
        let (server, client) = lines(&timing, Direction::Forward);
        assert_eq!(
            server,
            "iperf3 -s -1 -p 5201 --forceflush --idle-timeout 60"
        );
        timing.intervals = Some(Duration(std::time::Duration::from_millis(250)));
        let of_server = format!("{server} -i 0.25 -f k");
        assert_eq!(
            lines(&timing, Direction::Forward),
            (of_server.clone(), format!("{client} --get-server-output"))
        );
        let client = client.replace("-i 0 ", "-i 0.25 ");
        assert_eq!(
            lines(&timing, Direction::Reverse),
            (server, format!("{client} -R"))
        );
        assert_eq!(
            lines(&timing, Direction::Both),
            (of_server, format!("{client} --bidir --get-server-output"))
        );
    }

    #[test]
    fn a_fraction_of_a_second_never_becomes_for_ever() {
        assert!(line(&tool("tcp"), &[], 300, 300).contains("-t 1 "));
        assert!(line(&tool("tcp"), &[], 0, 0).contains("-t 1 "));
    }
}

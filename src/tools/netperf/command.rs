//! netperf's command lines.

use super::mode::Netperf;
use crate::catalog::Direction;
use crate::plan::units::Duration;
use crate::schedule::Param;
use crate::tools::output::sample_time::seconds;
use crate::tools::tool::{Client, Job, Ready, Server};

/// Where netserver listens.
pub(super) const CONTROL_PORT: u16 = 12865;
/// The data port of slot 0.
const FIRST_DATA_PORT: u16 = 12866;

/// What is asked of a stream test.
const STREAM_KEYS: &str = "THROUGHPUT,THROUGHPUT_UNITS,ELAPSED_TIME,LOCAL_SEND_THROUGHPUT,\
                           REMOTE_RECV_THROUGHPUT,LOCAL_BYTES_SENT,REMOTE_BYTES_RECVD,\
                           LOCAL_TRANSPORT_RETRANS,TRANSPORT_MSS,LOCAL_CPU_UTIL,REMOTE_CPU_UTIL";
/// What is asked of a stream test whose server sends: the same, of the other ends.
const REVERSE_KEYS: &str = "THROUGHPUT,THROUGHPUT_UNITS,ELAPSED_TIME,REMOTE_SEND_THROUGHPUT,\
                            LOCAL_RECV_THROUGHPUT,REMOTE_BYTES_SENT,LOCAL_BYTES_RECVD,\
                            REMOTE_TRANSPORT_RETRANS,TRANSPORT_MSS,LOCAL_CPU_UTIL,REMOTE_CPU_UTIL";
/// netperf's name of a TCP stream whose server sends.
const REVERSE_TEST: &str = "TCP_MAERTS";
/// What is asked of a request/response test.
const TRANSACTION_KEYS: &str = "THROUGHPUT,THROUGHPUT_UNITS,ELAPSED_TIME,MEAN_LATENCY,P50_LATENCY,\
                                P90_LATENCY,P99_LATENCY,MAX_LATENCY,LOCAL_TRANSPORT_RETRANS,\
                                TRANSPORT_MSS,LOCAL_CPU_UTIL,REMOTE_CPU_UTIL";

/// netperf picks a random data port otherwise, which no Service carries. Each path to a
/// destination has its own: on a shared one, connections through the virtual IP would meet those
/// to the pod's own address in `TIME_WAIT` and stall for seconds.
pub(super) fn data_port(slot: u16) -> u16 {
    FIRST_DATA_PORT.saturating_add(slot)
}

pub(super) fn server() -> Server {
    Server {
        argv: ["netserver", "-D", "-p", &CONTROL_PORT.to_string()]
            .map(str::to_owned)
            .to_vec(),
        // Printed and flushed after listen(2).
        ready: Ready::Line("Starting netserver".to_owned()),
    }
}

pub(super) fn client(tool: Netperf, job: &Job<'_>) -> Client {
    let (duration, warmup) = seconds(job.timing);
    Client {
        argv: argv(tool, job, duration, job.timing.intervals),
        warmup_argv: if warmup > 0 {
            argv(tool, job, warmup, None)
        } else {
            Vec::new()
        },
        // netperf asks the kernel itself: TRANSPORT_MSS.
        watch_tcp_port: None,
    }
}

fn argv(tool: Netperf, job: &Job<'_>, seconds: u64, intervals: Option<Duration>) -> Vec<String> {
    let param = |param| job.params.get(param);
    let mut argv: Vec<String> = ["netperf", "-H", job.target].map(str::to_owned).to_vec();
    let mut option = |flag: &str, value: String| argv.extend([flag.to_owned(), value]);
    option("-p", CONTROL_PORT.to_string());
    let is_reverse = job.params.direction() == Direction::Reverse;
    let test = if is_reverse {
        REVERSE_TEST
    } else {
        tool.mode.word
    };
    option("-t", test.to_owned());
    option("-l", seconds.to_string());
    option("-P", "0".to_owned());
    if let Some(intervals) = intervals {
        // Below 0: netperf looks at the clock after each transaction. Else it guesses how many fit into an interval,
        // and one in which the rate falls becomes long.
        option("-D", format!("-{}", intervals.0.as_secs_f64()));
    }
    argv.extend(["-c", "-C", "--"].map(str::to_owned));

    let mut option = |flag: &str, value: String| argv.extend([flag.to_owned(), value]);
    // The comma leaves the local port free: both ends pinned to one port break a hairpin.
    option("-P", format!(",{}", data_port(job.slot)));
    if tool.is_udp() {
        // Else netperf sets SO_DONTROUTE, and nothing leaves the first hop.
        option("-R", "1".to_owned());
    } else if let Some(mss) = param(Param::Mss) {
        option("-G", mss.to_string());
    }
    if tool.transacts() {
        let request = param(Param::Request).unwrap_or(1);
        let response = param(Param::Response).unwrap_or(1);
        option("-r", format!("{request},{response}"));
        option("-k", TRANSACTION_KEYS.to_owned());
    } else {
        let size = if tool.is_udp() {
            Param::Datagram
        } else {
            Param::WriteSize
        };
        if let Some(size) = param(size) {
            // The number after a comma is the server's.
            let of_sender = if is_reverse { "," } else { "" };
            option("-m", format!("{of_sender}{size}"));
        }
        let keys = if is_reverse {
            REVERSE_KEYS
        } else {
            STREAM_KEYS
        };
        option("-k", keys.to_owned());
        if tool.no_delay && !tool.is_udp() {
            argv.push("-D".to_owned());
        }
    }
    argv
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::units::Duration;
    use crate::plan::{BuiltInUse, OptionValue, Timing};
    use crate::schedule::Params;

    fn lines(test: &str, params: &[(Param, u64)], warmup_s: u64) -> (String, String) {
        let used = BuiltInUse::new("netperf", test).unwrap();
        lines_of(Netperf::from(&used), params, warmup_s)
    }

    fn lines_of(tool: Netperf, params: &[(Param, u64)], warmup_s: u64) -> (String, String) {
        let s = |s| Duration(std::time::Duration::from_secs(s));
        let timing = Timing {
            duration: s(3),
            warmup: s(warmup_s),
            cooldown: s(0),
            timeout: None,
            retries: 0,
            repeat: crate::plan::Repeat::Times(1),
            intervals: None,
        };
        let params = Params(params.to_vec());
        let job = Job {
            params: &params,
            timing: &timing,
            target: "10.96.0.12",
            slot: 2,
        };
        let client = client(tool, &job);
        let join = |argv: Vec<String>| {
            let line = argv.join(" ");
            let (head, keys) = line.split_once(" -k ").unwrap_or((&line, ""));
            match keys.split_once(' ') {
                Some((_, rest)) => format!("{head} {rest}"),
                None => head.to_owned(),
            }
        };
        (join(client.argv), join(client.warmup_argv))
    }

    #[test]
    fn each_test_has_its_options_and_the_slots_data_port() {
        let head = "netperf -H 10.96.0.12 -p 12865";
        for (test, params, expected) in [
            (
                "TCP_STREAM",
                vec![(Param::WriteSize, 1024), (Param::Mss, 600)],
                "-t TCP_STREAM -l 3 -P 0 -c -C -- -P ,12868 -G 600 -m 1024",
            ),
            (
                "TCP_STREAM",
                vec![
                    (Param::Direction, Direction::Reverse.number()),
                    (Param::WriteSize, 777),
                ],
                "-t TCP_MAERTS -l 3 -P 0 -c -C -- -P ,12868 -m ,777",
            ),
            (
                "TCP_RR",
                vec![(Param::Request, 64)],
                "-t TCP_RR -l 3 -P 0 -c -C -- -P ,12868 -r 64,1",
            ),
            (
                "TCP_CRR",
                vec![],
                "-t TCP_CRR -l 3 -P 0 -c -C -- -P ,12868 -r 1,1",
            ),
            (
                "UDP_STREAM",
                vec![(Param::Datagram, 1460)],
                "-t UDP_STREAM -l 3 -P 0 -c -C -- -P ,12868 -R 1 -m 1460",
            ),
            (
                "UDP_RR",
                vec![(Param::Response, 128)],
                "-t UDP_RR -l 3 -P 0 -c -C -- -P ,12868 -R 1 -r 1,128",
            ),
        ] {
            let (line, warmup) = lines(test, &params, 0);
            assert_eq!(line, format!("{head} {expected}"));
            assert_eq!(warmup, "");
        }
    }

    #[test]
    fn small_writes_leave_at_once_when_the_plan_says_so() {
        let mut used = BuiltInUse::new("netperf", "TCP_STREAM").unwrap();
        used.options.insert("no_delay", OptionValue::Flag(true));
        let (line, _) = lines_of(Netperf::from(&used), &[(Param::WriteSize, 64)], 0);
        assert!(line.ends_with("-- -P ,12868 -m 64 -D"), "{line}");
    }

    #[test]
    fn a_warmup_is_the_same_line_for_its_own_time() {
        let (line, warmup) = lines("TCP_RR", &[], 1);
        assert_eq!(warmup, line.replace("-l 3", "-l 1"));
    }
}

//! The tools that are installed here, run as a worker would run them.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot continue has failed"
)]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use netplan::diag::Source;
use netplan::plan::{self, ToolSpec};
use netplan::schedule::{Param, Params, Schedule, Selection};
use netplan::tools::{self, Cause, Ended, How, Installed, Job, Metrics, Ready, Use, name};

use crate::schedule::{iperf3, netperf, timing};
use crate::support::{installed, local_cluster, needs};
use crate::tools::metrics_text;

/// A process that does not outlive its test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A network namespace with an address, so that the tools' ports are nobody else's.
struct Namespace(Running);

const ADDRESS: &str = "10.99.0.1";

impl Namespace {
    /// `Err` says what is missing here.
    fn new() -> Result<Self, String> {
        let script = format!(
            "ip link set lo up && ip addr add {ADDRESS}/32 dev lo && echo up && exec sleep 120"
        );
        let mut holder = Command::new("unshare")
            .args(["--user", "--map-root-user", "--net", "sh", "-c", &script])
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|err| format!("unshare: {err}"))?;
        let mut line = String::new();
        let mut stdout = BufReader::new(holder.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        let namespace = Namespace(Running(holder));
        if line == "up\n" {
            Ok(namespace)
        } else {
            Err("this kernel allows no user and network namespaces".to_owned())
        }
    }

    fn command(&self, argv: &[String]) -> Command {
        let mut command = Command::new("nsenter");
        command
            .args(["--preserve-credentials", "--user", "--net", "--target"])
            .arg(self.0.0.id().to_string())
            .args(argv);
        command
    }
}

/// Runs one sample of a tool as a worker would.
///
/// # Errors
/// Why it cannot be run here.
fn measure(spec: &ToolSpec, params: &[(Param, u64)]) -> Result<Metrics, String> {
    let tool = tools::from_spec(spec);
    let (params, timing) = (Params(params.to_vec()), timing(1, 1));
    let job = Job {
        params: &params,
        timing: &timing,
        target: ADDRESS,
        slot: 3,
    };
    let (server, client) = (tool.server(&job), tool.client(&job));
    installed(&[&server.argv[0], &client.argv[0]])?;
    let protocols = std::fs::read_to_string("/etc/protocols").unwrap_or_default();
    let found = Installed {
        version: None,
        names_tcp: Some(tools::names_tcp(&protocols)),
    };
    if let Some(unfit) = tool.unfit(&found, Use::Client(&params)) {
        return Err(unfit.to_string());
    }
    let namespace = Namespace::new()?;
    let mut running = Running(
        namespace
            .command(&server.argv)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap(),
    );
    let mut lines = BufReader::new(running.0.stdout.take().unwrap()).lines();
    let Ready::Line(text) = &server.ready else {
        panic!("{:?}", server.ready)
    };
    let ready = lines.any(|line| line.unwrap().contains(text));
    assert!(ready, "the server says that it is ready");
    if !client.warmup_argv.is_empty() {
        namespace.command(&client.warmup_argv).output().unwrap();
    }
    let output = namespace.command(&client.argv).output().unwrap();
    let how = How::Code(output.status.code().unwrap());
    let ended = Ended::new(how, output.stdout, output.stderr);
    let metrics = tool
        .read(&job, &ended)
        .unwrap_or_else(|failure| panic!("{failure}"));
    eprintln!("{}", metrics_text(&metrics));
    Ok(metrics)
}

/// A plan may ask for these and no more; nothing listens, so what the tools complain of is that.
#[test]
fn the_tools_take_the_largest_and_the_smallest_that_a_plan_may_ask_for() {
    needs!(local_cluster(), installed(&["iperf3", "netperf"]));
    let namespace = Namespace::new().unwrap();
    let tests = [
        "iperf3: { streams: [1, 128], mss: [88, 9216], rate: [1 kbit/s, 1 Tbit/s], write_size: [1, 1 MiB], window: 512 MiB }",
        "iperf3: { protocol: udp, datagram: [16, 65507], window: 1 }",
        "netperf: { mss: [88, 32767], write_size: [1, 16 MiB] }",
        "netperf: { test: TCP_RR, request: [1, 1 MiB], response: [1, 1 MiB] }",
        "netperf: { test: UDP_STREAM, datagram: [1, 65507] }",
    ];
    for test in tests {
        let text = format!(
            "version: 1\nname: limits\nworkers: {{ w1: {{}}, w2: {{}} }}\n\
             paths: [{{ name: p, from: w1, to: w2, via: pod_ip }}]\n\
             tests: [{{ {test}, duration: 24h, warmup: 60s }}]\n"
        );
        let plan = plan::load(Source::new("limits.yaml", text), &[]).unwrap();
        let schedule = Schedule::new(&plan, &Selection::all());
        let tool = tools::from_spec(&plan.tests[0].tool);
        for cell in tools::commands(&plan, &schedule) {
            let mut argv = cell.client.argv;
            for word in &mut argv {
                if word == "<w2 pod IP>" {
                    ADDRESS.clone_into(word);
                }
            }
            let output = namespace.command(&argv).output().unwrap();
            let how = How::Code(output.status.code().unwrap());
            let ended = Ended::new(how, output.stdout, output.stderr);
            let params = Params::default();
            let job = Job {
                params: &params,
                timing: &plan.tests[0].timing,
                target: ADDRESS,
                slot: 0,
            };
            let failure = tool.read(&job, &ended).unwrap_err();
            assert_eq!(failure.cause, Cause::Refused, "{argv:?}: {failure}");
        }
    }
}

#[test]
fn iperf3_measures_tcp_here() {
    let spec = ToolSpec::BuiltIn(iperf3("tcp"));
    let params = [
        (Param::Streams, 2),
        (Param::WriteSize, 65536),
        (Param::Mss, 1000),
    ];
    let metrics = measure(&spec, &params);
    needs!(&metrics);
    let metrics = metrics.unwrap();
    for name in [
        name::THROUGHPUT_BPS,
        name::SENT_BPS,
        name::RTT_US,
        name::ELAPSED_S,
    ] {
        assert!(metrics.get(name) > Some(0.0), "{name}");
    }
}

#[test]
fn iperf3_measures_udp_here() {
    let spec = ToolSpec::BuiltIn(iperf3("udp"));
    let params = [(Param::Rate, 10_000_000), (Param::Datagram, 1000)];
    let metrics = measure(&spec, &params);
    needs!(&metrics);
    let metrics = metrics.unwrap();
    assert!(metrics.get(name::THROUGHPUT_BPS) > Some(0.0));
    assert!(metrics.get(name::LOST_PERCENT) <= Some(100.0));
    assert!(metrics.get(name::JITTER_US).is_some());
}

#[test]
fn netperf_measures_a_stream_here() {
    let spec = ToolSpec::BuiltIn(netperf("TCP_STREAM"));
    let metrics = measure(&spec, &[(Param::WriteSize, 4096), (Param::Mss, 600)]);
    needs!(&metrics);
    let metrics = metrics.unwrap();
    assert!(metrics.get(name::THROUGHPUT_BPS) > Some(0.0));
    assert_eq!(metrics.get(name::EFFECTIVE_MSS), Some(588.0));
}

#[test]
fn netperf_measures_latency_over_udp_here() {
    let spec = ToolSpec::BuiltIn(netperf("UDP_RR"));
    let metrics = measure(&spec, &[(Param::Request, 64), (Param::Response, 128)]);
    needs!(&metrics);
    let metrics = metrics.unwrap();
    assert!(metrics.get(name::TRANSACTIONS_PER_S) > Some(0.0));
    let latency = |name| metrics.get(name).unwrap();
    assert!(latency(name::LATENCY_P50_US) <= latency(name::LATENCY_P99_US));
    assert!(latency(name::LATENCY_P99_US) <= latency(name::LATENCY_MAX_US));
}

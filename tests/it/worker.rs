//! A worker with real processes, and with an orchestrator that does what a test tells it.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test's helpers fail like the test"
)]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener as StdListener};
use std::path::Path;
use std::time::Duration;

use netplan::results::environment::WorkerEnvironment;
use netplan::results::{Event, EventKind, Journal};
use netplan::rpc::pb::from_worker::Message;
use netplan::rpc::pb::orchestrator_server::{Orchestrator, OrchestratorServer};
use netplan::rpc::pb::start_server::Ready as SignOfReady;
use netplan::rpc::pb::to_worker::Message as Order;
use netplan::rpc::pb::{self, FromWorker, Goodbye, Hello, RunClient, StartServer, ToWorker};
use netplan::rpc::{Identity, MAX_LINE_BYTES, MAX_MESSAGE_BYTES, RunIdentities, exit};
use netplan::tools::{
    CUT_MARK_BYTES, Client, Cut, Ended, How, LARGEST_OUTPUT_BYTES, Port, Ready,
    SERVER_OUTPUT_BYTES, Transport, cut_mark, stderr_bytes,
};
use netplan::worker::kernel::tcp_connection::Connection;
use netplan::worker::observe::Observer;
use netplan::worker::tool_process::process;
use netplan::worker::{self, Error, Parting, Settings, client, server};
use nix::errno::Errno;
use nix::sys::prctl::set_child_subreaper;
use nix::sys::signal::{Signal, killpg, raise};
use nix::unistd::Pid;
use prost::Message as _;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use crate::support::{Netplan, Running, installed, local_cluster, needs, wait_until};

/// Longer than anything here takes, and far shorter than the processes that it kills would take.
const SOON: Duration = Duration::from_secs(20);

fn words(argv: &[&str]) -> Vec<String> {
    argv.iter().map(|&word| word.to_owned()).collect()
}

fn sh(script: &str) -> Vec<String> {
    words(&["sh", "-c", script])
}

/// Runs a script with a deadline so many milliseconds away.
async fn run(script: &str, deadline_ms: u64) -> Ended {
    let (_sender, mut stop) = oneshot::channel();
    let deadline = Instant::now() + Duration::from_millis(deadline_ms);
    let argv = sh(script);
    let run = process::run(&argv, LARGEST_OUTPUT_BYTES, deadline, &mut stop);
    timeout(SOON, run)
        .await
        .expect("the tool should be gone by now")
        .0
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap().trim()
}

/// Whether the process group is gone whose leader printed its number as the first word.
fn is_gone(stdout: &[u8]) -> bool {
    let leader = text(stdout)
        .split_whitespace()
        .next()
        .unwrap()
        .parse()
        .unwrap();
    killpg(Pid::from_raw(leader), None) == Err(Errno::ESRCH)
}

#[tokio::test]
async fn a_deadline_kills_the_grandchildren_too() {
    set_child_subreaper(true).unwrap();
    let ended = run("echo $$; sleep 100 & (sleep 100; true) & sleep 100", 200).await;
    assert_eq!(ended.how, How::Deadline);
    assert!(is_gone(&ended.stdout));
}

#[tokio::test]
async fn what_a_tool_leaves_behind_is_killed() {
    set_child_subreaper(true).unwrap();
    let ended = run("echo $$; sleep 100 & exit 3", 60_000).await;
    assert_eq!(ended.how, How::Code(3));
    assert!(is_gone(&ended.stdout));
}

/// Whether the process is gone, or dead and only waits for its parent.
fn is_dead(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.is_empty() || stat.contains(") Z ")
}

#[tokio::test]
async fn what_left_the_group_and_the_session_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pid");
    // Each starts a process that writes its number, and ends or waits.
    let leave = format!(
        "rm -f {0}; setsid sh -c 'echo $$ > {0}.new; mv {0}.new {0}; exec sleep 1000'",
        file.display()
    );
    let written = format!("until [ -e {} ]; do :; done", file.display());
    for (script, how) in [
        (format!("{leave} & {written}; echo done"), How::Code(0)),
        (
            format!("({leave} & ) ; {written}; echo done; exit 3"),
            How::Code(3),
        ),
        (
            format!("{leave} & {written}; echo done; exec sleep 1000"),
            How::Deadline,
        ),
        // It has no mark any more, and still descends from its tool.
        (
            format!("env -i PATH=\"$PATH\" {leave} & {written}; echo done; sleep 1000"),
            How::Deadline,
        ),
    ] {
        let deadline_ms = if how == How::Deadline { 2_000 } else { 60_000 };
        let ended = run(&script, deadline_ms).await;
        assert_eq!((ended.how, text(&ended.stdout)), (how, "done"), "{script}");
        let pid = std::fs::read_to_string(&file).unwrap();
        assert!(is_dead(pid.trim()), "{script}");
    }
}

#[tokio::test]
async fn a_dropped_tool_takes_along_what_left_its_session() {
    let folder = tempfile::tempdir().unwrap();
    let fifo = folder.path().join("started");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let script = format!(
        "setsid sh -c 'echo $$ > {}; exec sleep 1000' & sleep 1000",
        fifo.display()
    );
    let deadline = Instant::now() + 10 * SOON;
    let (_sender, mut stop) = oneshot::channel();
    let task = tokio::spawn(async move {
        process::run(&sh(&script), LARGEST_OUTPUT_BYTES, deadline, &mut stop)
            .await
            .0
    });
    let pid = tokio::fs::read_to_string(&fifo).await.unwrap();
    assert!(!is_dead(pid.trim()));
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    crate::support::wait_for("it to be gone", || is_dead(pid.trim())).await;
}

#[tokio::test]
async fn a_tool_ends_by_code_or_signal_with_its_output() {
    let ended = run("echo out; echo err >&2; exit 7", 60_000).await;
    assert_eq!(ended.how, How::Code(7));
    assert_eq!((text(&ended.stdout), text(&ended.stderr)), ("out", "err"));
    assert_eq!(run("kill -9 $$", 60_000).await.how, How::Signal(9));
}

#[tokio::test]
async fn of_long_output_the_start_and_the_end_are_kept() {
    // 20 MB of zeros between two words, on each stream.
    let long = "printf start; head -c 20000000 /dev/zero; printf end";
    let ended = run(&format!("{long}; ({long}) >&2"), 60_000).await;
    assert_eq!(ended.how, How::Code(0));
    let stderr_bytes = stderr_bytes(LARGEST_OUTPUT_BYTES);
    for (stream, cut, limit) in [
        (
            &ended.stdout,
            ended.cut.stdout,
            LARGEST_OUTPUT_BYTES - stderr_bytes,
        ),
        (&ended.stderr, ended.cut.stderr, stderr_bytes),
    ] {
        let mark = cut_mark(cut);
        assert!(stream.starts_with(b"start\0") && stream.ends_with(b"\0end"));
        assert!(stream.windows(mark.len()).any(|at| at == mark.as_bytes()));
        assert_eq!(stream.len(), limit - CUT_MARK_BYTES + mark.len());
        assert_eq!(cut, (20_000_008 - (limit - CUT_MARK_BYTES)) as u64);
    }
    let (start, end) = ended.stdout_parts();
    assert!(start.starts_with(b"start\0") && end.unwrap().ends_with(b"\0end"));
}

#[tokio::test]
async fn a_server_that_prints_without_end_is_kept_small() {
    let (ended, was_ready) = serve("echo ready now; exec yes", 15_000, true).await;
    assert_eq!((ended.how, was_ready), (How::Stopped, true));
    let (ended, was_ready) = serve("head -c 20000000 /dev/zero; exit 3", 15_000, false).await;
    assert_eq!((ended.how, was_ready), (How::Code(3), false));
    assert!(ended.cut.stdout > 19_000_000);
    assert!(ended.stdout.len() + ended.stderr.len() <= SERVER_OUTPUT_BYTES);
}

#[test]
fn the_largest_answer_fits_into_a_message() {
    let all = Cut {
        stdout: u64::MAX,
        stderr: u64::MAX,
    };
    let ended = Ended {
        cut: all,
        ..Ended::new(
            How::Signal(i32::MAX),
            vec![0; LARGEST_OUTPUT_BYTES - stderr_bytes(LARGEST_OUTPUT_BYTES)],
            vec![0; stderr_bytes(LARGEST_OUTPUT_BYTES)],
        )
    };
    let traffic = pb::Traffic {
        received_bytes: u64::MAX,
        sent_bytes: u64::MAX,
        received_packets: u64::MAX,
        sent_packets: u64::MAX,
    };
    let answer = FromWorker {
        message: Some(Message::ClientEnded(pb::ClientEnded {
            step: u64::MAX,
            exit: Some(exit(ended)),
            wall_us: u64::MAX,
            tcp: Some(pb::TcpInfo::default()),
            observed: Some(pb::Observed {
                window_us: u64::MAX,
                cpu: Some(pb::Cpu::default()),
                throttling: Some(pb::Throttling::default()),
                traffic: Some(traffic),
                all_traffic: Some(traffic),
            }),
        })),
    };
    // A record has the same output as a file, with a line of its own between the streams.
    let record = pb::Record {
        seq: u64::MAX,
        line: "x".repeat(MAX_LINE_BYTES),
        raw: Some(pb::RawOutput {
            name: "x".repeat(200),
            content: vec![0; LARGEST_OUTPUT_BYTES + 16],
        }),
        gathering: None,
        go: None,
    };
    assert!(answer.encoded_len() <= MAX_MESSAGE_BYTES - MAX_LINE_BYTES);
    assert!(record.encoded_len() <= MAX_MESSAGE_BYTES);
}

#[tokio::test]
async fn output_without_end_does_not_put_the_deadline_off() {
    let ended = run("exec yes", 200).await;
    assert_eq!(ended.how, How::Deadline);
    assert!(!ended.stdout.is_empty());
}

#[tokio::test]
async fn output_of_what_is_left_behind_does_not_hide_the_end() {
    // The deadline would come after the test's own.
    let ended = run("yes & yes >&2 & exit 3", 3_600_000).await;
    assert_eq!(ended.how, How::Code(3));
}

#[tokio::test]
async fn a_tool_that_cannot_be_started_says_why() {
    let (_sender, mut stop) = oneshot::channel();
    let deadline = Instant::now() + SOON;
    let (ended, wall) = process::run(
        &words(&["no-such-tool", "-x"]),
        LARGEST_OUTPUT_BYTES,
        deadline,
        &mut stop,
    )
    .await;
    assert_eq!(ended.how, How::NotFound("no-such-tool".to_owned()));
    assert_eq!(wall, Duration::ZERO);

    let (ended, _) = process::run(
        &words(&["/etc/passwd"]),
        LARGEST_OUTPUT_BYTES,
        deadline,
        &mut stop,
    )
    .await;
    let How::NotStarted(said) = ended.how else {
        panic!("{:?}", ended.how)
    };
    assert!(
        said.starts_with("`/etc/passwd`: Permission denied"),
        "{said}"
    );
    let (ended, _) = process::run(&[], LARGEST_OUTPUT_BYTES, deadline, &mut stop).await;
    assert!(matches!(ended.how, How::NotStarted(_)), "{:?}", ended.how);
}

#[tokio::test]
async fn a_stop_and_a_drop_kill_the_group() {
    set_child_subreaper(true).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let fifo = folder.path().join("started");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
    // Opening a fifo waits for the other end, so that the script is known to run.
    let script = sh(&format!(
        "echo $$ > {}; sleep 100 & sleep 100",
        fifo.display()
    ));
    let deadline = Instant::now() + 10 * SOON;

    let (sender, mut stop) = oneshot::channel();
    let argv = script.clone();
    let task = tokio::spawn(async move {
        process::run(&argv, LARGEST_OUTPUT_BYTES, deadline, &mut stop)
            .await
            .0
    });
    let leader = tokio::fs::read(&fifo).await.unwrap();
    assert!(!is_gone(&leader));
    sender.send(()).unwrap();
    assert_eq!(
        timeout(SOON, task).await.unwrap().unwrap().how,
        How::Stopped
    );
    assert!(is_gone(&leader));

    let (_sender, mut stop) = oneshot::channel();
    let task = tokio::spawn(async move {
        process::run(&script, LARGEST_OUTPUT_BYTES, deadline, &mut stop)
            .await
            .0
    });
    let leader = tokio::fs::read(&fifo).await.unwrap();
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    let gone = async {
        while !is_gone(&leader) {
            // The children of a dropped process are reaped here, as an init process would.
            let group = Pid::from_raw(-text(&leader).parse::<i32>().unwrap());
            let _ = nix::sys::wait::waitpid(group, Some(nix::sys::wait::WaitPidFlag::WNOHANG));
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(SOON, gone)
        .await
        .expect("a dropped process should be killed");
}

/// Serves a script; says whether it was ready.
async fn serve(script: &str, ready_within_ms: u64, stop_when_ready: bool) -> (Ended, bool) {
    let sign = Ready::Line("ready now".to_owned());
    serve_until(&sh(script), sign, ready_within_ms, stop_when_ready).await
}

/// Serves a command until it is ready by its sign, or to its end; says whether it was ready.
async fn serve_until(
    argv: &[String],
    sign: Ready,
    ready_within_ms: u64,
    stop_when_ready: bool,
) -> (Ended, bool) {
    let (sender, mut stop) = oneshot::channel();
    let mut sender = Some(sender);
    let mut was_ready = false;
    let ready_by = Instant::now() + Duration::from_millis(ready_within_ms);
    let ended = server::serve(argv, sign, ready_by, &mut stop, || {
        was_ready = true;
        if stop_when_ready {
            drop(sender.take());
        }
        std::future::ready(())
    });
    let ended = timeout(SOON, ended)
        .await
        .expect("the server should be gone by now");
    (ended, was_ready)
}

#[tokio::test]
async fn a_server_is_ready_as_soon_as_it_says_so() {
    for script in [
        "echo starting; echo I am ready now; exec sleep 100",
        "printf 'I am rea' >&2; printf 'dy now, and no newline' >&2; exec sleep 100",
    ] {
        let (ended, was_ready) = serve(script, 15_000, true).await;
        assert_eq!((ended.how, was_ready), (How::Stopped, true), "{script}");
    }
    // The other stream is without end, or the word is the last one.
    for script in [
        "yes & echo ready now >&2; wait",
        "yes >&2 & echo ready now; wait",
    ] {
        let (ended, was_ready) = serve(script, 15_000, true).await;
        assert_eq!((ended.how, was_ready), (How::Stopped, true), "{script}");
    }
    let (ended, was_ready) = serve("echo ready now; exit 4", 15_000, false).await;
    assert_eq!((ended.how, was_ready), (How::Code(4), true));
    // Once ready, it has no deadline.
    let (ended, was_ready) = serve(
        "echo ready now; sleep 0.5; echo ready now >&2; exit 4",
        400,
        false,
    )
    .await;
    assert_eq!((ended.how, was_ready), (How::Code(4), true));
}

#[tokio::test]
async fn a_server_that_never_gets_ready_ends() {
    let (ended, was_ready) = serve("echo cannot bind >&2; exit 1", 15_000, false).await;
    assert_eq!((ended.how, was_ready), (How::Code(1), false));
    assert_eq!(text(&ended.stderr), "cannot bind");
    let (ended, was_ready) = serve("echo ready; echo now; exec sleep 100", 200, false).await;
    assert_eq!((ended.how, was_ready), (How::Deadline, false));
    assert_eq!(text(&ended.stdout), "ready\nnow");
}

#[tokio::test]
async fn a_server_is_ready_as_soon_as_its_port_is_open() {
    needs!(installed(&["iperf3"]));
    let port = free_port();
    let sign = Ready::Port(Port {
        number: port,
        transport: Transport::Tcp,
    });
    let server = words(&["iperf3", "-s", "-p", &port.to_string()]);
    let (ended, was_ready) = serve_until(&server, sign.clone(), 15_000, true).await;
    assert_eq!((ended.how, was_ready), (How::Stopped, true));
    // It opens no port.
    let (ended, was_ready) = serve_until(&sh("exec sleep 100"), sign, 200, true).await;
    assert_eq!((ended.how, was_ready), (How::Deadline, false));
}

#[tokio::test]
async fn a_port_that_is_open_already_does_not_mean_ready() {
    let other = StdListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let sign = Ready::Port(Port {
        number: other.local_addr().unwrap().port(),
        transport: Transport::Tcp,
    });
    let (ended, was_ready) = serve_until(&sh("exec sleep 100"), sign, 15_000, true).await;
    assert!(!was_ready);
    assert!(matches!(&ended.how, How::NotStarted(why) if why.contains("in use")));
}

#[tokio::test]
async fn a_daemon_is_killed_with_its_server() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("pid");
    // In a session of its own, and orphaned.
    let script = format!(
        "mkfifo {0}.there; setsid sh -c 'echo $$ > {0}; echo > {0}.there; exec sleep 100' & \
         cat {0}.there",
        file.display()
    );
    let (ended, was_ready) = serve_until(&sh(&script), Ready::Exited, 15_000, true).await;
    assert_eq!((ended.how, was_ready), (How::Stopped, true));
    let daemon = std::fs::read_to_string(&file).unwrap();
    // A dead process has no environment, also when nobody has asked for its end yet.
    let left = std::fs::read(format!("/proc/{}/environ", daemon.trim()));
    assert!(left.is_err() || left.is_ok_and(|left| left.is_empty()));
    let failed = serve_until(&sh("echo no; exit 3"), Ready::Exited, 15_000, true).await;
    assert_eq!((failed.0.how, failed.1), (How::Code(3), false));
}

#[tokio::test]
async fn a_tool_without_a_server_is_ready_at_once() {
    let (ended, was_ready) = serve_until(&[], Ready::Nothing, 15_000, true).await;
    assert_eq!((ended.how, was_ready), (How::Stopped, true));
}

async fn take(client: Client, time: Duration) -> client::Answer {
    let (_sender, mut stop) = oneshot::channel();
    let limits = client::Limits {
        time,
        output_bytes: LARGEST_OUTPUT_BYTES,
    };
    timeout(
        SOON,
        client::run(&client, limits, &Observer::default(), &mut stop),
    )
    .await
    .unwrap()
}

#[tokio::test]
async fn a_warm_up_is_thrown_away_and_not_timed() {
    let client = Client {
        argv: sh("echo measured"),
        warmup_argv: sh("echo warm; sleep 1"),
        watch_tcp_port: None,
    };
    let answer = take(client, SOON).await;
    assert_eq!(answer.ended.how, How::Code(0));
    assert_eq!(text(&answer.ended.stdout), "measured");
    assert!(answer.wall > Duration::ZERO && answer.wall < Duration::from_secs(1));
}

#[tokio::test]
async fn a_warm_up_that_fails_is_the_answer() {
    let client = |warmup: &str| Client {
        argv: sh("echo measured"),
        warmup_argv: sh(warmup),
        watch_tcp_port: None,
    };
    let answer = take(client("echo refused >&2; exit 1"), SOON).await;
    assert_eq!(answer.ended.how, How::Code(1));
    assert_eq!(text(&answer.ended.stderr), "refused");
    assert_eq!(
        (answer.wall, answer.ended.stdout),
        (Duration::ZERO, Vec::new())
    );
    // One deadline holds for both.
    let answer = take(client("sleep 100"), Duration::from_millis(200)).await;
    assert_eq!(answer.ended.how, How::Deadline);
}

fn free_port() -> u16 {
    StdListener::bind((Ipv4Addr::LOCALHOST, 0))
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

#[tokio::test]
async fn the_kernel_tells_the_effective_mss() {
    needs!(installed(&["iperf3"]));
    // A watch waits briefly. On a busy machine the kernel's word may come later; then there is none.
    let told = async {
        loop {
            if let Some(connection) = connection_of_iperf3().await {
                return connection;
            }
        }
    };
    let connection = timeout(SOON, told)
        .await
        .expect("the kernel should have announced it");
    // 12 bytes of every segment are the timestamps option.
    assert_eq!(connection.mss, 588);
    assert!(connection.bytes_acked >= 64 * 1024, "{connection:?}");
    assert!(connection.rtt_us > 0, "{connection:?}");
}

/// Sends by iperf3 with an MSS of 600; returns what the kernel tells of the connection.
async fn connection_of_iperf3() -> Option<Connection> {
    let port = free_port();
    let server = words(&[
        "iperf3",
        "-s",
        "-1",
        "--forceflush",
        "-B",
        "127.0.0.1",
        "-p",
        &port.to_string(),
    ]);
    let (ready, is_ready) = oneshot::channel();
    let (_sender, mut stop) = oneshot::channel();
    let server = tokio::spawn(async move {
        let ready = || {
            let _ = ready.send(());
            std::future::ready(())
        };
        server::serve(
            &server,
            Ready::Line("Server listening".to_owned()),
            Instant::now() + SOON,
            &mut stop,
            ready,
        )
        .await
    });
    is_ready.await.expect("the server should be ready");
    let client = Client {
        argv: words(&[
            "iperf3",
            "-c",
            "127.0.0.1",
            "-p",
            &port.to_string(),
            "-M",
            "600",
            "-n",
            "8M",
            "-P",
            "3",
            "-J",
        ]),
        warmup_argv: Vec::new(),
        watch_tcp_port: Some(port),
    };
    let answer = take(client, SOON).await;
    assert_eq!(answer.ended.how, How::Code(0), "{answer:?}");
    assert_eq!(
        timeout(SOON, server).await.unwrap().unwrap().how,
        How::Code(0)
    );
    answer.connection
}

#[tokio::test]
async fn a_port_that_nobody_used_tells_nothing() {
    let client = Client {
        argv: sh("true"),
        warmup_argv: Vec::new(),
        watch_tcp_port: Some(free_port()),
    };
    assert_eq!(take(client, SOON).await.connection, None);
}

/// An orchestrator that hands every session over to the test.
struct Fake(mpsc::Sender<Session>);

/// The orchestrator's end of a worker's stream.
struct Session {
    hello: Hello,
    answers: Streaming<FromWorker>,
    orders: mpsc::Sender<Result<ToWorker, Status>>,
}

impl Session {
    async fn order(&self, order: Order) {
        self.orders
            .send(Ok(ToWorker {
                message: Some(order),
                epoch: 1,
            }))
            .await
            .unwrap();
    }

    async fn answer(&mut self) -> Message {
        let answer = timeout(SOON, self.answers.message())
            .await
            .expect("no answer came");
        answer.unwrap().expect("the stream ended").message.unwrap()
    }

    /// Starts a server that says its process group, and gives what it said when it ended.
    async fn start_server(&mut self, step: u64, script: &str) {
        self.order(Order::StartServer(StartServer {
            step,
            argv: sh(script),
            ready: Some(SignOfReady::ReadyLine("ready".to_owned())),
            ready_within_ms: 15_000,
            outlives_ms: 0,
            flow_signs: Vec::new(),
        }))
        .await;
        assert_eq!(
            self.answer().await,
            Message::ServerReady(pb::ServerReady { step })
        );
    }
}

#[tonic::async_trait]
impl Orchestrator for Fake {
    type WorkStream = ReceiverStream<Result<ToWorker, Status>>;
    type WatchStream = ReceiverStream<Result<pb::Record, Status>>;

    async fn work(
        &self,
        request: Request<Streaming<FromWorker>>,
    ) -> Result<Response<Self::WorkStream>, Status> {
        let mut answers = request.into_inner();
        let first = answers.message().await?.and_then(|first| first.message);
        let Some(Message::Hello(hello)) = first else {
            return Err(Status::invalid_argument("the first message is not Hello"));
        };
        if hello.worker == "outdated" {
            return Err(Status::failed_precondition(
                "this orchestrator is of version 9.9.9",
            ));
        }
        let (orders, receiver) = mpsc::channel(8);
        let session = Session {
            hello,
            answers,
            orders,
        };
        self.0
            .send(session)
            .await
            .map_err(|_| Status::unavailable("the test is over"))?;
        Ok(Response::new(ReceiverStream::new(receiver)))
    }

    async fn watch(
        &self,
        _: Request<pb::WatchRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        Err(Status::unimplemented("not here"))
    }

    async fn cancel(
        &self,
        _: Request<pb::CancelRequest>,
    ) -> Result<Response<pb::CancelResponse>, Status> {
        Err(Status::unimplemented("not here"))
    }

    async fn give_up(
        &self,
        _: Request<pb::GiveUpRequest>,
    ) -> Result<Response<pb::GiveUpResponse>, Status> {
        Err(Status::unimplemented("not here"))
    }

    async fn mark(
        &self,
        _: Request<pb::MarkRequest>,
    ) -> Result<Response<pb::MarkResponse>, Status> {
        Err(Status::unimplemented("not here"))
    }

    async fn collected(
        &self,
        _: Request<pb::CollectedRequest>,
    ) -> Result<Response<pb::CollectedResponse>, Status> {
        Err(Status::unimplemented("not here"))
    }
}

/// The fake in a runtime of its own, so that it can crash with all its connections.
struct FakeServer {
    /// Dropping it is the crash.
    alive: oneshot::Sender<()>,
    thread: std::thread::JoinHandle<()>,
    sessions: mpsc::Receiver<Session>,
}

impl FakeServer {
    fn start(address: SocketAddr, identity: &Identity) -> (Self, SocketAddr) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let (sender, sessions) = mpsc::channel(4);
        let service = OrchestratorServer::new(Fake(sender));
        let router = netplan::rpc::server().add_service(service);
        let identity = identity.clone();
        let (alive, crash) = oneshot::channel::<()>();
        let (bound, address_bound) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            runtime.block_on(async {
                let listener = TcpListener::bind(address).await.unwrap();
                bound.send(listener.local_addr().unwrap()).unwrap();
                let incoming = netplan::rpc::incoming(listener, &identity).unwrap();
                let serving = router.serve_with_incoming(incoming);
                tokio::select! {
                    served = serving => served.unwrap(),
                    _ = crash => (),
                }
            });
        });
        let address = address_bound.recv().unwrap();
        let server = Self {
            alive,
            thread,
            sessions,
        };
        (server, address)
    }

    async fn crash(self) {
        drop(self.alive);
        let joined = tokio::task::spawn_blocking(|| self.thread.join());
        timeout(SOON, joined).await.unwrap().unwrap().unwrap();
    }

    async fn session(&mut self) -> Session {
        timeout(SOON, self.sessions.recv())
            .await
            .expect("no worker came")
            .unwrap()
    }
}

fn anywhere() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 0))
}

pub fn write_identity(folder: &Path, identity: &Identity) {
    std::fs::write(folder.join("ca.crt"), &identity.ca_pem).unwrap();
    std::fs::write(folder.join("tls.crt"), &identity.cert_pem).unwrap();
    std::fs::write(folder.join("tls.key"), &identity.key_pem).unwrap();
}

/// A worker under way.
struct Worker {
    task: JoinHandle<Result<Parting, Error>>,
    shutdown: oneshot::Sender<()>,
}

impl Worker {
    fn start(name: &str, orchestrator: SocketAddr, identity: &Identity) -> Self {
        Self::with_patience(name, orchestrator, identity, worker::PATIENCE)
    }

    fn with_patience(
        name: &str,
        orchestrator: SocketAddr,
        identity: &Identity,
        patience: Duration,
    ) -> Self {
        Self::with(Settings {
            patience,
            ..Self::settings(name, orchestrator, identity)
        })
    }

    fn settings(name: &str, orchestrator: SocketAddr, identity: &Identity) -> Settings {
        Settings {
            name: name.to_owned(),
            orchestrator: orchestrator.to_string(),
            service: Some("127.0.0.2".to_owned()),
            identity: identity.clone(),
            pod_ip: IpAddr::from(Ipv4Addr::LOCALHOST),
            other_pod_ip: None,
            node: "n1".to_owned(),
            control_ports: None,
            programs: Vec::new(),
            patience: worker::PATIENCE,
            copy: None,
            copy_patience: worker::COPY_PATIENCE,
            tell: |line| eprintln!("worker: {line}"),
        }
    }

    fn with(settings: Settings) -> Self {
        let (shutdown, ended) = oneshot::channel();
        let task = tokio::spawn(async move {
            worker::run(&settings, async {
                let _ = ended.await;
            })
            .await
        });
        Self { task, shutdown }
    }

    async fn ended(self) -> Result<Parting, Error> {
        timeout(SOON, self.task)
            .await
            .expect("the worker should have ended")
            .unwrap()
    }
}

/// A run with one worker, joined.
async fn joined() -> (FakeServer, SocketAddr, RunIdentities, Worker, Session) {
    let run = RunIdentities::issue("test", &["w1"]).unwrap();
    let (mut server, address) = FakeServer::start(anywhere(), &run.orchestrator);
    let worker = Worker::start("w1", address, &run.workers[0]);
    let session = server.session().await;
    (server, address, run, worker, session)
}

fn server_output(message: Message) -> (u64, Ended) {
    let Message::ServerEnded(ended) = message else {
        panic!("{message:?}")
    };
    (ended.step, netplan::rpc::what_ended(ended.exit).unwrap())
}

fn client_ended(message: Message) -> (pb::ClientEnded, Ended) {
    let Message::ClientEnded(mut ended) = message else {
        panic!("{message:?}")
    };
    let exit = ended.exit.take();
    (ended, netplan::rpc::what_ended(exit).unwrap())
}

#[tokio::test]
async fn a_sample_from_hello_to_goodbye() {
    let (_server, _, _, worker, mut session) = joined().await;
    let hello = &session.hello;
    assert_eq!((hello.worker.as_str(), hello.node.as_str()), ("w1", "n1"));
    assert_eq!(
        (hello.pod_ip.as_str(), hello.cluster_ip.as_str()),
        ("127.0.0.1", "127.0.0.2")
    );
    assert_eq!(hello.version, env!("CARGO_PKG_VERSION"));
    let environment: WorkerEnvironment = serde_json::from_str(&hello.environment_json).unwrap();
    assert_eq!(environment.interface, "lo");
    assert!(environment.mtu > 0 && environment.cores > 0 && environment.memory_bytes > 0);
    assert!(!environment.kernel.is_empty() && !environment.congestion_control.is_empty());

    session
        .start_server(1, "echo $$ ready; sleep 100 & sleep 100")
        .await;
    session
        .order(Order::RunClient(RunClient {
            step: 2,
            argv: sh("echo figures; echo warnings >&2"),
            warmup_argv: sh("echo warm"),
            deadline_ms: 15_000,
            ..RunClient::default()
        }))
        .await;
    let (message, ended) = client_ended(session.answer().await);
    assert_eq!((message.step, message.tcp), (2, None));
    assert!(message.wall_us > 0);
    assert_eq!(ended.how, How::Code(0));
    assert_eq!(
        (text(&ended.stdout), text(&ended.stderr)),
        ("figures", "warnings")
    );

    session.order(Order::Stop(pb::Stop { step: 1 })).await;
    let (step, ended) = server_output(session.answer().await);
    assert_eq!((step, &ended.how), (1, &How::Stopped));
    assert!(is_gone(&ended.stdout));

    session.order(Order::Goodbye(Goodbye {})).await;
    assert_eq!(worker.ended().await.unwrap(), Parting::Goodbye);
}

#[tokio::test]
async fn a_client_is_stopped_half_way_and_other_steps_continue() {
    let (_server, _, _, worker, mut session) = joined().await;
    session.start_server(1, "echo ready; exec sleep 100").await;
    let client = |step, script| {
        Order::RunClient(RunClient {
            step,
            argv: sh(script),
            deadline_ms: 60_000,
            ..RunClient::default()
        })
    };
    session.order(client(2, "exec sleep 100")).await;
    // Neither an unknown step, nor one twice, nor an ended one gets an answer.
    session.order(Order::Stop(pb::Stop { step: 77 })).await;
    session.order(client(2, "exit 9")).await;
    session.order(Order::Stop(pb::Stop { step: 2 })).await;
    let (message, ended) = client_ended(session.answer().await);
    assert_eq!((message.step, ended.how), (2, How::Stopped));
    session.order(Order::Stop(pb::Stop { step: 2 })).await;
    session.order(client(3, "exit 5")).await;
    let (message, ended) = client_ended(session.answer().await);
    assert_eq!((message.step, ended.how), (3, How::Code(5)));
    session.order(client(4, "no-such-tool")).await;
    let (message, ended) = client_ended(session.answer().await);
    assert_eq!((message.step, ended.how), (4, How::Code(127)));
    session.order(Order::Goodbye(Goodbye {})).await;
    worker.ended().await.unwrap();
}

/// A server that writes its process group to a file; the stream is not needed to know it.
async fn server_in(folder: &Path, session: &mut Session) -> Vec<u8> {
    let file = folder.join("leader");
    let script = format!(
        "echo $$ > {}; echo ready; sleep 100 & sleep 100",
        file.display()
    );
    session.start_server(1, &script).await;
    let leader = std::fs::read(file).unwrap();
    assert!(!is_gone(&leader));
    leader
}

#[tokio::test]
async fn a_broken_stream_kills_the_server_and_the_worker_comes_back() {
    let (mut server, address, run, worker, mut session) = joined().await;
    let folder = tempfile::tempdir().unwrap();
    let leader = server_in(folder.path(), &mut session).await;

    // The stream ends without a goodbye, the orchestrator stays.
    drop(session);
    let mut session = server.session().await;
    assert_eq!(session.hello.worker, "w1");
    assert!(is_gone(&leader), "a tool has outlived its session");

    // The orchestrator goes away with all its connections, and another comes to its place.
    let leader = server_in(folder.path(), &mut session).await;
    server.crash().await;
    drop(session);
    let (mut server, _) = FakeServer::start(address, &run.orchestrator);
    let session = server.session().await;
    assert!(is_gone(&leader), "a tool has outlived its session");
    session.order(Order::Goodbye(Goodbye {})).await;
    worker.ended().await.unwrap();
}

#[tokio::test]
async fn what_outlives_its_session_answers_in_the_next() {
    let (mut server, address, run, worker, mut session) = joined().await;
    let folder = tempfile::tempdir().unwrap();
    let fifo = folder.path().join("end");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let kept = |session: &Session| {
        let kept = session.hello.kept.iter();
        let mut kept: Vec<_> = kept
            .map(|kept| {
                assert!(kept.epoch == 1 && kept.ends_within_ms > 0);
                (kept.step, kept.is_client)
            })
            .collect();
        kept.sort_unstable();
        kept
    };
    assert_eq!(kept(&session), []);
    session
        .order(Order::StartServer(StartServer {
            step: 1,
            argv: sh("echo ready; exec sleep 1000"),
            ready: Some(SignOfReady::ReadyLine("ready".to_owned())),
            ready_within_ms: 15_000,
            outlives_ms: 600_000,
            flow_signs: Vec::new(),
        }))
        .await;
    let ready = Message::ServerReady(pb::ServerReady { step: 1 });
    assert_eq!(session.answer().await, ready);
    let client = |step, script: &str, outlives| {
        Order::RunClient(RunClient {
            step,
            argv: sh(script),
            deadline_ms: 600_000,
            outlives,
            ..RunClient::default()
        })
    };
    let measures = format!("read word < {0}; echo $word", fifo.display());
    session.order(client(2, &measures, true)).await;
    session.order(client(3, "exec sleep 1000", false)).await;

    // The stream ends without a goodbye, the orchestrator stays.
    drop(session);
    let mut session = server.session().await;
    assert_eq!(kept(&session), [(1, false), (2, true)]);
    assert!(session.hello.kept.iter().all(|kept| kept.is_running));
    assert_eq!(session.answer().await, ready);

    // The client ends while nobody is there.
    server.crash().await;
    drop(session);
    tokio::fs::write(&fifo, "measured\n").await.unwrap();
    let (mut server, _) = FakeServer::start(address, &run.orchestrator);
    let mut session = server.session().await;
    assert_eq!(kept(&session), [(1, false), (2, true)]);
    assert_eq!(session.answer().await, ready);
    let (message, ended) = client_ended(session.answer().await);
    assert_eq!((message.step, ended.how), (2, How::Code(0)));
    assert_eq!(text(&ended.stdout), "measured");

    session.order(Order::Forget(pb::Forget { step: 2 })).await;
    session.order(Order::Stop(pb::Stop { step: 1 })).await;
    let (step, ended) = server_output(session.answer().await);
    assert_eq!((step, ended.how), (1, How::Stopped));
    session.order(Order::Forget(pb::Forget { step: 1 })).await;
    drop(session);
    let session = server.session().await;
    assert_eq!(kept(&session), []);
    session.order(Order::Goodbye(Goodbye {})).await;
    worker.ended().await.unwrap();
}

#[tokio::test]
async fn a_shutdown_kills_the_tools() {
    let (_server, _, _, worker, mut session) = joined().await;
    let folder = tempfile::tempdir().unwrap();
    let leader = server_in(folder.path(), &mut session).await;
    let Worker { task, shutdown } = worker;
    shutdown.send(()).unwrap();
    let parting = timeout(SOON, task).await.unwrap().unwrap().unwrap();
    assert_eq!(parting, Parting::Shutdown);
    assert!(is_gone(&leader));
}

#[tokio::test]
async fn a_signal_is_a_shutdown() {
    for asked in [Signal::SIGTERM, Signal::SIGINT] {
        let terminated = worker::terminated().unwrap();
        raise(asked).unwrap();
        timeout(SOON, terminated)
            .await
            .expect("the signal should have been caught");
    }
}

#[test]
fn a_worker_that_is_told_to_leave_has_not_done_its_work() {
    let run = RunIdentities::issue("test", &["w1"]).unwrap();
    let tls = tempfile::tempdir().unwrap();
    write_identity(tls.path(), &run.workers[0]);
    let worker = Netplan::in_folder(&tls)
        .args(["worker", "--name=w1", "--pod-ip=127.0.0.1", "--node=n1"])
        .args([format!("--orchestrator=127.0.0.1:{}", free_port())])
        .args([format!("--tls={}", tls.path().display())])
        .start();
    wait_until("the worker to wait", || {
        worker.stderr().contains("waiting for the orchestrator")
    });
    worker.signal(Signal::SIGTERM);
    // With 0 its Job would be complete, and make no other pod.
    worker.finish().expect(143);
}

/// The program itself as a worker, by what a shell does before. It is in a user namespace, as in the local cluster: root
/// may see everything.
fn real_worker(before: &str, tls: &Path, copy: &Path, orchestrator: SocketAddr) -> Running {
    let script = format!("{before} exec unshare --user --map-root-user \"$0\" \"$@\"");
    Netplan::in_folder(tls)
        .started_by(&["sh", "-c", &script])
        .args(["worker", "--name=w1", "--pod-ip=127.0.0.1", "--node=n1"])
        .args([format!("--orchestrator={orchestrator}")])
        .args([format!("--tls={}", tls.display())])
        .args([format!("--copy={}", copy.display())])
        .start()
}

/// Has a session's worker run a script; gives what it prints.
async fn printed(session: &mut Session, step: u64, script: &str) -> String {
    let order = Order::RunClient(RunClient {
        step,
        argv: sh(script),
        deadline_ms: 60_000,
        ..RunClient::default()
    });
    session.order(order).await;
    let (_, ended) = client_ended(session.answer().await);
    text(&ended.stdout).to_owned()
}

#[tokio::test]
async fn a_tool_cannot_read_the_workers_key_and_has_limits() {
    needs!(local_cluster(), installed(&["unshare"]));
    let run = RunIdentities::issue("test", &["w1"]).unwrap();
    let (mut server, address) = FakeServer::start(anywhere(), &run.orchestrator);
    let folder = tempfile::tempdir().unwrap();
    // The folder has a neighbour, as in a pod.
    let (tls, beside) = (folder.path().join("tls"), folder.path().join("beside"));
    std::fs::create_dir(&tls).unwrap();
    std::fs::write(&beside, "readable").unwrap();
    let room = folder.path().join("room");
    std::fs::create_dir(&room).unwrap();
    let copy = folder.path().join("copy");
    std::fs::create_dir(&copy).unwrap();
    write_identity(&tls, &run.workers[0]);
    let worker = real_worker("ulimit -S -n 200;", &tls, &copy, address);
    let pid = worker.pid();
    let mut session = server.session().await;

    let limits = "echo $(ulimit -n) $(ulimit -c) $(ulimit -f)";
    // Blocks of 512 bytes, and a GiB at most.
    assert_eq!(printed(&mut session, 1, limits).await, "200 0 2097152");
    let status = std::fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
    let files = status
        .lines()
        .find(|line| line.starts_with("Max open files"))
        .unwrap();
    let files: Vec<&str> = files.split_whitespace().collect();
    assert_eq!(
        files[3], files[4],
        "the worker's own limit is raised: {status}"
    );

    needs!(landlock());
    let script = format!(
        "cat {}; echo; echo x > {}",
        beside.display(),
        beside.display()
    );
    assert_eq!(printed(&mut session, 2, &script).await, "readable");
    // Files can be moved and linked from folder to folder.
    let script = format!(
        "cd {} && mkdir a b && echo x > a/f && ln a/f b/f && cat b/f",
        room.display()
    );
    assert_eq!(printed(&mut session, 3, &script).await, "x");
    // The folder of the copy can be neither moved nor changed, and nothing takes its place.
    for (step, attack) in [
        "mv copy gone",
        "mv copy room/gone",
        "mv -T room/a copy",
        "rmdir copy",
        "mkdir new",
        "ln -s room new",
        "mkdir copy/new",
        "touch copy/new",
        "mkfifo copy/new",
        "ln -s / copy/new",
    ]
    .into_iter()
    .enumerate()
    {
        let script = format!(
            "cd {} && {{ {attack}; }} 2>/dev/null && echo done; ls -m . copy",
            folder.path().display()
        );
        let said = printed(&mut session, 50 + step as u64, &script).await;
        let left = ".:\nbeside, copy, room, tls\n\ncopy:\n";
        assert!(said.starts_with(left.trim_end()), "{attack}: {said}");
        assert!(!said.contains("done"), "{attack}: {said}");
    }
    let file = |name: &str| tls.join(name).display().to_string();
    let own = |name: &str| format!("/proc/{pid}/{name}");
    for (step, secret) in [
        file("tls.key"),
        file("tls.crt"),
        own("environ"),
        own("mem"),
        own("maps"),
    ]
    .into_iter()
    .chain([format!("/proc/{pid}/root{}", file("tls.key"))])
    .enumerate()
    {
        let script =
            format!("head -c 1 {secret} 2>/dev/null | wc -c; test -e {secret} && echo there");
        let said = printed(&mut session, 10 + step as u64, &script).await;
        assert!(
            said == "0\nthere" || secret.contains("root") && said == "0",
            "{secret}: {said}"
        );
    }
    let script = format!(
        "ls {} | wc -l; readlink /proc/{pid}/fd/* 2>/dev/null | wc -l",
        tls.display()
    );
    assert_eq!(printed(&mut session, 30, &script).await, "3\n0");
    session.order(Order::Goodbye(Goodbye {})).await;
    worker.finish_in_task().await.expect(0);
}

/// Whether this kernel has Landlock.
fn landlock() -> Result<(), &'static str> {
    use landlock::{AccessFs, CompatLevel, Compatible, Ruleset, RulesetAttr};
    let ruleset = Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
    let made = ruleset.handle_access(AccessFs::ReadFile);
    if made.and_then(Ruleset::create).is_ok() {
        Ok(())
    } else {
        Err("this kernel has no Landlock, so that tools can read the files of their worker")
    }
}

#[tokio::test]
async fn a_worker_waits_for_its_orchestrator() {
    let run = RunIdentities::issue("test", &["w1"]).unwrap();
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
    let worker = Worker::start("w1", address, &run.workers[0]);
    tokio::time::sleep(Duration::from_millis(100)).await;
    let (mut server, _) = FakeServer::start(address, &run.orchestrator);
    server
        .session()
        .await
        .order(Order::Goodbye(Goodbye {}))
        .await;
    worker.ended().await.unwrap();
}

#[tokio::test]
async fn a_worker_that_cannot_hand_out_a_copy_offers_none() {
    let run = RunIdentities::issue("test", &["w1"]).unwrap();
    let (mut server, address) = FakeServer::start(anywhere(), &run.orchestrator);
    let folder = tempfile::tempdir().unwrap();
    // Another worker of the same node has the port.
    let other = StdListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let taken = other.local_addr().unwrap().port();
    // This machine may have no IPv6.
    let _ipv6 = StdListener::bind((Ipv6Addr::LOCALHOST, taken));
    let free = free_port();
    for (ports, offers) in [(free..=free, true), (taken..=taken, false)] {
        let worker = Worker::with(Settings {
            control_ports: Some(ports),
            copy: Some(folder.path().to_owned()),
            ..Worker::settings("w1", address, &run.workers[0])
        });
        let session = server.session().await;
        assert_eq!(session.hello.copy.is_some(), offers);
        session.order(Order::Goodbye(Goodbye {})).await;
        worker.ended().await.unwrap();
    }
}

#[tokio::test]
async fn a_worker_that_holds_results_needs_no_service() {
    let run = RunIdentities::issue("test", &["w1"]).unwrap();
    let (mut server, address) = FakeServer::start(anywhere(), &run.orchestrator);
    let folder = tempfile::tempdir().unwrap();
    let mut journal = Journal::create(folder.path()).unwrap();
    let ended = EventKind::RunEnded { cancelled: false };
    journal
        .append(&Event {
            v: 1,
            seq: 0,
            at: jiff::Timestamp::UNIX_EPOCH,
            kind: ended,
        })
        .unwrap();
    drop(journal);
    let worker = Worker::with(Settings {
        // A name without an address.
        service: Some("nowhere.invalid".to_owned()),
        copy: Some(folder.path().to_owned()),
        ..Worker::settings("w1", address, &run.workers[0])
    });
    let session = server.session().await;
    assert!(session.hello.copy.is_some_and(|copy| copy.complete));
    session.order(Order::Goodbye(Goodbye {})).await;
    worker.ended().await.unwrap();
}

#[tokio::test]
async fn a_worker_that_nobody_takes_gives_up() {
    let run = RunIdentities::issue("test", &["w1"]).unwrap();
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
    let patience = Duration::from_millis(100);
    let worker = Worker::with_patience("w1", address, &run.workers[0], patience);
    let error = worker.ended().await.unwrap_err();
    assert!(matches!(error, Error::Lost { .. }), "{error}");
    assert!(error.to_string().contains("Connection refused"), "{error}");
}

/// What a worker that does not belong is told.
async fn refusal(name: &str, run: &RunIdentities, identity: &Identity) -> String {
    let (_server, address) = FakeServer::start(anywhere(), &run.orchestrator);
    let error = Worker::start(name, address, identity)
        .ended()
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Refused { .. }), "{error}");
    error.to_string()
}

#[tokio::test]
async fn a_refused_worker_ends_at_once_and_says_why() {
    let run = RunIdentities::issue("test", &["w1"]).unwrap();
    let other = RunIdentities::issue("other", &["w1"]).unwrap();

    let said = refusal("outdated", &run, &run.workers[0]).await;
    assert!(said.contains("version 9.9.9"), "{said}");

    // Neither does a worker trust the orchestrator of another run ...
    let said = refusal("w1", &run, &other.workers[0]).await;
    assert!(said.contains("invalid peer certificate"), "{said}");

    // ... nor the orchestrator its worker, if it did.
    let stranger = Identity {
        ca_pem: run.workers[0].ca_pem.clone(),
        ..other.workers[0].clone()
    };
    let said = refusal("w1", &run, &stranger).await;
    assert!(said.contains("received fatal alert"), "{said}");
}

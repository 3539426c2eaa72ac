//! Faults of the local cluster, with real namespaces and real traffic.
//!
//! The pods run a function of this program, see [`a_pod_that_talks`]. All processes read the same clock, so that a
//! packet which was sent after a fault had begun, and came before it was ended, is a certain violation, however slow
//! the machine is.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs, UdpSocket};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use netplan::cluster::local::Local;
use netplan::cluster::{Cluster, FaultSwitch};
use netplan::plan::units::Percent;
use netplan::plan::{EmulatedNode, Fault, LossyLink};
use netplan::render::Manifest;
use serde_json::json;

use crate::local::{pod, rule, service, settings};
use crate::support::{NETPLAN, local_cluster, needs, processes_naming, wait_until};

const UDP: u16 = 7000;
const TCP: u16 = 7001;
/// Between two packets.
const PAUSE: Duration = Duration::from_millis(5);
/// How long a fault lasts.
const HOLD: Duration = Duration::from_millis(300);
const ROLE: &str = "NETPLAN_TEST_TALKS_TO";

/// What a pod has seen: a kind, a number, when it was sent and when it came, in microseconds.
#[derive(Clone, Copy, Debug)]
struct Seen<'l> {
    kind: &'l str,
    number: u64,
    sent: i64,
    came: i64,
}

fn seen(log: &str) -> impl Iterator<Item = Seen<'_>> {
    log.lines().filter_map(|line| {
        let mut words = line.strip_prefix("seen ")?.split(' ');
        Some(Seen {
            kind: words.next()?,
            number: words.next()?.parse().ok()?,
            sent: words.next()?.parse().ok()?,
            came: words.next()?.parse().ok()?,
        })
    })
}

fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(now.as_micros()).unwrap()
}

/// Writes a line of the log at once; the harness of tests would put its own words before it.
fn say(kind: &str, number: u64, sent: i64) {
    let line = format!("\nseen {kind} {number} {sent} {}\n", now());
    std::io::stdout().write_all(line.as_bytes()).unwrap();
}

/// Not a test: what a pod runs. It sends datagrams to its peer and tells of those that come, keeps a TCP connection and
/// makes new ones; the peer answers them. Without a peer it answers whoever talks to it.
#[test]
fn a_pod_that_talks() {
    let Ok(peer) = std::env::var(ROLE) else {
        return;
    };
    let address = |port: u16| -> SocketAddr {
        (peer.as_str(), port)
            .to_socket_addrs()
            .unwrap()
            .next()
            .unwrap()
    };
    if peer.is_empty() {
        let listener = TcpListener::bind(("0.0.0.0", TCP)).unwrap();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                std::thread::spawn(move || echo(stream.unwrap()));
            }
        });
        datagrams(None);
    } else {
        std::thread::spawn({
            let address = address(TCP);
            move || keep_connection(address)
        });
        std::thread::spawn({
            let address = address(TCP);
            move || make_connections(address)
        });
        datagrams(Some(address(UDP)));
    }
}

fn echo(mut stream: TcpStream) {
    let mut message = [0; 16];
    while stream.read_exact(&mut message).is_ok() {
        stream.write_all(&message).unwrap();
    }
}

fn datagrams(mut peer: Option<SocketAddr>) -> ! {
    let socket = UdpSocket::bind(("0.0.0.0", UDP)).unwrap();
    socket.set_read_timeout(Some(PAUSE)).unwrap();
    let (mut number, mut next) = (0_u64, std::time::Instant::now());
    loop {
        if let Some(peer) = peer.filter(|_| std::time::Instant::now() >= next) {
            next += PAUSE;
            number += 1;
            let mut message = number.to_be_bytes().to_vec();
            message.extend(now().to_be_bytes());
            // While its peer is not up yet, the kernel tells of an answer that it got.
            let _ = socket.send_to(&message, peer);
        }
        let mut message = [0; 16];
        if let Ok((16, from)) = socket.recv_from(&mut message) {
            peer.get_or_insert(from);
            let number = u64::from_be_bytes(message[..8].try_into().unwrap());
            say(
                "udp",
                number,
                i64::from_be_bytes(message[8..].try_into().unwrap()),
            );
        }
    }
}

fn connect(address: SocketAddr) -> TcpStream {
    loop {
        match TcpStream::connect_timeout(&address, HOLD) {
            Ok(stream) => return stream,
            Err(_) => std::thread::sleep(PAUSE),
        }
    }
}

/// Ends, and says no more, when the connection breaks.
fn keep_connection(address: SocketAddr) {
    let mut stream = connect(address);
    for number in 0_u64.. {
        let sent = now();
        let mut message = [0; 16];
        if stream.write_all(&message).is_err() || stream.read_exact(&mut message).is_err() {
            return;
        }
        say("kept", number, sent);
        std::thread::sleep(PAUSE);
    }
}

fn make_connections(address: SocketAddr) {
    for number in 0_u64.. {
        let sent = now();
        if TcpStream::connect_timeout(&address, HOLD).is_ok() {
            say("new", number, sent);
        }
        std::thread::sleep(PAUSE);
    }
}

/// Two pods on two nodes: `a` talks to the Service of `b`.
struct Talk {
    cluster: Local,
}

const A: usize = 0;
const B: usize = 1;

impl Talk {
    /// `word` is in the command lines of its processes.
    async fn start(word: &str) -> Self {
        let talker = |name: &str, peer: &str, more: &serde_json::Value| {
            let mut pod = pod(name, "", more);
            let program = std::env::current_exe().unwrap();
            pod.object["spec"]["containers"][0]["command"] = json!([
                program,
                "--exact",
                "faults::a_pod_that_talks",
                "--nocapture",
                "--test-threads=1",
                word
            ]);
            pod.object["spec"]["containers"][0]["env"] = json!([{"name": ROLE, "value": peer}]);
            Manifest {
                text: pod.object.to_string(),
                ..pod
            }
        };
        let objects = [
            service("b", &[UDP, TCP]),
            talker("a", "b", &json!({})),
            talker("b", "", &rule("podAntiAffinity", "a")),
        ];
        let cluster = Local::start(Path::new(NETPLAN), &settings(2))
            .await
            .unwrap();
        cluster.apply(&objects).await.unwrap();
        let talk = Self { cluster };
        talk.all_passes_after(0).await;
        talk
    }

    async fn logs(&self) -> [String; 2] {
        let [a, b] = ["a", "b"].map(|pod| self.cluster.logs(pod));
        [a.await.unwrap(), b.await.unwrap()]
    }

    /// Waits until logs are as wanted.
    async fn wait(&self, what: &str, mut holds: impl FnMut(&[String; 2]) -> bool) {
        let begun = std::time::Instant::now();
        let mut logs = self.logs().await;
        while !holds(&logs) {
            assert!(
                begun.elapsed() < Duration::from_secs(120),
                "waited in vain for {what}: {}",
                logs[A]
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
            logs = self.logs().await;
        }
    }

    /// Waits until everything passes that is sent after this time.
    async fn all_passes_after(&self, time: i64) {
        let what = "datagrams both ways, the kept connection and new ones";
        self.wait(what, |logs| {
            let passes = |pod: usize, kind: &str| {
                seen(&logs[pod]).any(|seen| seen.kind == kind && seen.sent > time)
            };
            passes(A, "udp") && passes(B, "udp") && passes(A, "kept") && passes(A, "new")
        })
        .await;
    }

    /// Has the fault for a while, and then waits until everything passes again. Gives the times and the logs.
    async fn suffer(&self, fault: &Fault) -> (Window, [String; 2]) {
        self.cluster.prepare_fault(fault).await.unwrap();
        let begin = self.cluster.begin_fault(fault).await.unwrap();
        tokio::time::sleep(HOLD).await;
        self.end(fault, begin).await
    }

    async fn end(&self, fault: &Fault, begin: FaultSwitch) -> (Window, [String; 2]) {
        let end = self.cluster.end_fault(fault).await.unwrap();
        let window = Window::new(begin, end);
        self.all_passes_after(window.over).await;
        (window, self.logs().await)
    }
}

/// While a fault was certainly on.
#[derive(Clone, Copy, Debug)]
struct Window {
    from: i64,
    to: i64,
    /// When it had ended.
    over: i64,
}

impl Window {
    fn new(begin: FaultSwitch, end: FaultSwitch) -> Self {
        assert!(
            begin.before <= begin.after && begin.after <= end.before && end.before <= end.after
        );
        Self {
            // A microsecond that has begun.
            from: begin.after.as_microsecond() + 1,
            to: end.before.as_microsecond(),
            over: end.after.as_microsecond() + 1,
        }
    }

    /// What was sent and came within it.
    fn within<'l>(&self, log: &'l str, kind: &str) -> Vec<Seen<'l>> {
        let all = seen(log).filter(|seen| seen.kind == kind);
        all.filter(|seen| seen.sent > self.from && seen.came < self.to)
            .collect()
    }
}

fn nodes() -> [EmulatedNode; 2] {
    [EmulatedNode(1), EmulatedNode(2)]
}

#[tokio::test]
async fn a_cut_stops_both_directions_and_connections_survive_it() {
    needs!(local_cluster());
    let talk = Talk::start("cut").await;
    for fault in [
        Fault::Cut(nodes()),
        Fault::Cut([EmulatedNode(2), EmulatedNode(1)]),
    ] {
        let (window, logs) = talk.suffer(&fault).await;
        for (pod, kind) in [(A, "udp"), (B, "udp"), (A, "kept"), (A, "new")] {
            let passed = window.within(&logs[pod], kind);
            assert!(passed.is_empty(), "{kind}: {window:?} {passed:?}");
        }
    }
    talk.cluster.down().await.unwrap();
}

#[tokio::test]
async fn a_removed_service_stops_new_connections_alone() {
    needs!(local_cluster());
    let talk = Talk::start("removed").await;
    let fault = Fault::RemoveService("b".to_owned());
    let begin = talk.cluster.begin_fault(&fault).await.unwrap();
    let from = begin.after.as_microsecond();
    talk.wait("traffic that conntrack knows", |logs| {
        let passes = |pod: usize, kind: &str| {
            seen(&logs[pod]).any(|seen| seen.kind == kind && seen.sent > from)
        };
        passes(A, "udp") && passes(B, "udp") && passes(A, "kept")
    })
    .await;
    tokio::time::sleep(HOLD).await;
    let (window, logs) = talk.end(&fault, begin).await;
    let passed = window.within(&logs[A], "new");
    assert!(passed.is_empty(), "{window:?} {passed:?}");
    talk.cluster.down().await.unwrap();
}

#[tokio::test]
async fn a_frozen_pod_does_nothing_and_goes_with_its_cluster() {
    needs!(local_cluster());
    let word = format!("frozen-{}", std::process::id());
    let talk = Talk::start(&word).await;
    let fault = Fault::Freeze("b".to_owned());
    let begin = talk.cluster.begin_fault(&fault).await.unwrap();
    let again = talk.cluster.begin_fault(&fault).await.unwrap_err();
    assert_eq!(again.to_string(), "cannot begin a fault: it is on already");
    let from = begin.after.as_microsecond();
    talk.wait("a connection that the kernel takes", |logs| {
        seen(&logs[A]).any(|seen| seen.kind == "new" && seen.sent > from)
    })
    .await;
    tokio::time::sleep(HOLD).await;
    let (window, logs) = talk.end(&fault, begin).await;
    let mut at_work =
        seen(&logs[B]).filter(|seen| seen.came > window.from && seen.came < window.to);
    assert!(at_work.next().is_none(), "{window:?}");
    assert!(window.within(&logs[A], "kept").is_empty());

    talk.cluster.begin_fault(&fault).await.unwrap();
    assert!(!processes_naming(&word).is_empty());
    talk.cluster.down().await.unwrap();
    wait_until("the end of the frozen pod", || {
        processes_naming(&word).is_empty()
    });
}

#[tokio::test]
async fn a_lossy_link_loses_its_share_in_each_direction() {
    needs!(local_cluster());
    let talk = Talk::start("lossy").await;
    let fault = Fault::Loss(LossyLink {
        between: nodes(),
        percent: Percent(50.0),
    });
    let begin = talk.cluster.begin_fault(&fault).await.unwrap();
    let from = begin.after.as_microsecond();
    let datagrams = |log: &str| -> Vec<u64> {
        let all = seen(log).filter(|seen| seen.kind == "udp" && seen.sent > from);
        all.map(|seen| seen.number).collect()
    };
    talk.wait("200 datagrams each way", |logs| {
        logs.iter().all(|log| datagrams(log).len() >= 200)
    })
    .await;
    let logs = talk.logs().await;
    talk.cluster.end_faults().await.unwrap();
    for log in &logs {
        let numbers = datagrams(log);
        let sent = numbers[numbers.len() - 1] - numbers[0] + 1;
        let share = numbers.len() as f64 / sent as f64;
        // Six standard deviations.
        assert!((share - 0.5).abs() < 0.15, "{share} of {sent} came");
    }
    talk.all_passes_after(now()).await;
    let over = talk.cluster.end_fault(&fault).await.unwrap_err();
    assert_eq!(over.to_string(), "cannot end a fault: it is not on");
    talk.cluster.down().await.unwrap();
}

#[tokio::test]
async fn a_fault_of_what_is_not_there_is_refused() {
    needs!(local_cluster());
    let cluster = Local::start(Path::new(NETPLAN), &settings(3))
        .await
        .unwrap();
    let early = cluster
        .prepare_fault(&Fault::Cut(nodes()))
        .await
        .unwrap_err();
    assert_eq!(
        early.to_string(),
        "cannot prepare a fault: no objects were applied"
    );
    cluster
        .apply(&[pod("a", "sleep 1000", &json!({}))])
        .await
        .unwrap();
    for (fault, what) in [
        (
            Fault::Cut(nodes()),
            "cannot break the link of node-2: no pod runs there",
        ),
        (Fault::Freeze("x".to_owned()), "there is no pod `x`"),
        (
            Fault::RemoveService("a".to_owned()),
            "cannot remove the rules of Service `a`: there are none",
        ),
    ] {
        let error = cluster.begin_fault(&fault).await.unwrap_err();
        assert!(error.to_string().contains(what), "{error}");
    }
    cluster.down().await.unwrap();
}

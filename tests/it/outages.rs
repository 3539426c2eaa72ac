//! netplan's probe with real packets: outages, stalls, and runs that measure with it.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::{Netplan, installed, local_cluster, needs};

/// Starts a server in a network namespace of its own, then netplan as the test says, and `during` once it measures. Prints
/// times as `NAME NANOSECONDS`.
const SCRIPT: &str = r#"
set -eu
during=$1
shift
folder=$(mktemp -d)
trap 'kill "$server" 2>/dev/null; rm -rf "$folder"' EXIT
ip link set lo up
"$0" probe server --port 5400 --for 120s 2> "$folder/server" &
server=$!
until grep -q ready "$folder/server"; do sleep 0.02; done
sockets() { cat /proc/net/udp /proc/net/udp6 | grep -c ':'; }
before=$(sockets)
"$0" "$@" > "$folder/client" &
client=$!
until [ "$(sockets)" -gt "$before" ]; do sleep 0.02; done
at() { echo "$1 $(date +%s%N)"; }
eval "$during"
wait "$client"
cat "$folder/client"
"#;

/// Cuts both directions: all packets of the namespace come in by `lo`.
const CUT: &str = "
sleep 0.3
at cut
nft 'add table inet t; add chain inet t c { type filter hook input priority 0; }; add rule inet t c drop'
at is_cut
sleep 0.4
at mend
nft delete table inet t
at is_mended
";

const STALL: &str = "
sleep 0.3
kill -STOP $client
at stopped
sleep 0.6
at go_on
kill -CONT $client
";

/// The times that the script printed, in µs, and the client's document.
fn measure(during: &str, arguments: &str) -> (BTreeMap<String, u64>, Value) {
    let wrapper = [
        "unshare",
        "--user",
        "--map-root-user",
        "--net",
        "sh",
        "-c",
        SCRIPT,
    ];
    let folder = tempfile::tempdir().unwrap();
    let mut words = vec![during];
    words.extend(["probe", "client", "--port", "5400", "--to", "127.0.0.1"]);
    words.extend(arguments.split_whitespace());
    let ended = Netplan::in_folder(&folder)
        .started_by(&wrapper)
        .args(words)
        .run();
    let stdout = ended.expect(0).stdout;
    let mut times = BTreeMap::new();
    for line in stdout.lines() {
        if let Some((name, nanos)) = line.split_once(' ')
            && let Ok(nanos) = nanos.parse::<u64>()
        {
            times.insert(name.to_owned(), nanos / 1_000);
        }
    }
    let document = stdout.lines().find(|line| line.starts_with('{')).unwrap();
    (times, serde_json::from_str(document).unwrap())
}

/// The longest gap of a kind of traffic: its begin and its end, in µs since 1970, and what became of the connection.
fn longest(document: &Value, kind: &str) -> (u64, u64, Value) {
    let gaps = document[kind]["gaps"]["listed"].as_array().unwrap();
    let longest = gaps
        .iter()
        .max_by_key(|gap| gap["length_us"].as_u64())
        .unwrap();
    let begin = document["began_at_us"].as_u64().unwrap() + longest["at_us"].as_u64().unwrap();
    (
        begin,
        begin + longest["length_us"].as_u64().unwrap(),
        longest["connection"].clone(),
    )
}

/// What a busy machine adds or hides, in µs.
const TOLERANCE: u64 = 150_000;

#[test]
fn a_cut_is_a_gap_of_its_length() {
    needs!(local_cluster(), installed(&["unshare", "nft"]));
    let (times, document) = measure(
        CUT,
        "--for 4s --interval 1ms --connect-interval 20ms --udp --tcp",
    );
    for (kind, interval) in [("udp", 1_000), ("connect", 20_000)] {
        let (begin, end, _) = longest(&document, kind);
        assert!(
            begin + interval + TOLERANCE >= times["cut"] && begin <= times["is_cut"] + TOLERANCE,
            "{kind}: {document}"
        );
        let least = times["mend"] - times["is_cut"];
        let most = times["is_mended"] - times["cut"];
        assert!(
            end - begin + interval + TOLERANCE >= least,
            "{kind}: {document}"
        );
        assert!(
            end - begin <= most + interval + TOLERANCE,
            "{kind}: {document}"
        );
    }
    // Over UDP what was cut is lost; TCP sends it again, later.
    let count = |kind: &str, key: &str| document[kind][key].as_u64().unwrap();
    assert!(
        count("udp", "sent") > count("udp", "answered"),
        "{document}"
    );
    let (begin, end, connection) = longest(&document, "tcp");
    assert!(
        end - begin + TOLERANCE >= times["mend"] - times["is_cut"],
        "{document}"
    );
    assert_eq!(connection, "survived");
    assert_eq!(count("tcp", "sent"), count("tcp", "answered"));
    assert!(count("tcp", "survived") >= 1);
    assert_eq!(document["tcp"]["broken"]["reset"], 0);
}

#[test]
fn a_stalled_probe_is_no_outage() {
    needs!(local_cluster(), installed(&["unshare"]));
    let (times, document) = measure(
        STALL,
        "--for 3s --interval 1ms --connect-interval 20ms --udp --tcp",
    );
    let stopped = times["go_on"] - times["stopped"];
    let stalls = &document["client"]["stalls"];
    assert!(
        stalls["longest_us"].as_u64().unwrap() + 2_000 >= stopped,
        "{document}"
    );
    for kind in ["udp", "tcp", "connect"] {
        let longest = document[kind]["gaps"]["longest_us"].as_u64().unwrap();
        assert!(longest < stopped / 2, "{kind}: {document}");
    }
    let count = |kind: &str, key: &str| document[kind][key].as_u64().unwrap();
    assert_eq!(count("udp", "answered"), count("udp", "sent"));
    assert_eq!(count("tcp", "answered"), count("tcp", "sent"));
    assert_eq!(count("connect", "made"), count("connect", "tried"));
}

#[test]
fn a_connection_that_is_reset_is_made_anew() {
    needs!(local_cluster(), installed(&["unshare", "nft"]));
    let reset = "
sleep 0.3
at reset
nft 'add table inet t; add chain inet t c { type filter hook input priority 0; }; add rule inet t c tcp dport 5400 reject with tcp reset'
sleep 0.4
nft delete table inet t
at is_mended
";
    let (times, document) = measure(reset, "--for 4s --udp --tcp");
    assert!(
        document["tcp"]["broken"]["reset"].as_u64().unwrap() >= 1,
        "{document}"
    );
    let (begin, end, connection) = longest(&document, "tcp");
    assert_eq!(connection, "reset");
    assert!(
        begin <= times["is_mended"] && end + 1_000 >= times["is_mended"] - 200_000,
        "{document}"
    );
    // It goes on to the end.
    let gaps = document["tcp"]["gaps"]["listed"].as_array().unwrap();
    let is_open = |gap: &&Value| gap["open"] == true;
    assert_eq!(gaps.iter().find(is_open), None, "{document}");
}

/// Starts two clients, and kills the one that measures once the other has handed it its work.
const KILL_THE_FIRST: &str = r#"
set -eu
folder=$(mktemp -d)
trap 'kill "$server" 2>/dev/null; rm -rf "$folder"' EXIT
ip link set lo up
"$0" probe server --port 5400 --for 120s 2> "$folder/server" &
server=$!
until grep -q ready "$folder/server"; do sleep 0.02; done
sockets() { cat /proc/net/udp /proc/net/udp6 | grep -c ':'; }
before=$(sockets)
"$0" "$@" --for 60s &
first=$!
until [ "$(sockets)" -gt "$before" ]; do sleep 0.02; done
"$0" "$@" --for 60s &
second=$!
until [ "$(sockets)" -gt "$((before + 1))" ]; do sleep 0.02; done
kill -KILL "$first"
wait "$second"
"#;

#[test]
fn the_end_of_the_process_that_measures_ends_its_other_paths_with_the_reason() {
    let wrapper = [
        "unshare",
        "--user",
        "--map-root-user",
        "--net",
        "sh",
        "-c",
        KILL_THE_FIRST,
    ];
    let folder = tempfile::tempdir().unwrap();
    let client = [
        "probe",
        "client",
        "--port",
        "5400",
        "--to",
        "127.0.0.1",
        "--udp",
    ];
    let ended = Netplan::in_folder(&folder)
        .started_by(&wrapper)
        .args(client)
        .run();
    ended
        .expect(1)
        .says("the process that measured all paths of this worker has ended");
}

/// Clients that start further apart than a second measure by themselves.
const APART_US: u64 = 900_000;

#[test]
fn one_process_measures_all_paths_of_a_worker() {
    needs!(local_cluster());
    let folder = tempfile::tempdir().unwrap();
    let plan = "
version: 1
name: shared
workers: { w1: {}, w2: { other_node_than: w1 } }
paths:
  - { name: pod, from: w1, to: w2, via: pod_ip }
  - { name: service, from: w1, to: w2, via: cluster_ip }
  - { name: back, from: w2, to: w1, via: pod_ip }
tests: [{ probe: {}, together: true, duration: 2s }]
";
    std::fs::write(folder.path().join("plan.yaml"), plan).unwrap();
    let run = ["run", "plan.yaml", "--on", "local", "--output", "out"];
    Netplan::in_folder(&folder).args(run).run().expect(0);
    let document = |path: &str| -> Value {
        let file = format!("out/raw/probe-all_{path}.1.json");
        let text = std::fs::read_to_string(folder.path().join(file)).unwrap();
        serde_json::from_str(&text).unwrap()
    };
    let [pod, service, back] = ["pod", "service", "back"].map(document);
    let began = |document: &Value| document["began_at_us"].as_u64().unwrap();
    if began(&pod).abs_diff(began(&service)) < APART_US {
        assert_eq!(
            [&pod["client"]["paths"], &service["client"]["paths"]],
            [2, 2]
        );
    }
    assert_eq!(back["client"]["paths"], 1);
    for document in [pod, service, back] {
        for kind in ["udp", "tcp", "connect"] {
            assert!(
                document[kind]["latency"]["p50_us"].is_number(),
                "{document}"
            );
        }
    }
}

const PLAN: &str = "
version: 1
name: probed
workers: { w1: {}, w2: { other_node_than: w1 } }
paths:
  - { name: pod, from: w1, to: w2, via: pod_ip }
  - { name: service, from: w1, to: w2, via: cluster_ip }
defaults: { duration: 1s }
tests:
  - probe: {}
    expect: { outage.longest: '<= 60s', connections.broken: '<= 0' }
  - probe: { mode: udp, interval: 500us }
  - probe: { mode: connect }
  - { name: gate, probe: { mode: tcp }, paths: [pod], expect: { latency.p50: '<= 1us' } }
";

#[test]
fn a_run_measures_with_the_probe() {
    needs!(local_cluster());
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("plan.yaml"), PLAN).unwrap();
    let run = ["run", "plan.yaml", "--on", "local", "--format", "json"];
    let ended = Netplan::in_folder(&folder).args(run).run();
    let ended = ended.expect(4);
    let report: Value = serde_json::from_str(&ended.stdout).unwrap();
    let cells = report["cells"].as_array().unwrap();
    assert_eq!(
        (cells.len(), &report["counts"]["measured"]),
        (7, &Value::from(7))
    );
    for cell in cells {
        let metrics = cell["statistics"].as_object().unwrap();
        let has = |name: &str| metrics.contains_key(name);
        assert!(
            has("latency_us.p50") && has("latency_us.p99.99") && has("outage_us.longest"),
            "{cell}"
        );
        assert!(
            has("cpu_percent.client") && has("cpu_percent.server"),
            "{cell}"
        );
        let is_all = cell["test"] == "probe-all";
        assert_eq!(has("connect_latency_us.p99"), is_all, "{cell}");
        assert_eq!(
            has("lost_percent"),
            is_all || cell["test"] == "probe-udp",
            "{cell}"
        );
    }
}

//! Runs on this machine whose tools print too much, report too much, or share the interface.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use netplan::results::warnings::Kind;
use netplan::results::{Event, EventKind, Outcome, Warning};
use netplan::tools::{Cause, Failure, LARGEST_OUTPUT_BYTES, SERVER_OUTPUT_BYTES, name};
use tempfile::TempDir;

use crate::support::{Ended, Netplan, samples};

/// A folder that pods see too: `/tmp` is their own.
fn folder() -> TempDir {
    tempfile::tempdir_in("/var/tmp").unwrap()
}

fn netplan(folder: &Path, arguments: &[&str]) -> Ended {
    let netplan = Netplan::in_folder(folder).args(arguments);
    netplan.path_before(folder.join("bin")).run()
}

/// Runs a plan in the folder `out` below, and gives what was printed.
#[track_caller]
fn run(folder: &Path, plan: &str, code: i32) -> String {
    fs::write(folder.join("plan.yaml"), plan).unwrap();
    let run = ["run", "plan.yaml", "--on", "local", "--output", "out"];
    netplan(folder, &run).expect(code).stdout
}

/// Replaces iperf3 by a script that calls the real one.
fn wrap_iperf3(folder: &Path, script: &str) {
    let path = std::env::var("PATH").unwrap_or_default();
    let bin = folder.join("bin");
    fs::create_dir(&bin).unwrap();
    let file = bin.join("iperf3");
    let text = format!(
        "#!/bin/sh\nPATH='{path}'\ncase \" $* \" in *\" --version \"*) exec iperf3 --version;; esac\n{script}"
    );
    fs::write(&file, text).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
}

fn events(folder: &Path) -> Vec<EventKind> {
    let journal = fs::read_to_string(folder.join("out/events.jsonl")).unwrap();
    let event = |line: &str| serde_json::from_str::<Event>(line).unwrap().kind;
    journal.lines().map(event).collect()
}

/// The failures with their raw outputs.
fn failures(folder: &Path) -> Vec<(Failure, Vec<u8>, u64)> {
    let failed = events(folder).into_iter();
    failed
        .filter_map(|event| match event {
            EventKind::AttemptFailed {
                failure,
                raw,
                raw_cut_bytes,
                ..
            } => {
                let raw = fs::read(folder.join("out/raw").join(raw.unwrap())).unwrap();
                Some((failure, raw, raw_cut_bytes))
            }
            _ => None,
        })
        .collect()
}

const LOUD: &str = r#"
version: 1
name: loud
workers: { a: {}, b: { other_node_than: a } }
paths: [{ name: remote, from: a, to: b, via: pod_ip }]
defaults: { duration: 1s, retries: 0 }
tools:
  good-server:
    server: { command: [sh, -c, 'head -c 20000000 /dev/zero; head -c 20000000 /dev/zero >&2; echo up; exec sleep 100'], ready: { line: up } }
    client: { command: [echo, '{"rate": 5}'] }
    metrics: { rate: { json: /rate, unit: Mbit/s } }
  bad-server:
    server: { command: [sh, -c, 'yes no memory | head -c 20000000; head -c 20000000 /dev/zero >&2; exit 3'], ready: { line: up } }
    client: { command: [echo, '{"rate": 5}'] }
    metrics: { rate: { json: /rate, unit: Mbit/s } }
  good-client:
    client: { command: [sh, -c, 'yes x | head -c 20000000; yes x | head -c 20000000 >&2; echo; echo "{\"rate\": 5}"'] }
    metrics: { rate: { json: /rate, unit: Mbit/s } }
  bad-client:
    client: { command: [sh, -c, 'head -c 20000000 /dev/zero; head -c 20000000 /dev/zero >&2; exit 7'] }
    metrics: { rate: { json: /rate, unit: Mbit/s } }
tests: [good-server: {}, bad-server: {}, good-client: {}, bad-client: {}]
"#;

#[test]
fn tools_that_print_20_mb_end_no_run() {
    let folder = folder();
    let folder = folder.path();
    let said = run(folder, LOUD, 3);
    assert!(said.contains("4 cells: 2 measured, 2 failed"), "{said}");
    let cut: Vec<bool> = samples(&folder.join("out"))
        .iter()
        .map(|s| s.raw_cut_bytes > 0)
        .collect();
    assert_eq!(cut, [false, true]);
    let [server, client] = &failures(folder)[..] else {
        panic!("{:?}", events(folder))
    };
    for ((failure, raw, cut_bytes), limit, cause) in [
        (server, SERVER_OUTPUT_BYTES, Cause::ServerFailed),
        (client, LARGEST_OUTPUT_BYTES, Cause::UnexplainedError),
    ] {
        assert_eq!(failure.cause, cause);
        assert!(
            failure.words.contains("in the middle were not kept"),
            "{failure}"
        );
        assert!(raw.len() <= limit + 16, "{}", raw.len());
        assert_eq!(
            usize::try_from(*cut_bytes).unwrap() / 1_000_000,
            (40_000_000 - limit) / 1_000_000
        );
    }
    assert!(server.0.words.contains("no memory"), "{}", server.0);
    let json = netplan(folder, &["report", "out", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    let attempt = &json["cells"][1]["failed_attempts"][0];
    assert_eq!(attempt["raw_cut_bytes"], server.2);

    // The same run continues where it was cut off.
    let file = folder.join("out/events.jsonl");
    let journal = fs::read_to_string(&file).unwrap();
    let ended = |line: &str| line.contains("\"event\":\"cell_ended\"");
    let two = journal
        .lines()
        .enumerate()
        .filter(|(_, line)| ended(line))
        .nth(1);
    let lines = two.unwrap().0 + 1;
    let begun: String = journal.split_inclusive('\n').take(lines).collect();
    fs::write(&file, &begun).unwrap();
    let again = netplan(folder, &["run", "--resume", "out"]);
    let err = &again.stderr;
    assert_eq!(again.code, Some(3), "{err}");
    assert!(fs::read_to_string(&file).unwrap().starts_with(&begun));
    let outcomes = events(folder).into_iter().filter(|event| {
        matches!(event, EventKind::CellEnded { outcome, .. } if !matches!(outcome, Outcome::Skipped { .. }))
    });
    assert_eq!(outcomes.count(), 4);
}

const IPERF3: &str = "
version: 1
name: wrapped
workers: { a: {}, b: { other_node_than: a } }
paths: [{ name: remote, from: a, to: b, via: pod_ip }]
defaults: { duration: 1s, retries: 0 }
tests:
  - iperf3: { rate: 10 Mbit/s, write_size: 64 }
";

#[test]
fn the_result_behind_20_mb_of_interval_reports_is_read() {
    let folder = folder();
    let folder = folder.path();
    // iperf3's document, with a million interval reports more.
    wrap_iperf3(
        folder,
        r#"case " $* " in *" -s "*) exec iperf3 "$@";; esac
iperf3 "$@" | awk '
    /"intervals":/ { print "\t\"intervals\":\t["; for (i = 0; i < 1000000; i++) print "{\"sum\":{\"end\":1.0}},"; print "{"; next }
    { print }'
"#,
    );
    run(folder, IPERF3, 0);
    let [sample] = &samples(&folder.join("out"))[..] else {
        panic!("{:?}", events(folder))
    };
    assert!(sample.raw_cut_bytes > 16 << 20, "{sample:?}");
    assert!(
        sample.metrics.get(name::THROUGHPUT_BPS) > Some(5e6),
        "{sample:?}"
    );
    let raw = folder.join("out/raw").join(sample.raw.as_ref().unwrap());
    let kept = fs::read(raw).unwrap().len();
    assert!(kept <= LARGEST_OUTPUT_BYTES, "{kept}");
}

#[test]
fn a_tool_that_reports_what_no_interface_carried_is_contradicted() {
    let folder = folder();
    let folder = folder.path();
    let document = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/data/odd-outputs/tcp-good.json"
    );
    fs::copy(document, folder.join("document.json")).unwrap();
    let script = format!(
        "case \" $* \" in *\" -s \"*) exec iperf3 \"$@\";; esac\ncat {}/document.json\n",
        folder.display()
    );
    wrap_iperf3(folder, &script);
    let said = run(folder, IPERF3, 3);
    assert!(said.contains("failed: contradicted"), "{said}");
    let [(failure, raw, _)] = &failures(folder)[..] else {
        panic!("{:?}", events(folder))
    };
    assert_eq!(failure.cause, Cause::Contradicted);
    assert!(
        failure.words.starts_with("iperf3 reports 1584660480 bytes"),
        "{failure}"
    );
    assert_eq!(*raw, fs::read(document).unwrap());
}

/// Whether a sample of small writes gets a warning for other traffic.
fn other_traffic(folder: &Path) -> bool {
    run(folder, IPERF3, 0);
    let [sample] = &samples(&folder.join("out"))[..] else {
        panic!("{:?}", events(folder))
    };
    sample
        .warnings
        .iter()
        .map(Warning::kind)
        .any(|kind| kind == Kind::OtherTraffic)
}

#[test]
fn a_foreign_flow_is_other_traffic_and_small_writes_are_not() {
    let alone = folder();
    assert!(!other_traffic(alone.path()));
    // Another iperf3 sends six times as much between the same pods.
    let shared = folder();
    wrap_iperf3(
        shared.path(),
        r#"case " $* " in *" -s "*)
    iperf3 -s -p 5999 >/dev/null 2>&1 &
    exec iperf3 "$@";;
esac
flow=`mktemp`
(until iperf3 -c "$2" -p 5999 -u -b 60M -l 1400 -t 60 -i 0.1 --forceflush; do sleep 0.05; done) >$flow 2>&1 &
until grep -q KBytes $flow; do sleep 0.05; done
iperf3 "$@"
"#,
    );
    assert!(other_traffic(shared.path()));
}

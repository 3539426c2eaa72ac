//! Which tools measure: their versions, the files they are, and what of the machine they need.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{self, Ended, Netplan, local_cluster, needs};

const HEAD: &str = "\
version: 1
name: versions
workers: { w1: {}, w2: { other_node_than: w1 } }
paths: [{ name: remote, from: w1, to: w2, via: pod_ip }]
defaults: { duration: 1s, retries: 0 }
";

/// Takes what iperf3 3.9 takes: newer options are unknown to it.
const OLD_IPERF3: &str = r#"#!/bin/sh
for option in "$@"; do case $option in
    --version) echo 'iperf 3.9 (cJSON 1.7.13)'; exit 0 ;;
    --idle-timeout | --snd-timeout) echo "iperf3: unrecognized option '$option'" >&2; exit 1 ;;
esac; done
exec REAL "$@"
"#;

/// iperf3 as it is, under a version of its own.
const NEW_IPERF3: &str = r#"#!/bin/sh
case "$*" in --version) echo 'iperf 3.99.1 (here)'; exit 0 ;; esac
exec REAL "$@"
"#;

/// A folder with a plan, and a folder of programs that goes first in the `PATH`. Both are below `/tmp`.
struct Bench(TempDir);

impl Bench {
    fn with(tests: &str) -> Self {
        let bench = Self(tempfile::tempdir().unwrap());
        fs::write(bench.path().join("plan.yaml"), format!("{HEAD}{tests}")).unwrap();
        fs::create_dir(bench.programs()).unwrap();
        bench
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn programs(&self) -> PathBuf {
        self.path().canonicalize().unwrap().join("programs")
    }

    /// Makes a program; `REAL` in its text is where the machine has it.
    fn program(&self, name: &str, text: &str) -> PathBuf {
        let file = self.programs().join(name);
        let text = match installed(name) {
            Some(real) => text.replace("REAL", real.to_str().unwrap()),
            None => text.to_owned(),
        };
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        file
    }

    /// Runs netplan with the programs of this folder, after a script that prepares the machine in a mount
    /// namespace of its own.
    fn netplan_on(&self, prepare: &str, arguments: &[&str]) -> Ended {
        let script = format!("{prepare}\nexec \"$0\" \"$@\"");
        Netplan::in_folder(self.path())
            .started_by(&[
                "unshare",
                "--map-root-user",
                "--mount",
                "sh",
                "-ec",
                &script,
            ])
            .path_before(self.programs())
            .args(arguments)
            .run()
    }

    fn run(&self) -> Ended {
        self.netplan_on("", &RUN)
    }

    fn doctor(&self) -> Ended {
        self.netplan_on("", &["doctor", "plan.yaml", "--on", "local"])
    }

    /// The outcome of each cell, in the order of their ends.
    fn outcomes(&self) -> Vec<Value> {
        let journal = fs::read_to_string(self.path().join("out/events.jsonl")).unwrap();
        let events = journal
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap());
        let ends = events.filter(|event| event["event"] == "cell_ended");
        ends.map(|event| event["outcome"].clone()).collect()
    }

    fn environment(&self, worker: &str) -> Value {
        let text = fs::read(self.path().join("out/environment.json")).unwrap();
        let all: Value = serde_json::from_slice(&text).unwrap();
        all["workers"][worker]["environment"].clone()
    }
}

const RUN: [&str; 6] = ["run", "plan.yaml", "--on", "local", "--output", "out"];

fn installed(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

#[track_caller]
fn assert_contains(text: &str, words: &str) {
    assert!(text.contains(words), "{words:?} is not in:\n{text}");
}

#[test]
fn an_iperf3_that_is_too_old_is_named_before_the_run_and_measures_nothing() {
    needs!(local_cluster(), support::installed(&["iperf3", "netperf"]));
    let bench = Bench::with("tests: [{ iperf3: {} }, { netperf: {} }]\n");
    bench.program("iperf3", OLD_IPERF3);
    let doctor = bench.doctor().expect(1);
    let said = &doctor.stdout;
    assert_contains(said, "✗ iperf3: iperf3 3.9 is too old; 3.12 is required");
    assert_contains(said, "✓ netperf: ");
    let run = bench.run();
    assert_contains(&run.stderr, "1 of 2 cells will not be measured");
    let outcomes = bench.outcomes();
    let skipped = outcomes
        .iter()
        .find_map(|outcome| outcome["skipped"]["reason"].as_str());
    let reason = skipped.unwrap_or_else(|| panic!("{outcomes:?}"));
    assert_contains(
        reason,
        "iperf3 3.9 is too old; 3.12 is required (worker `w2`)",
    );
    assert_eq!(outcomes.len(), 2);
    assert!(
        outcomes
            .iter()
            .any(|outcome| outcome["measured"]["samples"] == 1),
        "{outcomes:?}"
    );

    let alone = Bench::with("tests: [{ iperf3: {} }]\n");
    alone.program("iperf3", OLD_IPERF3);
    let run = alone.run().expect(1);
    assert_contains(&run.stderr, "nothing could be measured");
    assert_contains(&run.stderr, "3.12 is required");
}

#[test]
fn tools_below_tmp_measure_and_are_recorded() {
    needs!(local_cluster(), support::installed(&["iperf3"]));
    let bench = Bench::with(
        "tools: { mine: { client: { command: [my-tool] }, metrics: { v: { regex: 'value (?<value>[0-9]+)', unit: count } } } }\n\
         tests: [{ iperf3: {} }, { mine: {} }]\n",
    );
    let iperf3 = bench.program("iperf3", NEW_IPERF3);
    // What lies beside the folder of a program is there too, and all of it is read-only.
    fs::write(bench.path().join("beside"), "42").unwrap();
    let tool = bench.program(
        "my-tool",
        "#!/bin/sh\nhere=${0%/*}\ntouch \"$here/new\" 2>/dev/null && exit 1\necho value $(cat \"$here/../beside\")\n",
    );
    let doctor = bench.doctor().expect(0);
    let said = &doctor.stdout;
    assert_contains(said, &format!("✓ iperf3: 3.99.1, {}", iperf3.display()));
    assert_contains(said, &format!("✓ mine: {}", tool.display()));
    let run = bench.run().expect(0);
    assert_contains(&run.stdout, "42");
    for worker in ["w1", "w2"] {
        let environment = bench.environment(worker);
        assert_eq!(environment["tools"]["iperf3"], "3.99.1");
        assert_eq!(environment["programs"]["iperf3"], iperf3.to_str().unwrap());
        assert_eq!(environment["programs"]["my-tool"], tool.to_str().unwrap());
    }
    assert!(!bench.programs().join("new").exists());
}

#[test]
fn a_link_to_a_tool_below_tmp_is_followed() {
    needs!(local_cluster(), support::installed(&["iperf3"]));
    let bench = Bench::with("tests: [{ iperf3: {} }]\n");
    let iperf3 = bench.program("iperf3", NEW_IPERF3);
    // Another folder of the machine, which goes first in the PATH, has a link to it.
    let prepare = format!(
        "mount -t tmpfs tmpfs /mnt; ln -s {} /mnt/iperf3; PATH=/mnt:$PATH",
        iperf3.display()
    );
    fs::rename(&iperf3, bench.path().join("iperf3")).unwrap();
    let moved = bench.path().canonicalize().unwrap().join("iperf3");
    let prepare = prepare.replace(iperf3.to_str().unwrap(), moved.to_str().unwrap());
    bench.netplan_on(&prepare, &RUN).expect(0);
    let environment = bench.environment("w1");
    assert_eq!(environment["tools"]["iperf3"], "3.99.1");
    assert_eq!(environment["programs"]["iperf3"], moved.to_str().unwrap());
}

#[test]
fn a_tool_that_pods_cannot_see_is_refused_and_not_replaced() {
    needs!(local_cluster(), support::installed(&["iperf3"]));
    let bench = Bench::with("tests: [{ iperf3: {} }]\n");
    let iperf3 = bench.program("iperf3", NEW_IPERF3);
    let prepare = format!(
        "mount -t tmpfs tmpfs /run; mv {} /run/iperf3; PATH=/run:$PATH",
        iperf3.display()
    );
    let run = bench.netplan_on(&prepare, &RUN).expect(1);
    assert_contains(
        &run.stderr,
        "`/run/iperf3` is where pods of the local cluster do not see it",
    );
    assert!(!bench.path().join("out/events.jsonl").exists());
}

#[test]
fn netperf_sets_the_mss_where_no_etc_protocols_names_tcp() {
    needs!(
        local_cluster(),
        support::installed(&["netperf", "netserver"])
    );
    let missing = "mkdir etc; cp -a /etc/. etc 2>/dev/null || true; rm -f etc/protocols; mount --bind etc /etc";
    let unnamed = "mkdir etc; cp -a /etc/. etc 2>/dev/null || true; echo 'udp 17 UDP' > etc/protocols; mount --bind etc /etc";
    for prepare in [missing, unnamed] {
        let bench = Bench::with("tests: [{ netperf: { mss: 600 } }]\n");
        bench.netplan_on(prepare, &RUN).expect(0);
        let samples = fs::read_to_string(bench.path().join("out/samples.csv")).unwrap();
        let mut reader = csv::Reader::from_reader(samples.as_bytes());
        let at = reader
            .headers()
            .unwrap()
            .iter()
            .position(|name| name == "effective_mss");
        let record = reader.records().next().unwrap().unwrap();
        assert_eq!(&record[at.unwrap()], "588", "{samples}");
    }
}

#[test]
fn workers_are_told_the_programs_of_declared_tools_and_no_others() {
    let args = |plan: &str| {
        let plan = format!("{}/plans/{plan}.yaml", env!("CARGO_MANIFEST_DIR"));
        let render = Netplan::in_repository()
            .args(["render", &plan])
            .run()
            .expect(0);
        let shown = &render.stdout;
        let lines = shown.lines().filter(|line| line.contains("--program="));
        let mut programs: Vec<String> = lines.map(|line| line.trim().to_owned()).collect();
        programs.dedup();
        programs
    };
    assert_eq!(args("tools/qperf"), ["- \"--program=qperf\""]);
    assert_eq!(args("quick"), [""; 0]);
}

//! The whole job, as a person starts it: the real program, real tools, real namespaces.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use tempfile::TempDir;

use crate::support::{
    NETPLAN, Netplan, installed, local_cluster, needs, processes_naming, program_for_everybody,
    root, wait_until,
};

/// Every tool and every path that `default.yaml` has, in as few seconds as there are.
const SMALL: &str = "\
version: 1
name: small
workers:
  w1: {}
  w2: { same_node_as: w1 }
  w3: { other_node_than: w1 }
paths:
  - { name: same-pod, label: Same VM using Pod IP, from: w1, to: w2, via: pod_ip }
  - { name: same-vip, label: Same VM using Virtual IP, from: w1, to: w2, via: cluster_ip }
  - { name: remote-pod, label: Remote VM using Pod IP, from: w3, to: w2, via: pod_ip }
  - { name: remote-vip, label: Remote VM using Virtual IP, from: w3, to: w2, via: cluster_ip }
  - { name: hairpin, label: Hairpin Pod to own Virtual IP, from: w2, to: w2, via: cluster_ip }
defaults: { duration: 1s }
tests:
";

const LONG: &str = "  - iperf3: { mss: 1000 }\n    duration: 60s\n    paths: [remote-vip]\n";

const RUN: [&str; 6] = ["run", "plan.yaml", "--on", "local", "--output", "out"];

struct Folder(TempDir);

impl Folder {
    fn with(tests: &str) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        fs::write(folder.0.path().join("plan.yaml"), format!("{SMALL}{tests}")).unwrap();
        folder
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn results(&self) -> PathBuf {
        self.path().join("out")
    }

    fn netplan(&self, arguments: &[&str]) -> Netplan {
        Netplan::in_folder(self.path()).args(arguments)
    }

    /// `netplan run` of the plan into `out`.
    fn run(&self) -> Netplan {
        self.netplan(&RUN)
    }

    fn journal(&self) -> String {
        fs::read_to_string(self.results().join("events.jsonl")).unwrap_or_default()
    }

    /// The client of the first sample runs now.
    fn wait_for_a_sample(&self) {
        wait_until("a sample to start", || {
            self.journal().contains("\"sample_started\"")
        });
    }

    /// The run's id, once the journal has begun.
    fn run_id(&self) -> String {
        let journal = self.journal();
        let first: serde_json::Value =
            serde_json::from_str(journal.lines().next().unwrap()).unwrap();
        first["run"].as_str().unwrap().to_owned()
    }
}

/// A mount namespace, in which a script prepares the machine.
const UNSHARE: [&str; 5] = ["unshare", "--map-root-user", "--mount", "sh", "-c"];

/// Ends a worker's process as a crash would.
fn kill_worker(run: &str, worker: &str) {
    assert!(try_to_kill_worker(run, worker), "the worker runs");
}

/// The same, if the worker runs.
fn try_to_kill_worker(run: &str, worker: &str) -> bool {
    let name = format!("--name={worker}");
    // A tool looks like its worker between fork and exec, but only the worker is its pod's pid 1.
    let is_first = |pid: &str| {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let ids = status.lines().find(|line| line.starts_with("NSpid:"));
        ids.is_some_and(|ids| ids.ends_with("\t1"))
    };
    let pid = processes_naming(run)
        .into_iter()
        .filter(|process| process.contains(&name))
        .filter_map(|process| process.split_whitespace().next().map(str::to_owned))
        .find(|pid| is_first(pid));
    pid.is_some_and(|pid| {
        let pid = nix::unistd::Pid::from_raw(pid.parse().unwrap());
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL).is_ok()
    })
}

#[test]
fn every_tool_measures_every_path_and_reports_replay_to_the_byte() {
    needs!(local_cluster(), installed(&["iperf3", "netperf"]));
    let folder = Folder::with(
        "  - iperf3: { streams: 2, mss: [536, 1460] }\n\
         \x20 - iperf3: { protocol: udp, rate: 20 Mbit/s }\n\
         \x20 - netperf: { test: TCP_STREAM }\n\
         \x20 - netperf: { test: TCP_RR }\n\
         \x20 - netperf: { test: UDP_RR }\n\
         \x20 - netperf: { test: UDP_STREAM }\n",
    );
    let run = folder.run().run().expect(0);

    let csv = fs::read_to_string(folder.results().join("result.csv")).unwrap();
    let rows: Vec<&str> = csv.lines().collect();
    assert_eq!(rows.len(), 1 + 6 * 5, "{csv}");
    for row in &rows[1..] {
        let maximum = row.split(',').nth(1).unwrap();
        assert!(maximum.parse::<f64>().unwrap() > 0.0, "{row}");
    }
    // With TCP timestamps a segment carries 12 bytes less than the MSS; 1460 is 1448 in any case.
    let samples = fs::read_to_string(folder.results().join("samples.csv")).unwrap();
    let mut reader = csv::Reader::from_reader(samples.as_bytes());
    let headers = reader.headers().unwrap().clone();
    let column = |name: &str| headers.iter().position(|header| header == name).unwrap();
    let (cell, effective) = (column("cell"), column("effective_mss"));
    let mut seen = 0;
    for record in reader.records().map(Result::unwrap) {
        for (requested, expected) in [("mss=536", "524"), ("mss=1460", "1448")] {
            if record[cell].ends_with(requested) {
                assert_eq!(&record[effective], expected, "{record:?}");
                seen += 1;
            }
        }
    }
    assert_eq!(seen, 10);

    for file in ["plan.yaml", "events.jsonl", "environment.json"] {
        assert!(folder.results().join(file).is_file(), "{file}");
    }
    assert_eq!(
        fs::read_dir(folder.results().join("raw")).unwrap().count(),
        5 * 7
    );

    // By virtual IP means by virtual IP, on the hairpin too.
    for line in folder
        .journal()
        .lines()
        .filter(|line| line.contains("\"event\":\"sample\""))
    {
        let sample: serde_json::Value = serde_json::from_str(line).unwrap();
        let by_service =
            ["same-vip", "remote-vip", "hairpin"].contains(&sample["path"].as_str().unwrap());
        let dialled = sample["command"].to_string().contains("\"10.96.");
        assert_eq!(dialled, by_service, "{line}");
    }

    let replay = folder.netplan(&["report", "out"]).run();
    assert_eq!(replay.stdout, run.stdout);
    let replay = folder.netplan(&["report", "out", "--format", "csv"]).run();
    assert_eq!(replay.stdout, csv);

    // The stored plan is a plan.
    folder.netplan(&["check", "out/plan.yaml"]).run().expect(0);
}

#[test]
fn an_ordinary_user_needs_no_root() {
    needs!(root(), local_cluster(), installed(&["iperf3", "setpriv"]));
    // The program too must be where the user can reach it.
    let (home, program) = program_for_everybody();
    let tests = "  - iperf3: { mss: 1000 }\n    paths: [remote-vip, hairpin]\n";
    fs::write(home.path().join("plan.yaml"), format!("{SMALL}{tests}")).unwrap();
    Netplan::in_folder(&home)
        .program(program)
        .started_by(&[
            "setpriv",
            "--reuid=65534",
            "--regid=65534",
            "--clear-groups",
        ])
        .args(RUN)
        .run()
        .expect(0);
}

#[test]
fn an_interrupt_stores_and_shows_what_was_measured() {
    needs!(local_cluster(), installed(&["iperf3", "netperf"]));
    let folder = Folder::with(&format!(
        "  - iperf3: {{ mss: 1000 }}\n    paths: [same-pod]\n{LONG}"
    ));
    let run = folder.run().start();
    wait_until("the second cell", || {
        folder.journal().matches("\"sample_started\"").count() == 2
    });
    let id = folder.run_id();
    run.signal(Signal::SIGINT);
    run.finish().expect(130).says("1 measured");
    let csv = fs::read_to_string(folder.results().join("result.csv")).unwrap();
    let values: Vec<bool> = csv
        .lines()
        .skip(1)
        .map(|row| row.contains(".000000,"))
        .collect();
    assert_eq!(values, [true, false], "{csv}");
    assert_eq!(processes_naming(&id), Vec::<String>::new());
}

#[test]
fn sigusr1_shows_what_runs() {
    needs!(local_cluster(), installed(&["iperf3"]));
    let folder = Folder::with(LONG);
    let run = folder.run().start();
    folder.wait_for_a_sample();
    run.signal(Signal::SIGUSR1);
    // Signals of different kinds have no order: the run is interrupted when the answer is there.
    wait_until("the answer", || {
        run.stderr()
            .contains("    on w3: iperf3 -c <w2 cluster IP>")
    });
    run.signal(Signal::SIGINT);
    let said = "iperf3-tcp/remote-vip: sample 1 of 1, ";
    run.finish().expect(130).says(said);
}

#[test]
fn kill_9_leaves_nothing_but_the_runs_directory() {
    needs!(local_cluster(), installed(&["iperf3", "netperf"]));
    let folder = Folder::with(LONG);
    let run = folder.run().start();
    folder.wait_for_a_sample();
    let id = folder.run_id();
    assert!(!processes_naming(&id).is_empty());
    run.kill();
    wait_until("every process of the run to be gone", || {
        processes_naming(&id).is_empty()
    });
    // What was measured until then can still be reported, as cut off.
    folder.netplan(&["report", "out"]).run().says("1 missing");
}

#[test]
fn a_killed_worker_comes_back_and_its_cell_is_run_again() {
    needs!(local_cluster(), installed(&["iperf3", "netperf"]));
    let folder =
        Folder::with("  - iperf3: { mss: 1000 }\n    duration: 3s\n    paths: [remote-vip]\n");
    let run = folder.run().start();
    folder.wait_for_a_sample();
    kill_worker(&folder.run_id(), "w3");
    run.finish().expect(0);
    let journal = folder.journal();
    assert!(journal.contains("\"worker_left\""), "{journal}");
    assert_eq!(journal.matches("\"cell_ended\"").count(), 1);
    assert!(journal.contains("\"measured\""), "{journal}");
}

#[test]
fn a_missing_tool_is_said_first_and_its_cells_are_skipped_with_the_reason() {
    needs!(local_cluster(), installed(&["iperf3", "netperf"]));
    let folder = Folder::with(
        "  - iperf3: { mss: 1000 }\n    paths: [hairpin]\n\
         \x20 - netperf: { test: TCP_STREAM }\n    paths: [hairpin]\n",
    );
    // In a mount namespace of its own, where something that is not a program covers netperf.
    let hide = "for f in netperf netserver; do mount --bind /dev/null $(command -v $f); done";
    let script = format!("{hide} && exec \"$0\" \"$@\"");
    let run = folder
        .run()
        .started_by(&[&UNSHARE[..], &[&script]].concat());
    let run = run.run().expect(0).says("1 skipped");
    let said = run.stderr;
    assert!(said.contains("netperf"), "{said}");
    assert!(said.contains("apt-get install"), "{said}");
}

#[test]
fn a_run_works_without_etc_hosts() {
    needs!(local_cluster(), installed(&["iperf3", "netperf"]));
    let folder = Folder::with("  - iperf3: { mss: 1000 }\n    paths: [remote-vip]\n");
    let script = "mkdir etc; cp -a /etc/. etc; ln -sfn /nowhere/hosts etc/hosts; mount --bind etc /etc \
                  && exec \"$0\" \"$@\"";
    let run = folder.run().started_by(&[&UNSHARE[..], &[script]].concat());
    run.run().expect(0);
}

#[test]
fn a_program_that_is_replaced_while_it_runs_still_starts_its_workers_again() {
    needs!(local_cluster(), installed(&["iperf3", "netperf"]));
    let folder =
        Folder::with("  - iperf3: { mss: 1000 }\n    duration: 3s\n    paths: [remote-vip]\n");
    let program = folder.path().join("netplan");
    fs::copy(NETPLAN, &program).unwrap();
    let run = folder.run().program(&program).start();
    folder.wait_for_a_sample();
    fs::remove_file(&program).unwrap();
    kill_worker(&folder.run_id(), "w3");
    run.finish().expect(0);
    assert!(folder.journal().contains("\"worker_left\""));
}

#[test]
fn an_output_folder_that_cannot_be_written_is_found_before_the_run() {
    needs!(local_cluster(), installed(&["iperf3", "netperf"]));
    let folder = Folder::with(LONG);
    fs::write(folder.path().join("file"), "").unwrap();
    let begun = Instant::now();
    let run = ["run", "plan.yaml", "--on", "local", "--output", "file/out"];
    folder.netplan(&run).run().expect(1).says("file/out");
    assert!(
        begun.elapsed() < Duration::from_secs(30),
        "it was found before the 60 s sample"
    );
    // A directory that holds another run is not written over.
    fs::create_dir(folder.results()).unwrap();
    let journal = concat!(
        r#"{"v":1,"seq":0,"at":"2026-11-22T19:00:00Z","event":"worker_left","worker":"w1"}"#,
        "\n"
    );
    fs::write(folder.results().join("events.jsonl"), journal).unwrap();
    folder.run().run().expect(1);
    assert_eq!(folder.journal(), journal);
}

#[test]
fn two_runs_at_once_do_not_meet() {
    needs!(local_cluster(), installed(&["iperf3", "netperf"]));
    let tests = "  - iperf3: { mss: 1000 }\n    paths: [remote-vip, hairpin]\n";
    let folders = [Folder::with(tests), Folder::with(tests)];
    let runs = folders.each_ref().map(|folder| folder.run().start());
    for run in runs {
        run.finish().expect(0);
    }
}

/// The embedded templates, with other words in the worker's.
fn templates_with(folder: &Folder, words: &str, others: &str) -> PathBuf {
    let templates = folder.path().join("templates");
    fs::create_dir(&templates).unwrap();
    let name = "worker-job.yaml.j2";
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("templates")
        .join(name);
    let text = fs::read_to_string(shipped).unwrap();
    assert!(text.contains(words), "{text}");
    fs::write(templates.join(name), text.replacen(words, others, 1)).unwrap();
    templates
}

#[test]
fn a_worker_that_cannot_start_ends_the_start_with_its_words() {
    needs!(local_cluster(), installed(&["iperf3"]));
    let folder = Folder::with(LONG);
    let script = "            - sh\n            - -c\n            - echo no such luck; exit 9\n";
    let command = "            - netplan\n            - worker\n";
    let templates = templates_with(&folder, command, script);
    let begun = Instant::now();
    let run = folder.run().args([Path::new("--templates"), &templates]);
    let said = run.run().expect(1).stderr;
    assert!(
        said.contains("ended: exit code 9; not started again after 3 restarts"),
        "{said}"
    );
    assert!(said.contains("no such luck"), "{said}");
    // A start's own deadline is 120 s, the orchestrator's 300 s.
    assert!(begun.elapsed() < Duration::from_secs(100), "{said}");
}

#[test]
fn a_worker_that_does_not_reach_the_orchestrator_is_named_with_what_it_says() {
    needs!(local_cluster(), installed(&["iperf3"]));
    let name = "{{ \"--orchestrator=\" ~ run.prefix ~ \"-orchestrator:\" ~ orchestrator.port }}";
    for (address, words) in [
        ("no-such-service:5202", "cannot resolve the name"),
        ("10.96.255.254:5202", "10.96.255.254:5202"),
    ] {
        let folder = Folder::with(LONG);
        let templates = templates_with(&folder, name, &format!("--orchestrator={address}"));
        let run = folder
            .run()
            .args([Path::new("--templates"), &templates])
            .start();
        wait_until("the words of a worker", || {
            let said = run.stderr();
            said.contains("worker `w3` has not joined the orchestrator after ")
                && said.contains(words)
        });
        run.interrupt();
        run.finish().expect(130);
    }
}

#[test]
fn a_worker_that_is_given_up_amid_a_run_is_not_waited_for() {
    needs!(local_cluster(), installed(&["iperf3"]));
    let plan = "  - iperf3: { mss: 1000 }\n    duration: 60s\n    paths: [remote-vip]\n  \
                - iperf3: { mss: 536 }\n    paths: [same-pod]\n";
    let folder = Folder::with(plan);
    let run = folder.run().start();
    folder.wait_for_a_sample();
    let id = folder.run_id();
    // Each time it comes back it is killed again.
    wait_until("the worker to be given up", || {
        try_to_kill_worker(&id, "w3");
        folder.journal().contains("will not come back")
    });
    run.finish().expect(3).says("1 measured");
    let words = "worker `w3` will not come back: pod `netplan-";
    assert!(folder.journal().contains(words), "{}", folder.journal());
    assert!(
        folder
            .journal()
            .contains("killed by SIGKILL; not started again after 3 restarts")
    );
}

/// What a tool leaves behind without its environment, in a session of its own, ends with its sample.
#[test]
fn an_orphan_that_has_lost_its_mark_ends_with_its_sample() {
    needs!(local_cluster(), installed(&["setsid"]));
    let folder = tempfile::tempdir().unwrap();
    let plan = "\
version: 1
name: orphans
workers: { w1: {}, w2: {} }
paths: [{ name: a, from: w1, to: w2, via: pod_ip }]
defaults: { duration: 1s, warmup: 0s, repeat: 3 }
tools:
  leave:
    client:
      command:
        - sh
        - -c
        - |
          n=1
          for name in /proc/[0-9]*/comm; do
            [ \"$(cat $name 2>/dev/null)\" = sleep ] && n=$((n + 1))
          done
          (env -i $(command -v setsid) $(command -v sleep) 1009 >/dev/null 2>&1 &)
          until grep -qs sleep /proc/[0-9]*/comm; do :; done
          echo \"{\\\"processes\\\": $n}\"
    metrics: { processes: { json: /processes, unit: count } }
tests: [leave: {}]
";
    fs::write(folder.path().join("plan.yaml"), plan).unwrap();
    Netplan::in_folder(&folder).args(RUN).run().expect(0);
    let csv = fs::read_to_string(folder.path().join("out/samples.csv")).unwrap();
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let column = reader
        .headers()
        .unwrap()
        .iter()
        .position(|name| name == "processes");
    let column = column.unwrap_or_else(|| panic!("{csv}"));
    let found: Vec<String> = reader
        .records()
        .map(|record| record.unwrap()[column].to_owned())
        .collect();
    assert_eq!(found, ["1", "1", "1"], "{csv}");
}

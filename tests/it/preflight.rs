//! What is in a run's way is told before it starts, all at once, by `run` as by `doctor`.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::support::Netplan;

const PLAN: &str = "\
version: 1
name: case
workers: { a: {}, b: { other_node_than: a } }
paths: [{ name: remote, from: a, to: b, via: pod_ip }]
defaults: { duration: 1s }
tools:
  one: { package: no-such, client: { command: [no-such-1] }, metrics: { m: { json: /m, unit: count } } }
  two: { install: ask Ann, client: { command: [no-such-2] }, metrics: { m: { json: /m, unit: count } } }
";

const MISSING: [&str; 2] = [
    "`no-such-1` is not installed; install it: sudo apt-get install no-such\n",
    "`no-such-2` is not installed; install it: ask Ann\n",
];

fn folder(tests: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("plan.yaml"),
        format!("{PLAN}tests: {tests}\n"),
    )
    .unwrap();
    folder
}

/// The exit code, and what was said.
fn netplan(folder: &Path, arguments: &[&str]) -> (i32, String) {
    let ended = Netplan::in_folder(folder).args(arguments).run();
    (ended.code.unwrap(), ended.said())
}

const RUN: [&str; 6] = ["run", "plan.yaml", "--on", "local", "--output", "out"];

#[test]
fn a_run_tells_everything_that_is_in_its_way() {
    let folder = folder("[one: {}, two: {}]");
    let templates = folder.path().join("templates");
    fs::create_dir(&templates).unwrap();
    let template = include_str!("../../templates/worker-job.yaml.j2");
    let refused = template.replacen("\n    spec:\n", "\n    spec:\n      hostPID: true\n", 1);
    fs::write(templates.join("worker-job.yaml.j2"), refused).unwrap();

    let (code, said) = netplan(
        folder.path(),
        &[&RUN[..], &["--templates", "templates"]].concat(),
    );
    assert_eq!(code, 1, "{said}");
    assert!(
        said.contains("error: this machine cannot run this yet:\n  - "),
        "{said}"
    );
    for words in ["hostPID", MISSING[0], MISSING[1]] {
        assert!(said.contains(words), "{words}: {said}");
    }

    let (code, said) = netplan(folder.path(), &RUN);
    assert_eq!(code, 1, "{said}");
    assert!(
        said.contains("error: nothing could be measured:\n  - "),
        "{said}"
    );
    for words in MISSING {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(!folder.path().join("out").exists());

    let (code, doctor) = netplan(folder.path(), &["doctor", "plan.yaml", "--on", "local"]);
    assert_eq!(code, 1, "{doctor}");
    for words in MISSING {
        assert!(doctor.contains(words), "{words}: {doctor}");
    }

    // A dry run starts nothing, so that nothing is in its way; it tells all the same.
    let (code, said) = netplan(
        folder.path(),
        &["run", "plan.yaml", "--on", "local", "--dry-run"],
    );
    assert_eq!(code, 0, "{said}");
    for words in MISSING {
        assert!(said.contains(words), "{words}: {said}");
    }
}

/// In a mount namespace in which netperf is not a program.
#[test]
fn skipped_cells_fail_nothing_and_have_no_figures() {
    let folder = folder("[netperf: { test: TCP_RR }, iperf3: {}]");
    let hide = "for name in netperf netserver; do
            file=$(command -v $name) && mount --bind /dev/null \"$file\"
        done
        exec \"$@\"";
    let unshare = ["unshare", "--user", "--map-root-user", "--mount"];
    let said = Netplan::in_folder(folder.path())
        .started_by(&[&unshare[..], &["sh", "-c", hide, "sh"]].concat())
        .args(RUN)
        .run()
        .expect(0)
        .said();
    let warning = "warning: 1 of 2 cells will not be measured:\n  - `netperf` is not installed; ";
    assert!(said.contains(warning), "{said}");
    assert!(!said.contains("–1"), "{said}");
    assert!(
        said.contains("⊘1 skipped: `netperf` is not on worker "),
        "{said}"
    );
}

#[test]
fn a_missing_declared_tool_skips_its_cells_as_a_built_in_one_does() {
    let folder = folder("[one: {}, iperf3: {}]");
    let (code, said) = netplan(folder.path(), &RUN);
    assert_eq!(code, 0, "{said}");
    let warning = "warning: 1 of 2 cells will not be measured:\n  - `no-such-1` is not installed; ";
    assert!(said.contains(warning), "{said}");
    let skipped = "⊘1 skipped: `no-such-1` of the tool `one` is not on worker ";
    assert!(said.contains(skipped), "{said}");
}

//! What shells complete, asked as their scripts ask.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::{NETPLAN, Netplan};

/// The candidates for the last word of a command line.
fn candidates(folder: &Path, line: &[&str]) -> Vec<String> {
    let lines = Netplan::in_folder(folder)
        .env("NETPLAN_COMPLETE", "fish")
        .env("KUBECONFIG", folder.join("kubeconfig"))
        .args(["--", "netplan"])
        .args(line)
        .run()
        .expect(0)
        .stdout;
    let value = |line: &str| line.split('\t').next().unwrap_or_default().to_owned();
    lines.lines().map(value).collect()
}

fn store(folder: &Path, name: &str, at: &str, end: &str) {
    let dir = folder.join("netplan-results").join(name);
    fs::create_dir_all(&dir).unwrap();
    let first = format!(
        r#"{{"v":1,"seq":0,"at":"{at}","event":"run_started","run":"{name}","netplan":"0","plan":"","only":null}}"#
    );
    fs::write(dir.join("events.jsonl"), format!("{first}\n{end}")).unwrap();
}

#[test]
fn values_are_completed_where_they_belong() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for file in ["my-plan.yaml", "other.yml", "notes.txt"] {
        fs::write(folder.join(file), "").unwrap();
    }
    let at = |line: &[&str]| candidates(folder, line);
    for command in ["run", "check", "schedule", "render", "doctor"] {
        let found = at(&[command, ""]);
        assert!(
            found.contains(&"my-plan.yaml".to_owned()),
            "{command}: {found:?}"
        );
        assert!(
            found.contains(&"other.yml".to_owned()),
            "{command}: {found:?}"
        );
        assert!(
            !found.contains(&"notes.txt".to_owned()),
            "{command}: {found:?}"
        );
    }

    let end =
        r#"{"v":1,"seq":1,"at":"2026-11-23T08:00:00Z","event":"run_ended","cancelled":false}"#;
    store(folder, "old", "2026-11-21T08:00:00Z", "");
    store(folder, "new", "2026-11-22T08:00:00Z", &format!("{end}\n"));
    let runs = at(&["report", ""]);
    assert_eq!(
        runs[..2],
        ["netplan-results/new", "netplan-results/old"],
        "{runs:?}"
    );
    assert_eq!(
        at(&["report", "netplan-results/o"]),
        ["netplan-results/old"]
    );
    let cut_off = at(&["run", "--resume", "netplan-results/"]);
    // The option may also stand without a value before a plan, whose folder is on the way.
    assert_eq!(cut_off[0], "netplan-results/old", "{cut_off:?}");
    assert!(
        !cut_off.contains(&"netplan-results/new".to_owned()),
        "{cut_off:?}"
    );

    let keys = at(&["explain", "workers.same_n"]);
    assert_eq!(keys, ["workers.same_node_as"]);
    assert!(at(&["explain", ""]).contains(&"paths".to_owned()));

    let contexts = "apiVersion: v1\nkind: Config\ncontexts:\n\
                    - { name: kind-dev, context: { cluster: a, user: a } }\n\
                    - { name: prod-eu, context: { cluster: b, user: b } }\n";
    fs::write(folder.join("kubeconfig"), contexts).unwrap();
    assert_eq!(at(&["run", "--context", ""]), ["kind-dev", "prod-eu"]);
    assert_eq!(at(&["status", "--context", "p"]), ["prod-eu"]);

    assert!(at(&["com"]).contains(&"completions".to_owned()));
    assert!(at(&["run", "--col"]).contains(&"--color".to_owned()));
}

#[test]
fn without_a_cluster_no_run_is_completed() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("kubeconfig"), "contexts: 7").unwrap();
    for command in ["attach", "cancel", "clean"] {
        let found = candidates(folder.path(), &[command, ""]);
        assert!(
            found.iter().all(|value| value.starts_with('-')),
            "{command}: {found:?}"
        );
    }
    assert_eq!(
        candidates(folder.path(), &["run", "--context", ""]),
        Vec::<String>::new()
    );
}

#[test]
fn every_shell_has_a_script_that_asks_this_program() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell", "kubectl"] {
        let completions = Netplan::in_repository().args(["completions", shell]);
        completions.run().expect(0).says("NETPLAN_COMPLETE");
    }
    let unknown = Netplan::in_repository().env("NETPLAN_COMPLETE", "ksh");
    let unknown = unknown.run().expect(2);
    let words = unknown.stderr;
    assert!(
        words.contains("NETPLAN_COMPLETE") && words.contains("ksh"),
        "{words}"
    );
}

#[test]
fn kubectl_gets_candidates_and_a_directive() {
    let folder = tempfile::tempdir().unwrap();
    let script = Netplan::in_folder(&folder).args(["completions", "kubectl"]);
    let script = script.run().expect(0);
    let completer = folder.path().join("kubectl_complete-netplan");
    fs::write(&completer, &script.stdout).unwrap();
    let programs = Path::new(NETPLAN).parent().unwrap().to_str().unwrap();
    let output = Command::new("sh")
        .arg(&completer)
        .args(["explain", "workers.same_n"])
        .env("PATH", format!("{programs}:/usr/bin:/bin"))
        .output()
        .unwrap();
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines: Vec<&str> = lines.lines().collect();
    assert!(lines[0].starts_with("workers.same_node_as\t"), "{lines:?}");
    assert_eq!(lines[1..], [":4"]);
}

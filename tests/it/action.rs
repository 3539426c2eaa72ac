//! The step of `.github/actions/netplan`, with files instead of those of a workflow.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

use crate::support::{NETPLAN, installed, local_cluster, needs};

const PLAN: &str = "\
version: 1
name: action
workers: { w1: {}, w2: { other_node_than: w1 } }
paths: [{ name: remote, from: w1, to: w2, via: pod_ip, expect: { throughput: '>= LIMIT' } }]
tests: [{ iperf3: { mss: 1000 }, duration: 1s }]
";

struct Step {
    folder: TempDir,
    output: Output,
}

impl Step {
    /// Runs the step on a plan that expects at least this throughput.
    fn run(limit: &str, results: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(
            folder.path().join("plan.yaml"),
            PLAN.replace("LIMIT", limit),
        )
        .unwrap();
        let output = Command::new(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/.github/actions/netplan/run"
        ))
        .current_dir(folder.path())
        .env("NETPLAN_ACTION_PLAN", "plan.yaml")
        .env("NETPLAN_ACTION_RESULTS", results)
        .env("NETPLAN_ACTION_PROGRAM", NETPLAN)
        .env("NETPLAN_ACTION_ARGUMENTS", "--set\ntests.0.warmup=0s\n")
        .env_remove("NETPLAN_ACTION_CONTEXT")
        .env_remove("NETPLAN_ACTION_NAMESPACE")
        .env("GITHUB_OUTPUT", folder.path().join("output"))
        .env("GITHUB_STEP_SUMMARY", folder.path().join("summary"))
        .env("RUNNER_TEMP", folder.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
        Self { folder, output }
    }

    fn code(&self) -> i32 {
        self.output.status.code().unwrap_or(-1)
    }

    /// The outputs as the runner reads them: `NAME<<DELIMITER`, lines, `DELIMITER`.
    fn outputs(&self) -> Vec<(String, String)> {
        let text = fs::read_to_string(self.folder.path().join("output")).unwrap();
        let mut lines = text.lines();
        let mut outputs = Vec::new();
        while let Some(head) = lines.next() {
            let (name, delimiter) = head.split_once("<<").expect("a delimiter");
            let value: Vec<&str> = lines
                .by_ref()
                .take_while(|line| *line != delimiter)
                .collect();
            outputs.push((name.to_owned(), value.join("\n")));
        }
        outputs
    }

    fn named(&self, name: &str) -> String {
        let mut outputs = self.outputs().into_iter();
        outputs.find(|(key, _)| key == name).unwrap().1
    }

    fn summary(&self) -> String {
        fs::read_to_string(self.folder.path().join("summary")).unwrap()
    }

    fn log(&self) -> String {
        String::from_utf8_lossy(&self.output.stderr).into_owned()
    }
}

#[test]
fn a_run_gives_verdict_results_and_summary() {
    needs!(local_cluster(), installed(&["bash", "iperf3"]));
    let step = Step::run("1 Mbit/s", "out/a\nverdict=forged");
    assert_eq!(step.code(), 0, "{}", step.log());
    let names: Vec<String> = step.outputs().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["verdict", "exit-code", "results", "summary"]);
    assert_eq!(step.named("verdict"), "passed");
    assert_eq!(step.named("exit-code"), "0");
    assert_eq!(step.named("results"), "out/a\nverdict=forged");
    assert!(
        step.folder
            .path()
            .join(step.named("results"))
            .join("events.jsonl")
            .is_file()
    );
    let summary = step.summary();
    assert!(
        summary.starts_with("### netplan: passed (exit code 0)\n\n```text\n"),
        "{summary}"
    );
    assert!(
        summary.contains("remote") && summary.ends_with("```\n"),
        "{summary}"
    );
    assert_eq!(
        fs::read_to_string(step.folder.path().join(step.named("summary"))).unwrap(),
        summary
    );
}

#[test]
fn the_exit_code_stays_that_of_the_run() {
    needs!(local_cluster(), installed(&["bash", "iperf3"]));
    let step = Step::run("900 Gbit/s", "out");
    assert_eq!(step.code(), 4, "{}", step.log());
    assert_eq!(step.named("verdict"), "failed");
    assert!(
        step.summary()
            .starts_with("### netplan: failed (exit code 4)"),
        "{}",
        step.summary()
    );
    let said = String::from_utf8_lossy(&step.output.stdout).into_owned();
    assert!(
        said.lines().any(|line| line.starts_with("::error")),
        "no annotation in {said}"
    );

    let step = Step::run("wrong", "out");
    assert_eq!(step.code(), 2, "{}", step.log());
    assert_eq!(step.named("verdict"), "invalid");
    assert!(
        step.summary().contains("There are no results"),
        "{}",
        step.summary()
    );
    assert!(Path::new(&step.named("summary")).is_file());
}

#[test]
fn the_action_passes_each_input_to_its_step_by_the_environment() {
    let text = include_str!("../../.github/actions/netplan/action.yml");
    let action: serde_json::Value = serde_yaml::from_str(text).unwrap();
    let step = &action["runs"]["steps"][0];
    let script = include_str!("../../.github/actions/netplan/run");
    assert!(
        !step["run"].as_str().unwrap().contains("${{"),
        "an input in the text of a script can run commands"
    );
    for name in action["inputs"].as_object().unwrap().keys() {
        if name == "working-directory" {
            continue;
        }
        let variable = format!("NETPLAN_ACTION_{}", name.to_uppercase());
        assert_eq!(step["env"][&variable], format!("${{{{ inputs.{name} }}}}"));
        assert!(script.contains(&variable), "{variable} is not used");
    }
    for (name, output) in action["outputs"].as_object().unwrap() {
        assert_eq!(
            output["value"],
            format!("${{{{ steps.run.outputs.{name} }}}}")
        );
        assert!(
            script.contains(&format!("\noutput {name} ")),
            "{name} is not set"
        );
    }
}

//! The manifests alone: `netplan render | kubectl apply -f -`, and no command line of netplan beside it.

use std::io::Write;
use std::process::{Command, Stdio};

use super::case::{Case, SHORT, image};
use crate::support::{installed, needs};

/// What kubectl prints.
fn kubectl(arguments: &[&str], input: &str) -> String {
    let started = Command::new("kubectl")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let mut child = started.unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    println!("$ kubectl {}\n{printed}", arguments.join(" "));
    assert!(output.status.success());
    printed
}

#[test]
#[ignore = "needs a Kubernetes cluster with netplan's image, and kubectl"]
fn rendered_manifests_run_by_themselves() {
    needs!(installed(&["kubectl"]));
    let case = Case::with(SHORT);
    case.make_namespace();
    let image = format!("kubernetes.image={}", image());
    let rendered = case.start_in_namespace(&["render", "plan.yaml", "--set", &image]);
    let rendered = rendered.finish().expect(0);
    let applied = kubectl(&["apply", "-f", "-"], &rendered.stdout);
    let (_, after) = applied.split_once("job.batch/netplan-").unwrap();
    let run = after.get(..8).unwrap().to_owned();
    let ns = case.namespace.as_str();
    let job = format!("job/netplan-{run}-orchestrator");
    let wait = [
        "wait",
        "--for=condition=complete",
        "--timeout=180s",
        &job,
        "-n",
        ns,
    ];
    kubectl(&wait, "");
    let log = kubectl(&["logs", &job, "-n", ns], "");
    let (progress, csv) = log.split_once("GENERATING CSV OUTPUT").unwrap();
    assert!(progress.contains("remote-service"), "{progress}");
    let rows = csv.lines().filter(|line| line.contains("iperf TCP. "));
    assert_eq!(rows.count(), 2, "{csv}");
    assert!(csv.trim_end().ends_with("END CSV DATA"), "{csv}");

    let status = case.start_in_namespace(&["status"]).finish();
    status.expect(0).says(&run).says("finished");
    case.start(&["clean", &run]).finish().expect(0).says(&run);
    assert_eq!(case.api.pods(ns, &run).len(), 0);
    // kubectl has made it, not netplan.
    assert!(case.api.has_namespace(ns));
}

//! A network that is broken or not, and a run that somebody removes: netplan says what it is.

use std::time::{Duration, Instant};

use super::case::{Case, LONG, SHORT, image};
use crate::support::wait_until;

#[test]
#[ignore = "needs a Kubernetes cluster with netplan's image"]
fn a_name_server_that_does_not_answer_is_named() {
    let case = Case::with(SHORT);
    let template = include_str!("../../../templates/worker-job.yaml.j2");
    // No host has this address (RFC 5737).
    let dns =
        "      dnsPolicy: None\n      dnsConfig: { nameservers: [192.0.2.1] }\n      containers:\n";
    let deaf = template.replace("      containers:\n", dns);
    assert_ne!(deaf, template);
    case.write("templates/worker-job.yaml.j2", &deaf);
    let running = case.start_run(&["--templates", "templates"]);
    wait_until("the name server", || {
        assert!(!running.has_ended(), "{}", running.stderr());
        running
            .stderr()
            .contains("cluster DNS (name server 192.0.2.1)")
    });
    running.interrupt();
    running
        .finish()
        .expect(130)
        .says("cannot reach the orchestrator: the addresses answer, the name");
    case.expect_no_namespace();
}

#[test]
#[ignore = "needs a Kubernetes cluster with netplan's image"]
fn doctor_probes_all_nodes_and_leaves_nothing() {
    let case = Case::with(SHORT);
    let image = image();
    let arguments = ["doctor", "--on", "kubernetes", "--probe", "--image", &image];
    let doctor = case.start_in_namespace(&arguments).finish().expect(0);
    doctor.says("✓ network: all nodes reach each other");
    case.expect_no_namespace();

    let interrupted = case.start_in_namespace(&arguments);
    case.api.wait_for("its namespace", |api| {
        api.has_namespace(&case.namespace).then_some(())
    });
    interrupted.interrupt();
    interrupted.finish().expect(130);
    case.expect_no_namespace();
}

#[test]
#[ignore = "needs a Kubernetes cluster with netplan's image"]
fn a_run_that_somebody_removes_is_said() {
    let case = Case::with(LONG);
    let running = case.start_run(&[]);
    case.wait_for_cells(&running, 2);
    let begun = Instant::now();
    case.api
        .delete(&format!("/api/v1/namespaces/{}", case.namespace));
    let message = "somebody has removed the run";
    wait_until("the message", || {
        running.stderr().contains(message) || running.has_ended()
    });
    // What would take longer is a wait for another pod. How long the namespace takes to go is the cluster's.
    assert!(begun.elapsed() < Duration::from_secs(60));
    running.finish().expect(1).says(message).says("--resume");
}

//! What cannot run is said, with what to do, and leaves nothing behind.

use std::time::{Duration, Instant};

use super::case::{Case, SHORT};

#[test]
#[ignore = "needs a Kubernetes cluster"]
fn an_image_that_cannot_be_pulled_is_said_within_seconds() {
    let case = Case::with(SHORT);
    let begun = Instant::now();
    let image = "kubernetes.image=registry.invalid/netplan:none";
    let ended = case.run(&["--set", image]);
    // A pull is tried several times; what would wait longer is that the pods never get ready.
    assert!(begun.elapsed() < Duration::from_secs(90));
    ended
        .expect(1)
        .says("registry.invalid/netplan:none")
        .says("push the image where the nodes can pull it");
    case.expect_no_namespace();
}

#[test]
#[ignore = "needs a Kubernetes cluster"]
fn a_second_node_that_there_is_not_is_missed_before_anything_is_applied() {
    let case = Case::with(SHORT);
    let nodes = case.api.list("/api/v1/nodes");
    let one = nodes[0]["metadata"]["name"].as_str().unwrap();
    let only = format!("kubernetes.node_selector={{ kubernetes.io/hostname: {one} }}");
    let ended = case.run(&["--set", &only]);
    ended.expect(1).says("there is no node for `w3`").says(one);
    assert!(!case.api.has_namespace(&case.namespace));
    assert!(!case.path("out").exists());
}

#[test]
#[ignore = "needs a Kubernetes cluster"]
fn a_field_that_the_api_server_does_not_know_is_named_with_its_template() {
    let case = Case::with(SHORT);
    let template = include_str!("../../../templates/orchestrator-job.yaml.j2");
    let wrong = template.replace("backoffLimit:", "backofLimit:");
    case.write("templates/orchestrator-job.yaml.j2", &wrong);
    let ended = case.run(&["--templates", "templates"]);
    ended
        .expect(1)
        .says("spec.backofLimit")
        .says("orchestrator-job.yaml.j2");
    case.expect_no_namespace();
}

#[test]
#[ignore = "needs a Kubernetes cluster"]
fn dry_runs_make_nothing() {
    let case = Case::with(SHORT);
    case.run(&["--dry-run"]).expect(0).says("kind: Job");
    assert!(!case.api.has_namespace(&case.namespace));
    case.make_namespace();
    let before = case.api.everything(&case.namespace);
    case.run(&["--dry-run=server"]).expect(0).says("kind: Job");
    assert_eq!(case.api.everything(&case.namespace), before);
}

#[test]
#[ignore = "needs a Kubernetes cluster"]
fn a_context_that_there_is_not_is_said() {
    let case = Case::with(SHORT);
    let ended = case.run(&["--context", "no-such-context"]);
    ended.expect(1).says("no-such-context");
}

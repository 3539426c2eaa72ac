//! Orchestrators whose pods are lost: another one continues from the copy that a worker holds, and nothing
//! that was acknowledged is lost.

use serde_json::{Value, json};

use super::case::{Case, LONG, SHORT};
use crate::support::Running;

/// The name of the orchestrator's pod, and of its node.
fn orchestrator(case: &Case, run: &str) -> (String, String) {
    let pods = case.api.pods(&case.namespace, run);
    let pod = &pods["orchestrator"];
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (
        text(&pod["metadata"]["name"]),
        text(&pod["spec"]["nodeName"]),
    )
}

/// All cells are measured, and the journal continues what was there before.
#[track_caller]
fn expect_continued(case: &Case, running: Running, before: &[Value]) {
    running.finish().expect(0);
    case.expect_measured(15);
    let events = case.events();
    assert_eq!(&events[..before.len()], before, "events are lost");
    let numbers = events.iter().map(|event| event["seq"].clone());
    assert!(numbers.eq(0..events.len()));
    case.expect_no_namespace();
}

#[test]
#[ignore = "needs a Kubernetes cluster with netplan's image"]
fn an_orchestrator_whose_pod_is_deleted_is_continued_by_the_next() {
    let case = Case::with(LONG);
    let running = case.start_run(&[]);
    let run = running.run_id();
    case.wait_for_cells(&running, 3);
    let before = case.events();
    let (pod, _) = orchestrator(&case, &run);
    let pods = format!("/api/v1/namespaces/{}/pods", case.namespace);
    // The container ends before. A Job counts a pod that is deleted until then as failed, and makes another one.
    case.api.wait_for("the pod to have succeeded", |api| {
        let pod = api.get(&format!("{pods}/{pod}"))?;
        (pod["status"]["phase"] == "Succeeded").then_some(())
    });
    case.api.delete(&format!("{pods}/{pod}"));
    expect_continued(&case, running, &before);
}

#[test]
#[ignore = "needs a Kubernetes cluster with netplan's image"]
fn an_orchestrator_whose_node_is_drained_is_continued_by_the_next() {
    let case = Case::with(LONG);
    let running = case.start_run(&[]);
    let run = running.run_id();
    case.wait_for_cells(&running, 3);
    let before = case.events();
    let (_, node) = orchestrator(&case, &run);
    let cordon = |unschedulable: bool| {
        let change = json!({ "spec": { "unschedulable": unschedulable } });
        case.api.patch(&format!("/api/v1/nodes/{node}"), &change);
    };
    cordon(true);
    for pod in case.api.pods(&case.namespace, &run).values() {
        if pod["spec"]["nodeName"] == node.as_str() {
            let name = pod["metadata"]["name"].as_str().unwrap();
            case.api.evict(&case.namespace, name);
        }
    }
    case.api.wait_for("another orchestrator", |api| {
        let pods = api.pods(&case.namespace, &run);
        let runs = pods.get("orchestrator")?["status"]["phase"] == "Running";
        (runs && orchestrator(&case, &run).1 != node).then_some(())
    });
    // The workers that the plan places there come back.
    cordon(false);
    expect_continued(&case, running, &before);
}

#[test]
#[ignore = "needs a Kubernetes cluster with netplan's image"]
fn results_of_a_run_that_has_ended_outlive_the_orchestrators_pod() {
    let case = Case::with(SHORT);
    let detached = case.start_run(&["--detach"]);
    let run = detached.run_id();
    detached.finish().expect(0);
    case.api.wait_for("the run to be over", |_| {
        let status = case.start_in_namespace(&["status"]).finish();
        status.stdout.contains("finished").then_some(())
    });
    let (pod, _) = orchestrator(&case, &run);
    let pods = format!("/api/v1/namespaces/{}/pods", case.namespace);
    // The container ends before. A Job counts a pod that is deleted until then as failed, and makes another one.
    case.api.wait_for("the pod to have succeeded", |api| {
        let pod = api.get(&format!("{pods}/{pod}"))?;
        (pod["status"]["phase"] == "Succeeded").then_some(())
    });
    case.api.delete(&format!("{pods}/{pod}"));
    // Until then its log is there, too.
    case.api.wait_for("the pod to be gone", |api| {
        api.get(&format!("{pods}/{pod}")).is_none().then_some(())
    });
    let status = case.start_in_namespace(&["status"]).finish();
    status.expect(0).says("holds its journal");
    let attached = case.start_in_namespace(&["attach", &run, "--output", "out"]);
    attached.finish().expect(0).says("2 cells: 2 measured");
    case.expect_measured(2);
    case.expect_no_namespace();
}

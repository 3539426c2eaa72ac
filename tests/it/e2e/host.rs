//! The nodes' own network, as a baseline.

use serde_json::Value;

use super::case::{Case, HOST};

#[test]
#[ignore = "needs a Kubernetes cluster with netplan's image"]
fn a_baseline_runs_between_the_nodes_themselves() {
    let case = Case::new(HOST);
    let running = case.start_run(&[]);
    let run = running.run_id();
    let pods = case.api.wait_for("the run's pods to be placed", |api| {
        let pods = api.pods(&case.namespace, &run);
        let up = pods.values().all(|pod| pod["status"]["podIP"].is_string());
        (pods.len() == 3 && up).then_some(pods)
    });
    for worker in ["w1", "w2"] {
        assert_eq!(pods[worker]["spec"]["hostNetwork"], true);
        let status = &pods[worker]["status"];
        assert_eq!(status["podIP"], status["hostIP"]);
    }
    assert_ne!(pods["orchestrator"]["spec"]["hostNetwork"], true);
    running.finish().expect(0);
    case.expect_measured(2);
    let samples = case.events_of("sample");
    let has = |sample: &Value| {
        let command = sample["command"].as_array().unwrap();
        command.contains(&pods["w2"]["status"]["hostIP"])
    };
    assert!(samples.iter().all(has), "{samples:?}");
    case.expect_no_namespace();
}

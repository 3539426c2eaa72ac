//! What a namespace does not admit: a Pod Security level, and a quota that the preflight cannot foresee.

use serde_json::{Value, json};

use super::case::{Case, HOST, LONG, SHORT};
use crate::support::wait_until;

impl Case {
    /// Two pods, counted by a scope: the preflight adds up quotas without scopes only.
    fn make_quota(&self) {
        let quota = json!({
            "metadata": { "name": "few" },
            "spec": { "hard": { "pods": "2" }, "scopes": ["NotTerminating"] },
        });
        self.api.post(&self.quotas(), &quota).unwrap();
        self.api.wait_for("the quota to count", |api| {
            let quota = api.get(&format!("{}/few", self.quotas()))?;
            quota["status"]["hard"]["pods"].is_string().then_some(())
        });
    }

    fn quotas(&self) -> String {
        format!("/api/v1/namespaces/{}/resourcequotas", self.namespace)
    }
}

#[test]
#[ignore = "needs a Kubernetes cluster with netplan's image"]
fn a_restricted_namespace_admits_a_run_and_no_host_network() {
    let case = Case::with(SHORT);
    case.make_namespace();
    let level = json!({ "pod-security.kubernetes.io/enforce": "restricted" });
    let namespace = format!("/api/v1/namespaces/{}", case.namespace);
    case.api
        .patch(&namespace, &json!({ "metadata": { "labels": level } }));
    case.run(&[]).expect(0);
    case.expect_measured(2);
    // The least version that enforces the levels.
    let minor = case.api.get("/version").unwrap()["minor"].clone();
    let minor = minor.as_str().unwrap().trim_end_matches('+').to_owned();
    if minor.parse::<u32>().unwrap() >= 25 {
        case.write("plan.yaml", HOST);
        let ended = case.run(&[]);
        ended.expect(1).says("Pod Security level `restricted`");
    }
    assert!(case.api.list(&format!("{namespace}/pods")).is_empty());
}

#[test]
#[ignore = "needs a Kubernetes cluster with netplan's image"]
fn a_quota_that_stops_a_start_half_way_is_named() {
    let case = Case::with(SHORT);
    case.make_namespace();
    case.make_quota();
    let running = case.start_run(&[]);
    // While the Job still tries.
    wait_until("the cause", || {
        let said = running.stderr();
        said.contains("waiting for") && said.contains("FailedCreate: exceeded quota: few")
    });
    let ended = running.finish().expect(1);
    ended.says("the namespace's quota or Pod Security level does not allow it");
    let pods = format!("/api/v1/namespaces/{}/pods", case.namespace);
    assert_eq!(case.api.list(&pods), Vec::<Value>::new());
}

#[test]
#[ignore = "needs a Kubernetes cluster with netplan's image"]
fn a_quota_that_keeps_a_worker_from_coming_back_is_named() {
    let case = Case::with(LONG);
    case.make_namespace();
    let running = case.start_run(&[]);
    let run = running.run_id();
    case.wait_for_cells(&running, 3);
    case.make_quota();
    let pods = case.api.pods(&case.namespace, &run);
    let name = pods["w3"]["metadata"]["name"].as_str().unwrap();
    case.api.evict(&case.namespace, name);
    wait_until("the cause", || {
        assert!(!running.has_ended(), "{}", running.stderr());
        let not_back = format!("pod `netplan-{run}-w3` is not back: FailedCreate: exceeded quota");
        running.stderr().contains(&not_back)
    });
    case.api.delete(&format!("{}/few", case.quotas()));
    running.finish().expect(0);
    case.expect_measured(15);
}

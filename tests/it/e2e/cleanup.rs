//! Everything that a run made is removed, and nothing else.

use serde_json::json;

use super::case::{Case, LONG, SHORT};

impl Case {
    /// Objects of somebody else, as close to netplan's as they can be.
    fn make_foreign_objects(&self) {
        let labels = json!({ "app.kubernetes.io/name": "netplan", "app": "netplan" });
        let path = format!("/api/v1/namespaces/{}", self.namespace);
        for (kind, spec) in [
            ("configmaps", json!({ "data": { "plan.yaml": "none" } })),
            ("secrets", json!({ "stringData": { "token": "none" } })),
            (
                "services",
                json!({ "spec": { "ports": [{ "port": 5201 }] } }),
            ),
        ] {
            let mut object = spec.clone();
            object["metadata"] = json!({ "name": "netplan-0badcafe-w1", "labels": labels });
            self.api.post(&format!("{path}/{kind}"), &object).unwrap();
        }
        let policies = format!(
            "/apis/networking.k8s.io/v1/namespaces/{}/networkpolicies",
            self.namespace
        );
        let policy = json!({
            "metadata": { "name": "netplan", "labels": { "netplan/role": "worker" } },
            "spec": { "podSelector": { "matchLabels": { "app": "none" } } },
        });
        self.api.post(&policies, &policy).unwrap();
    }
}

#[test]
#[ignore = "needs a Kubernetes cluster with netplan's image"]
fn a_run_leaves_a_namespace_as_it_was() {
    let case = Case::with(SHORT);
    case.make_namespace();
    case.make_foreign_objects();
    let before = case.api.everything(&case.namespace);
    case.run(&[]).expect(0);
    case.expect_measured(2);
    assert_eq!(case.api.everything(&case.namespace), before);

    // Neither does an interrupted run leave anything, nor does clean take what is not netplan's.
    let running = case.start_run(&[]);
    case.api.wait_for("the run's pods", |api| {
        (!api.pods(&case.namespace, &running.run_id()).is_empty()).then_some(())
    });
    running.interrupt();
    running.finish().expect(130);
    let cleaned = case.start_in_namespace(&["clean", "--all"]).finish();
    cleaned.expect(0).says("nothing to remove");
    assert_eq!(case.api.everything(&case.namespace), before);
}

#[test]
#[ignore = "needs a Kubernetes cluster with netplan's image"]
fn two_runs_in_a_namespace_do_not_meet() {
    let case = Case::with(SHORT);
    let long = Case::with(LONG);
    let namespace = ["--namespace", case.namespace.as_str()];
    // netplan makes the namespace for the first one.
    let first = long.start_run(&namespace);
    long.wait_for_cells(1);
    case.run(&[]).expect(0);
    case.expect_measured(2);
    first.finish().expect(0);
    long.expect_measured(15);
    case.expect_no_namespace();
}

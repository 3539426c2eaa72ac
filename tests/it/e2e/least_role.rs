//! A person with the least Role of `rbac.yaml`, and nothing else.

use std::fs;

use kube::config::Kubeconfig;
use netplan::plan;
use serde_json::{Value, json};

use super::case::{Case, LONG, SHORT, image};
use crate::support::{Ended, ROOT};

const PERSON: &str = "netplan-e2e-jo";

impl Case {
    /// Lets the person do what the Role says, and more, and writes their kubeconfig.
    fn give_least_role(&self, more: &[Value]) {
        let rbac = fs::read_to_string(format!("{ROOT}/rbac.yaml")).unwrap();
        let mut role = plan::document(rbac.split("\n---\n").next().unwrap()).unwrap();
        role["metadata"]["namespace"] = json!(self.namespace);
        let rules = role["rules"].as_array_mut().unwrap();
        rules.extend_from_slice(more);
        let binding = json!({
            "metadata": { "name": "netplan" },
            "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "netplan" },
            "subjects": [{ "apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": PERSON }],
        });
        let path = format!(
            "/apis/rbac.authorization.k8s.io/v1/namespaces/{}",
            self.namespace
        );
        self.api.post(&format!("{path}/roles"), &role).unwrap();
        let bindings = format!("{path}/rolebindings");
        self.api.post(&bindings, &binding).unwrap();

        let mut kubeconfig = Kubeconfig::read().unwrap();
        for user in &mut kubeconfig.auth_infos {
            let user = user.auth_info.as_mut().unwrap();
            user.impersonate = Some(PERSON.to_owned());
        }
        let text = serde_json::to_string(&kubeconfig).unwrap();
        self.write("kubeconfig", &text);
    }

    /// Runs a command as the person.
    fn as_person(&self, arguments: &[&str]) -> Ended {
        let mut all = arguments.to_vec();
        all.extend(["--kubeconfig", "kubeconfig"]);
        self.start_in_namespace(&all).finish()
    }
}

#[test]
#[ignore = "needs a Kubernetes cluster with netplan's image"]
fn every_command_works_with_the_least_role() {
    let case = Case::with(LONG);
    case.make_namespace();
    case.give_least_role(&[]);
    let image = format!("kubernetes.image={}", image());
    let on = ["--on", "kubernetes", "--set", &image];
    let run =
        |options: &[&str]| case.as_person(&[&["run", "plan.yaml"], &on[..], options].concat());

    case.as_person(&["doctor", "plan.yaml", "--on", "kubernetes"])
        .expect(0);
    run(&["--only", "path=hairpin", "--output", "out"]).expect(0);
    case.expect_measured(3);
    let detached = run(&["--detach"]).expect(0);
    let id = detached.stderr.split("netplan attach ").nth(1).unwrap();
    let id = id.split(' ').next().unwrap();
    case.as_person(&["status"]).expect(0).says(id);
    case.as_person(&["cancel", id]).expect(0);
    let attached = case.as_person(&["attach", id, "--output", "attached"]);
    attached.expect(3).says("15 cells: ");
    let kept = run(&["--detach"]).expect(0);
    kept.says("netplan attach");
    let cleaned = case.as_person(&["clean", "--all", "--force"]);
    cleaned.expect(0);
    let path = format!("/api/v1/namespaces/{}/pods", case.namespace);
    case.api.wait_for("the pods to be gone", |api| {
        api.list(&path).is_empty().then_some(())
    });
}

#[test]
#[ignore = "needs a Kubernetes cluster with netplan's image"]
fn a_quota_that_is_hit_half_way_is_said() {
    let case = Case::with(SHORT);
    case.make_namespace();
    let quotas = format!("/api/v1/namespaces/{}/resourcequotas", case.namespace);
    let quota = json!({
        "metadata": { "name": "few-pods" },
        "spec": { "hard": { "pods": "2" } },
    });
    case.api.post(&quotas, &quota).unwrap();
    case.api.wait_for("the quota to be counted", |api| {
        let quota = api.get(&format!("{quotas}/few-pods"))?;
        quota["status"]["hard"]["pods"].is_string().then_some(())
    });
    // Who may view quotas learns it before anything is made.
    case.run(&[]).expect(1).says("few-pods");
    let before = case.api.everything(&case.namespace);
    // Who may not, learns it from the events.
    let events = json!({ "apiGroups": [""], "resources": ["events"], "verbs": ["list", "watch"] });
    case.give_least_role(&[events]);
    let image = format!("kubernetes.image={}", image());
    let arguments = ["run", "plan.yaml", "--on", "kubernetes", "--set", &image];
    let ended = case.as_person(&arguments).expect(1);
    ended.says("exceeded quota: few-pods");
    let is_new = |key: &&String| !before.contains_key(*key) && !key.starts_with("Role");
    let left = case.api.everything(&case.namespace);
    let left: Vec<&String> = left.keys().filter(is_new).collect();
    assert_eq!(left, Vec::<&String>::new());
}

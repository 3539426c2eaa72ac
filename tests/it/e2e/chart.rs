//! A chart, installed again and again by Helm.

use serde_json::{Value, json};

use super::api::Api;
use super::case::{Case, SHORT, image};
use crate::support::helm::{helm, run_helm};
use crate::support::needs;

/// Calls Helm for a release of the chart.
fn act(case: &Case, action: &str, release: &str, values: &Value) {
    let chart = case.path("chart");
    let mut values = values.clone();
    values["image"] = json!(image());
    let (chart, values) = (chart.to_str().unwrap(), values.to_string());
    run_helm(&[action, release, chart, &case.namespace, &values]);
}

/// The ids of the runs in the case's namespace.
fn runs(api: &Api, case: &Case) -> Vec<String> {
    let labels = "labelSelector=netplan/run,netplan/plan";
    let path = format!("/api/v1/namespaces/{}/configmaps?{labels}", case.namespace);
    let id = |plan: &Value| {
        let id = plan["metadata"]["labels"]["netplan/run"].as_str();
        id.unwrap().to_owned()
    };
    api.list(&path).iter().map(id).collect()
}

/// Waits for a run that is none of these.
fn wait_for_another(case: &Case, known: &[String]) -> String {
    case.api.wait_for("another run", |api| {
        let mut runs = runs(api, case).into_iter();
        runs.find(|run| !known.contains(run))
    })
}

fn collect(case: &Case, run: &str) {
    let out = format!("out-{run}");
    let attached = case.start_in_namespace(&["attach", run, "--output", &out]);
    attached.finish().expect(0).says("2 cells: 2 measured");
}

#[test]
#[ignore = "needs a Kubernetes cluster with netplan's image, and Helm"]
fn a_chart_is_installed_twice_upgraded_and_uninstalled() {
    needs!(helm());
    let case = Case::with(SHORT);
    case.make_namespace();
    let empty = case.api.everything(&case.namespace);
    let rendered = case.start(&["render", "plan.yaml", "--helm", "chart"]);
    rendered.finish().expect(0);

    act(&case, "install", "a", &json!({}));
    let first = wait_for_another(&case, &[]);
    // An upgrade without a change starts nothing. The other release's run waits for the first.
    act(&case, "upgrade", "a", &json!({}));
    act(&case, "install", "b", &json!({ "options": ["--wait"] }));
    collect(&case, &first);
    let second = wait_for_another(&case, std::slice::from_ref(&first));
    collect(&case, &second);
    // A change starts another run.
    act(&case, "upgrade", "a", &json!({ "run": 2 }));
    let third = wait_for_another(&case, &[first, second]);
    assert_eq!(runs(&case.api, &case), [third]);

    // Whatever the run does just now, everything goes.
    run_helm(&["uninstall", "a", &case.namespace]);
    run_helm(&["uninstall", "b", &case.namespace]);
    case.api.wait_for("everything to be gone", |api| {
        let left = api.everything(&case.namespace);
        left.keys().eq(empty.keys()).then_some(())
    });
}

#[test]
#[ignore = "needs a Kubernetes cluster with netplan's image, and Helm"]
fn a_launcher_that_starts_again_finds_its_run() {
    needs!(helm());
    let case = Case::with(SHORT);
    case.make_namespace();
    let rendered = case.start(&["render", "plan.yaml", "--helm", "chart"]);
    rendered.finish().expect(0);
    act(&case, "install", "a", &json!({}));
    let run = wait_for_another(&case, &[]);
    let jobs = format!("/apis/batch/v1/namespaces/{}/jobs", case.namespace);
    let jobs = case.api.list(&jobs);
    let is_launcher = |job: &&Value| job["metadata"]["labels"]["netplan/run"].is_null();
    let launcher = jobs.iter().find(is_launcher).unwrap();
    let launcher = launcher["metadata"]["name"].as_str().unwrap();
    case.api.wait_for("the pods of the run", |api| {
        (api.pods(&case.namespace, &run).len() == 4).then_some(())
    });
    let set = format!("kubernetes.image={}", image());
    let again = [
        "run",
        "plan.yaml",
        "--on",
        "kubernetes",
        "--detach",
        "--owner",
        launcher,
        "--set",
        &set,
    ];
    let again = case.start_in_namespace(&again).finish();
    again
        .expect(0)
        .says(&format!("run {run} continues by itself"));
    assert_eq!(runs(&case.api, &case), [run.as_str()]);
    collect(&case, &run);
}

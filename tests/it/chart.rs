//! The chart of `render --helm`: what Helm makes of it, in every setting of its values.

use std::fs;
use std::path::{Path, PathBuf};

use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::PodSpec;
use netplan::plan;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::restricted::{FULL, typed, violations};
use crate::support::helm::{helm, rendered_by_helm, run_helm};
use crate::support::{Netplan, ROOT, needs, snapshots};

/// A folder with `chart/`, made by netplan.
struct Chart {
    folder: TempDir,
}

impl Chart {
    fn new(plan: &str, options: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("plan.yaml"), plan).unwrap();
        let mut arguments = vec!["render", "plan.yaml", "--helm", "chart"];
        arguments.extend(options);
        let netplan = Netplan::in_folder(&folder).args(arguments);
        netplan.run().expect(0).says("helm install");
        Self { folder }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("chart")
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.path().join(file)).unwrap()
    }

    /// The objects that Helm makes, in the namespace `team-b`.
    fn objects(&self, values: &Value) -> Vec<Value> {
        let mut rendered = rendered_by_helm(&self.path(), "team-b", values);
        rendered.remove("NOTES.txt").unwrap();
        let texts = rendered.values().flat_map(|text| text.split("\n---\n"));
        let texts = texts.filter(|text| text.contains("apiVersion"));
        texts
            .map(|text| plan::document(text).unwrap_or_else(|error| panic!("{error}\n{text}")))
            .collect()
    }

    /// The object of a kind.
    fn object(&self, values: &Value, kind: &str) -> Value {
        let objects = self.objects(values).into_iter();
        let mut found: Vec<Value> = objects.filter(|object| object["kind"] == kind).collect();
        assert_eq!(found.len(), 1, "{kind}");
        found.remove(0)
    }
}

/// All files of a folder, and of those below.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .flat_map(|path| {
            if path.is_dir() {
                files(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}

/// The command of the launcher.
fn command(object: &Value) -> Vec<String> {
    let pod = match object["kind"].as_str() {
        Some("CronJob") => "/spec/jobTemplate/spec/template/spec/containers/0/command",
        _ => "/spec/template/spec/containers/0/command",
    };
    serde_json::from_value(object.pointer(pod).unwrap().clone()).unwrap()
}

#[test]
fn a_chart_holds_no_keys_and_nothing_of_one_run() {
    let chart = Chart::new(FULL, &[]);
    let other = Chart::new(FULL, &[]);
    let all = files(&chart.path());
    assert_eq!(all.len(), 11, "{all:?}");
    for file in &all {
        let text = fs::read_to_string(file).unwrap();
        assert!(!text.contains("PRIVATE KEY"), "{}", file.display());
        // Rendered again, it is the same: there is nothing to commit.
        let name = file.strip_prefix(chart.path()).unwrap();
        assert_eq!(text, other.read(name.to_str().unwrap()));
    }
    let shown = ["Chart.yaml", "values.yaml"].map(|file| {
        let version = format!("\"{}\"", env!("CARGO_PKG_VERSION"));
        format!(
            "## {file}\n{}\n",
            chart.read(file).replace(&version, "\"0.0.0\"")
        )
    });
    snapshots().bind(|| insta::assert_snapshot!("helm_chart", shown.concat()));
}

#[test]
fn helm_makes_objects_that_kubernetes_knows_with_restricted_pods() {
    needs!(helm());
    let chart = Chart::new(FULL, &[]);
    let path = chart.path();
    let lint = run_helm(&["lint", "bench", path.to_str().unwrap(), "team-b", "{}"]);
    let lint: Value = serde_json::from_str(&lint).unwrap();
    assert_eq!(lint["errors"], json!([]));

    let with_view = json!({ "serviceAccount": { "create": true, "view": true } });
    let scheduled = json!({ "schedule": "0 3 * * *" });
    let without_account = json!({ "serviceAccount": { "create": false, "name": "ci" } });
    let kinds = |values: &Value| -> Vec<String> {
        let objects = chart.objects(values);
        for object in &objects {
            typed(object).unwrap();
            let is_namespaced = !object["kind"].as_str().unwrap().starts_with("Cluster");
            let namespace = object["metadata"]["namespace"].as_str();
            assert_eq!(namespace, is_namespaced.then_some("team-b"), "{object}");
        }
        let kind = |object: &Value| object["kind"].as_str().unwrap().to_owned();
        objects.iter().map(kind).collect()
    };
    let account = ["ServiceAccount", "Role", "RoleBinding"];
    let plain = kinds(&json!({}));
    assert_eq!(plain, [&["ConfigMap", "Job"][..], &account[..]].concat());
    let cron = kinds(&scheduled);
    assert_eq!(cron, [&["ConfigMap", "CronJob"][..], &account[..]].concat());
    let view = [
        &plain.iter().map(String::as_str).collect::<Vec<_>>()[..],
        &["ClusterRole", "ClusterRoleBinding"],
    ];
    assert_eq!(kinds(&with_view), view.concat());
    assert_eq!(kinds(&without_account), ["ConfigMap", "Job"]);

    let job: Job = serde_json::from_value(chart.object(&without_account, "Job")).unwrap();
    let cron: CronJob = serde_json::from_value(chart.object(&scheduled, "CronJob")).unwrap();
    let cron = cron.spec.job_template.spec;
    let pods = [(job.spec, "ci"), (cron, "bench")];
    for (spec, account) in pods {
        let pod: PodSpec = spec.unwrap().template.spec.unwrap();
        assert_eq!(violations(&pod), Vec::<&str>::new());
        assert_eq!(pod.service_account_name.as_deref(), Some(account));
    }
}

#[test]
fn the_launcher_may_do_what_rbac_yaml_says() {
    needs!(helm());
    let rbac = fs::read_to_string(format!("{ROOT}/rbac.yaml")).unwrap();
    let role = plan::document(rbac.split("\n---\n").next().unwrap()).unwrap();
    let made = Chart::new(FULL, &[]).object(&json!({}), "Role");
    assert_eq!(made["rules"], role["rules"]);
}

#[test]
fn a_job_has_another_name_after_each_change_and_only_then() {
    needs!(helm());
    let chart = Chart::new(FULL, &[]);
    let name = |chart: &Chart, values: Value| {
        let job = chart.object(&values, "Job");
        job["metadata"]["name"].as_str().unwrap().to_owned()
    };
    let first = name(&chart, json!({}));
    assert!(first.starts_with("bench-"), "{first}");
    assert_eq!(name(&chart, json!({})), first);
    assert_ne!(name(&chart, json!({ "run": 2 })), first);
    let other = Chart::new(&FULL.replace("iperf3: {}", "iperf3: { streams: 2 }"), &[]);
    assert_ne!(name(&other, json!({})), first);
}

#[test]
fn values_change_the_plan_and_the_options_of_the_run() {
    needs!(helm());
    let chart = Chart::new(FULL, &["--only", "tool=iperf3"]);
    let values = json!({
        "image": "other:1",
        "plan": { "kubernetes": { "priority_class": "low" } },
    });
    let data = chart.object(&values, "ConfigMap")["data"].clone();
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in data.as_object().unwrap() {
        fs::write(folder.path().join(name), text.as_str().unwrap()).unwrap();
    }
    let arguments = ["render", "values.yaml", "--namespace", "team-b"];
    let rendered = Netplan::in_folder(&folder).args(arguments).run().expect(0);
    rendered
        .says("image: \"other:1\"")
        .says("priorityClassName: \"low\"");

    let once = command(&chart.object(&values, "Job"));
    assert_eq!(once.last().unwrap(), "--only=tool=iperf3");
    assert!(
        !once
            .iter()
            .any(|word| word == "--wait" || word.starts_with("--templates"))
    );
    let scheduled = command(&chart.object(&json!({ "schedule": "@daily" }), "CronJob"));
    assert!(scheduled.iter().any(|word| word == "--wait"));
}

#[test]
fn a_chart_carries_the_templates_that_differ_from_the_built_in_ones() {
    needs!(helm());
    let templates = tempfile::tempdir().unwrap();
    let own = include_str!("../../templates/orchestrator-job.yaml.j2")
        .replace("weight: 100", "weight: 50");
    fs::write(templates.path().join("orchestrator-job.yaml.j2"), &own).unwrap();
    let same = include_str!("../../templates/secret.yaml.j2");
    fs::write(templates.path().join("secret.yaml.j2"), same).unwrap();
    let chart = Chart::new(FULL, &["--templates", templates.path().to_str().unwrap()]);
    let data = chart.object(&json!({}), "ConfigMap")["data"].clone();
    assert_eq!(data["orchestrator-job.yaml.j2"], own);
    assert_eq!(data.as_object().unwrap().len(), 3);
    let command = command(&chart.object(&json!({}), "Job"));
    assert!(command.contains(&"--templates=/run/netplan/plan".to_owned()));
}

//! A plan → a Helm chart that can be installed again and again.
//!
//! The chart's Job or `CronJob` starts `netplan run` in the cluster, and that makes the run's objects. So each run
//! has certificates of its own, and what Helm makes of the chart depends on the chart and its values only: tools
//! that compare a cluster with what the chart says find no difference where nothing has changed.

use std::borrow::Cow;

use minijinja::context;
use minijinja::value::Serde;
use serde_json::json;

use super::context::{KubernetesContext, PlanContext, RunContext};
use super::engine::{engine, failed};
use super::templates::{RenderError, Templates};
use super::yaml::yaml;
use crate::diag::printable;
use crate::plan::{Kubernetes, document};

macro_rules! embedded {
    ($($path:literal),* $(,)?) => {
        &[$(($path, include_str!(concat!("../../templates/chart/", $path)))),*]
    };
}

/// What Helm renders.
const TEMPLATES: &[(&str, &str)] = embedded![
    "templates/_launcher.tpl",
    "templates/configmap.yaml",
    "templates/rbac.yaml",
    "templates/job.yaml",
    "templates/cronjob.yaml",
    "templates/NOTES.txt",
];

/// What netplan renders.
const DATA: &[(&str, &str)] = embedded!["Chart.yaml.j2", "values.yaml.j2"];

/// The permissions that a run needs.
const RBAC: &str = include_str!("../../rbac.yaml");

/// A file of a chart; the path is relative to the chart's folder, with `/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChartFile {
    pub path: String,
    pub text: String,
}

/// The chart of a plan. `plan_text` is the resolved plan. With `depends_on_nodes` the plan has groups with a worker
/// on each node, so that the launcher has to count the nodes.
///
/// The objects are in the namespace of the release, whatever the plan says.
///
/// # Errors
/// A template of the chart that does not render.
pub fn chart(
    run: &RunContext,
    plan_name: &str,
    plan_text: &str,
    kubernetes: &Kubernetes,
    depends_on_nodes: bool,
    templates: &Templates,
) -> Result<Vec<ChartFile>, RenderError> {
    let engine = engine(templates)?;
    let only = run.only.iter().map(|only| format!("--only={only}"));
    let pull_secrets = kubernetes.pull_secrets.iter();
    let pull_secrets: Vec<_> = pull_secrets.map(|name| json!({ "name": name })).collect();
    let context = context! {
        run => Serde(run),
        plan => Serde(&PlanContext { name: plan_name, text: plan_text }),
        kubernetes => Serde(&KubernetesContext::new(run, kubernetes, &[])),
        pull_secrets => Serde(&pull_secrets),
        options => only.collect::<Vec<_>>(),
        depends_on_nodes,
    };
    let mut files = Vec::new();
    for &(name, text) in DATA {
        let rendered = engine.render_named_str(name, text, &context);
        let rendered = rendered.map_err(|error| failed(templates, name, &error))?;
        files.push(ChartFile {
            path: name.trim_end_matches(".j2").to_owned(),
            text: rendered.trim_start().to_owned() + "\n",
        });
    }
    let mut add = |path: String, text: &str| {
        let text = text.to_owned();
        files.push(ChartFile { path, text });
    };
    for &(path, text) in TEMPLATES {
        add(path.to_owned(), text);
    }
    add("files/plan.yaml".to_owned(), &shown(plan_text));
    add("files/rules.yaml".to_owned(), &rules("Role", "netplan"));
    add(
        "files/view-rules.yaml".to_owned(),
        &rules("ClusterRole", "netplan-view"),
    );
    for (name, text) in templates.overridden() {
        add(format!("files/templates/{name}"), text);
    }
    Ok(files)
}

/// The plan with nothing that is not safe to show.
fn shown(plan_text: &str) -> Cow<'_, str> {
    match document(plan_text) {
        Ok(plan) if !printable::is_safe(plan_text) => Cow::Owned(yaml(&plan)),
        _ => Cow::Borrowed(plan_text),
    }
}

/// The rules of one of the roles in `rbac.yaml`.
fn rules(kind: &str, name: &str) -> String {
    let roles = RBAC.split("\n---\n").filter_map(|text| document(text).ok());
    let mut roles = roles.filter(|role| role["kind"] == kind && role["metadata"]["name"] == name);
    roles
        .next()
        .map_or_else(String::new, |role| yaml(&role["rules"]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_are_those_of_rbac_yaml() {
        let role = document(&rules("Role", "netplan")).unwrap();
        assert_eq!(role[0]["resources"], json!(["configmaps"]));
        let view = document(&rules("ClusterRole", "netplan-view")).unwrap();
        assert_eq!(view[0]["resources"], json!(["nodes", "namespaces"]));
        assert_eq!(rules("Role", "netplan-view"), "");
    }
}

//! Rendered manifests → a Helm chart that runs the same objects.
//!
//! The chart's templates are the rendered objects, each with the fields that people change replaced
//! by `{{ .Values… | toJson }}`; what stood there becomes the chart's values. Nothing else is
//! computed by Helm, so that a chart installed as it is makes exactly the rendered objects.

use serde_json::{Map, Value, json};

use super::context::RunContext;
use super::manifest::Manifest;
use super::yaml::yaml;
use crate::plan::{NAMESPACE, OFFLOADS_CONTAINER, OWN_CONTAINERS};

/// A file of a chart; the path is relative to the chart's folder, with `/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChartFile {
    pub path: String,
    /// Holds a private key: to be written for its owner only.
    pub secret: bool,
    pub text: String,
}

/// The namespace of the objects: that of the values, or else that of the release.
const NAMESPACE_EXPRESSION: &str = ".Values.namespace | default .Release.Namespace";

/// The chart of a run.
///
/// The Namespace is left out: Helm has `--create-namespace` for that, and refuses to install into
/// one that a chart would have to make.
pub fn chart(run: &RunContext, plan_name: &str, manifests: &[Manifest]) -> Vec<ChartFile> {
    let mut values = Values::default();
    values.set(
        &["namespace"],
        &match run.namespace.as_str() {
            NAMESPACE => json!(""),
            named => json!(named),
        },
    );
    let mut templates = Vec::new();
    let objects = manifests.iter().filter(|one| one.kind() != "Namespace");
    for (index, manifest) in objects.enumerate() {
        let mut object = manifest.object.clone();
        let mut places = Places::default();
        if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.insert(
                "namespace".to_owned(),
                places.expression(NAMESPACE_EXPRESSION.to_owned()),
            );
        }
        let worker = object
            .pointer("/metadata/labels/netplan~1worker")
            .and_then(Value::as_str)
            .map(ToOwned::to_owned);
        let spec = match manifest.kind() {
            "Pod" => object.pointer_mut("/spec"),
            "Job" => object.pointer_mut("/spec/template/spec"),
            _ => None,
        };
        if let Some(Value::Object(spec)) = spec {
            pod(
                spec,
                &run.image,
                worker.as_deref(),
                &mut values,
                &mut places,
            );
        }
        templates.push(ChartFile {
            path: format!(
                "templates/{:02}-{}-{}.yaml",
                index + 1,
                manifest.kind().to_lowercase(),
                manifest.name()
            ),
            secret: manifest.kind() == "Secret",
            text: places.fill(&yaml(&object)),
        });
    }
    let chart = json!({
        "apiVersion": "v2",
        "name": format!("netplan-{plan_name}"),
        "description": format!("The network benchmark `{plan_name}` by netplan, as run {}.", run.id),
        "type": "application",
        "version": run.version,
        "appVersion": run.version,
    });
    let file = |path: &str, text: String| ChartFile {
        path: path.to_owned(),
        secret: false,
        text,
    };
    let mut files = vec![
        file("Chart.yaml", yaml(&chart)),
        file(
            "values.yaml",
            VALUES_HEAD.to_owned() + &yaml(&Value::Object(values.0)),
        ),
        file("templates/NOTES.txt", notes(run)),
    ];
    files.extend(templates);
    files
}

const VALUES_HEAD: &str = "\
# namespace: where the objects live; empty is the release's own.
# placement: nodeSelector and tolerations of all pods, and where each worker sits.
# A worker that sits with another one finds it by its labels; leave those as they are.
";

fn notes(run: &RunContext) -> String {
    let orchestrator = run.orchestrator();
    format!(
        "The benchmark runs by itself. Its progress, and at the end its results as CSV:\n\n  \
         kubectl logs --namespace {{{{ {NAMESPACE_EXPRESSION} }}}} --follow job/{orchestrator}\n\n\
         This chart is one run, with its own certificates, good for 30 days: render it anew for \
         another run.\n"
    )
}

/// Replaces what people change of a pod. Where the object has no such field, the value is empty.
fn pod(
    spec: &mut Map<String, Value>,
    image: &str,
    worker: Option<&str>,
    values: &mut Values,
    places: &mut Places,
) {
    let mut swap = |spec: &mut Map<String, Value>, field: &str, path: &[&str], empty: Value| {
        let found = spec.remove(field).unwrap_or(empty);
        // Mostly all pods have the same, and the first one tells. What differs stays in the object.
        let value = if values.set(path, &found) {
            places.expression(reference(path))
        } else {
            found
        };
        spec.insert(field.to_owned(), value);
    };
    swap(
        spec,
        "nodeSelector",
        &["placement", "nodeSelector"],
        json!({}),
    );
    swap(
        spec,
        "tolerations",
        &["placement", "tolerations"],
        json!([]),
    );
    if let Some(worker) = worker {
        swap(
            spec,
            "affinity",
            &["placement", "workers", worker],
            json!({}),
        );
    }
    let role = if worker.is_some() {
        "workers"
    } else {
        "orchestrator"
    };
    for list in ["initContainers", "containers"] {
        let containers = spec.get_mut(list).and_then(Value::as_array_mut);
        let containers = containers.into_iter().flatten();
        let containers = containers.filter_map(Value::as_object_mut);
        for container in containers.filter(|container| is_own(container, image)) {
            swap(container, "image", &["image"], json!(""));
            swap(
                container,
                "imagePullPolicy",
                &["imagePullPolicy"],
                json!("IfNotPresent"),
            );
            swap(container, "resources", &["resources", role], json!({}));
        }
    }
}

/// Whether a container is netplan's. A plan may add others, with images and resources of their own.
fn is_own(container: &Map<String, Value>, image: &str) -> bool {
    let name = container.get("name").and_then(Value::as_str);
    name.is_some_and(|name| {
        OWN_CONTAINERS.contains(&name)
            || name == OFFLOADS_CONTAINER
                && container.get("image").and_then(Value::as_str) == Some(image)
    })
}

/// How a template refers to a value. Names with `-` do not go with dots.
fn reference(path: &[&str]) -> String {
    let plain = |key: &&str| key.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if path.iter().all(plain) {
        return format!(".Values.{}", path.join("."));
    }
    let keys: Vec<String> = path.iter().map(|key| format!("{key:?}")).collect();
    format!("index .Values {}", keys.join(" "))
}

/// The chart's values.
#[derive(Debug, Default)]
struct Values(Map<String, Value>);

impl Values {
    /// Sets what is not there yet. Gives whether the value is the one that is there then.
    fn set(&mut self, path: &[&str], value: &Value) -> bool {
        let Some((last, folders)) = path.split_last() else {
            return false;
        };
        let mut at = &mut self.0;
        for folder in folders {
            let below = at.entry(*folder).or_insert_with(|| json!({}));
            let Value::Object(below) = below else {
                return false;
            };
            at = below;
        }
        at.entry(*last).or_insert_with(|| value.clone()) == value
    }
}

/// Expressions in an object, each represented by a unique placeholder.
#[derive(Debug, Default)]
struct Places(Vec<String>);

impl Places {
    fn expression(&mut self, expression: String) -> Value {
        self.0.push(expression);
        Value::String(Self::word(self.0.len() - 1))
    }

    /// A control character cannot come from a rendered text; JSON writes it as `\u0001`.
    fn word(index: usize) -> String {
        format!("\u{1}{index}\u{1}")
    }

    /// Puts the expressions into the object's text, whose own braces mean nothing to Helm.
    fn fill(&self, text: &str) -> String {
        let mut text = text.replace("{{", "{{ \"{{\" }}");
        for (index, expression) in self.0.iter().enumerate() {
            let word = format!("\"\\u0001{index}\\u0001\"");
            text = text.replace(&word, &format!("{{{{ {expression} | toJson }}}}"));
        }
        text
    }
}

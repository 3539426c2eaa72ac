//! The files of a variant's objects → manifests of the run.

use std::collections::{BTreeSet, HashSet};
use std::io;
use std::ops::Range;

use minijinja::value::{Serde, Value};
use minijinja::{Environment, Error, OutputSpan, OutputSpanKind, context};
use serde_json::json;

use super::affinity::affinities;
use super::context::{RunContext, WorkerContext};
use super::engine::{environment, message_and_place};
use super::manifest::{Manifest, common};
use super::policy::{Policy, VARIANT_LABEL};
use super::templates::RenderError;
use super::workers::WorkerPorts;
use super::yaml::yaml;
use crate::diag::{Source, picture};
use crate::plan::{ObjectFile, Plan, documents};

/// Documents of one file.
const MOST_OBJECTS: usize = 1000;
/// What one file may become.
const MOST_BYTES: usize = 4 << 20;

/// Kinds that belong to no namespace, among those that people may want beside a benchmark. The API server knows the
/// others: it takes an object of a run in a namespace only.
const WITHOUT_NAMESPACE: &[&str] = &[
    "APIService",
    "AdminNetworkPolicy",
    "BaselineAdminNetworkPolicy",
    "CSIDriver",
    "CSINode",
    "CertificateSigningRequest",
    "CiliumClusterwideEnvoyConfig",
    "CiliumClusterwideNetworkPolicy",
    "CiliumLoadBalancerIPPool",
    "ClusterNetworkPolicy",
    "ClusterRole",
    "ClusterRoleBinding",
    "CustomResourceDefinition",
    "FelixConfiguration",
    "FlowSchema",
    "GatewayClass",
    "GlobalNetworkPolicy",
    "GlobalNetworkSet",
    "IPPool",
    "IngressClass",
    "MutatingWebhookConfiguration",
    "Namespace",
    "Node",
    "PersistentVolume",
    "PodSecurityPolicy",
    "PriorityClass",
    "PriorityLevelConfiguration",
    "RuntimeClass",
    "StorageClass",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "ValidatingWebhookConfiguration",
    "VolumeAttachment",
];

/// The objects of the variants that are measured, which are given by their indexes.
///
/// # Errors
/// A file that does not render, or yields an object that a variant may not have.
pub fn variant_objects(
    run: &RunContext,
    plan: &Plan,
    measured: &BTreeSet<usize>,
    workers: &[WorkerPorts<'_>],
) -> Result<Vec<Manifest>, RenderError> {
    let environment = environment();
    let common = common(run, &plan.name, "", &plan.kubernetes, workers);
    let mut names = HashSet::new();
    let mut found = Vec::new();
    let variants = plan.variants.iter().enumerate();
    for (index, (name, variant)) in variants.filter(|(index, _)| measured.contains(index)) {
        let own = workers.iter().zip(affinities(workers));
        let own = own.filter(|(worker, _)| worker.placement.variant == index);
        let own: Vec<Value> = own
            .map(|(worker, affinity)| {
                let context = WorkerContext::new(worker, affinity, &plan.kubernetes);
                Value::from(Serde(&context))
            })
            .collect();
        let context = context! {
            variant => context! { name },
            workers => own,
            ..common.clone()
        };
        for file in &variant.objects {
            let of = Origin {
                run,
                plan,
                variant: name,
                file,
            };
            for object in rendered(&environment, file, &context)? {
                let manifest = of.manifest(object)?;
                if !names.insert((manifest.kind().to_owned(), manifest.name().to_owned())) {
                    return Err(of.refuse(
                        &manifest.object,
                        "another object of the run has its kind and name",
                        "give each its own name, e.g. with `variant.name` in it",
                    ));
                }
                found.push(manifest);
            }
        }
    }
    Ok(found)
}

/// The documents that a file yields.
fn rendered(
    environment: &Environment<'_>,
    file: &ObjectFile,
    context: &Value,
) -> Result<Vec<serde_json::Value>, RenderError> {
    let mut text = Bounded(Vec::new());
    let failed = |error: &Error, length: usize| {
        let (message, place) = if length >= MOST_BYTES {
            let message = format!("it yields more than {} MiB", MOST_BYTES >> 20);
            (message, String::new())
        } else {
            message_and_place(&file.file, &file.text, error)
        };
        RenderError::Template {
            template: file.file.clone(),
            message,
            place,
        }
    };
    let template = environment.template_from_named_str(&file.file, &file.text);
    let template = template.map_err(|error| failed(&error, 0))?;
    let done = template.render_captured_to(context, &mut text).map(drop);
    done.map_err(|error| failed(&error, text.0.len()))?;
    let text = String::from_utf8_lossy(&text.0);
    documents(&text, MOST_OBJECTS).map_err(|error| {
        let place = error.at.and_then(|at| {
            let (_, spans) = template.render_with_spans(context).ok()?;
            let source = Source::new(&*file.file, &*file.text);
            let place = place_in_template(&spans, at)?;
            Some(format!("\n{}", picture(&source, place.into())))
        });
        RenderError::NoObjects {
            file: file.file.clone(),
            message: error.what,
            place: place.unwrap_or_default(),
        }
    })
}

/// The part of a template that has yielded a byte of the text, or else what comes last before it.
fn place_in_template(spans: &[OutputSpan], at: usize) -> Option<Range<usize>> {
    let span = spans
        .iter()
        .rev()
        .find(|span| span.output_range().start <= at)?;
    let (output, source) = (span.output_range(), span.source_range());
    if span.kind() != OutputSpanKind::Raw {
        return Some(source);
    }
    let start = source.start + (at - output.start).min(output.len().saturating_sub(1));
    Some(start..start + 1)
}

/// Where objects come from.
struct Origin<'a> {
    run: &'a RunContext,
    plan: &'a Plan,
    variant: &'a str,
    file: &'a ObjectFile,
}

impl Origin<'_> {
    fn refuse(
        &self,
        object: &serde_json::Value,
        what: impl Into<String>,
        help: &'static str,
    ) -> RenderError {
        let text = |value: &serde_json::Value| value.as_str().unwrap_or("?").to_owned();
        let (kind, name) = (text(&object["kind"]), text(&object["metadata"]["name"]));
        RenderError::Object {
            file: format!("{} of `variants.{}.objects`", self.file.file, self.variant),
            object: format!("{kind} {name}"),
            what: what.into(),
            help,
        }
    }

    /// The object as it is applied: in the run's namespace, with the labels of the run and the variant.
    fn manifest(&self, mut object: serde_json::Value) -> Result<Manifest, RenderError> {
        self.check(&object)?;
        let (run, variant) = (self.run, self.variant);
        let mut manifest = Manifest {
            template: self.file.file.clone(),
            text: String::new(),
            object: json!({}),
        };
        let metadata = &mut object["metadata"];
        metadata["namespace"] = json!(run.namespace);
        // What is null becomes a mapping.
        for (key, value) in &self.plan.kubernetes.labels {
            metadata["labels"][key] = json!(value);
        }
        let own = [
            ("app.kubernetes.io/name", "netplan"),
            ("app.kubernetes.io/version", run.version),
            ("netplan/run", &run.id),
            (VARIANT_LABEL, variant),
        ];
        for (key, value) in own {
            metadata["labels"][key] = json!(value);
        }
        manifest.object = object;
        if Policy::is(&manifest) {
            let name = manifest.name();
            if !name.starts_with(&run.prefix) {
                let name = format!("{}-{variant}-{name}", run.prefix);
                manifest.object["metadata"]["name"] = json!(name);
            }
            let selector = &mut manifest.object["spec"]["podSelector"];
            selector["matchLabels"]["netplan/run"] = json!(run.id);
            selector["matchLabels"][VARIANT_LABEL] = json!(variant);
        }
        manifest.text = yaml(&manifest.object);
        Ok(manifest)
    }

    /// Refuses what a variant may not have.
    fn check(&self, object: &serde_json::Value) -> Result<(), RenderError> {
        let text = |pointer: &str| object.pointer(pointer).and_then(serde_json::Value::as_str);
        for field in ["/apiVersion", "/kind", "/metadata/name"] {
            if text(field).is_none_or(str::is_empty) {
                let field = field[1..].replace('/', ".");
                let what = format!("`{field}` is missing or is not text");
                return Err(self.refuse(object, what, "write it in each document"));
            }
        }
        for field in [
            "/metadata/labels",
            "/spec",
            "/spec/podSelector",
            "/spec/podSelector/matchLabels",
        ] {
            let value = object.pointer(field);
            if value.is_some_and(|value| !value.is_object() && !value.is_null()) {
                let what = format!("`{}` is not a mapping", field[1..].replace('/', "."));
                return Err(self.refuse(object, what, "write it as Kubernetes' API says"));
            }
        }
        let version = text("/apiVersion").unwrap_or_default();
        let kind = text("/kind").unwrap_or_default();
        if kind.ends_with("List") && object["items"].is_array() {
            let what = "a list is not one object";
            return Err(self.refuse(object, what, "write each object as a document"));
        }
        if WITHOUT_NAMESPACE.contains(&kind) {
            return Err(self.refuse(
                object,
                format!("{kind} belongs to no namespace, so it would change the base too"),
                "measure with and without it in two runs, and use `netplan compare`",
            ));
        }
        let namespace = object.pointer("/metadata/namespace");
        if namespace.is_some_and(|namespace| *namespace != *self.run.namespace) {
            let what = format!("it is not in the run's namespace `{}`", self.run.namespace);
            return Err(self.refuse(object, what, "leave `metadata.namespace` out"));
        }
        if kind == "NetworkPolicy" && version.starts_with("networking.k8s.io/") {
            return Ok(());
        }
        if !self.file.trust {
            return Err(self.refuse(
                object,
                format!("{kind} of `{version}` is another kind than NetworkPolicy of `networking.k8s.io/v1`"),
                "if the run may apply it, write `{ file: …, trust: true }`",
            ));
        }
        if kind == "Pod" || object.pointer("/spec/template/spec/containers").is_some() {
            let what = "it starts pods, which would disturb the measurement";
            return Err(self.refuse(object, what, "start what the workers need before the run"));
        }
        let name = text("/metadata/name").unwrap_or_default();
        if !name.starts_with(&self.run.prefix) {
            return Err(self.refuse(
                object,
                format!(
                    "its name does not begin with `{}`, so it may be somebody else's",
                    self.run.prefix
                ),
                "write `name: {{ run.prefix ~ \"-NAME\" }}`",
            ));
        }
        Ok(())
    }
}

/// A buffer that takes no more than [`MOST_BYTES`].
struct Bounded(Vec<u8>);

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = MOST_BYTES.saturating_sub(self.0.len());
        if room == 0 {
            return Err(io::Error::other("too much"));
        }
        let taken = &bytes[..bytes.len().min(room)];
        self.0.extend_from_slice(taken);
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

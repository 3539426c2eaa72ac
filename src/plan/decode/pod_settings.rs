//! The decoder of what pods are like: of the keys that `kubernetes:`, workers and variants share.

use super::pod_patch::security_context;
use super::resources::resources;
use super::tools::declared::check_is_free;
use super::tree::decoder::{At, Decoder, value_or_default};
use super::tree::fields::Fields;
use crate::diag::{Problem, quote};
use crate::plan::describe::keys::{TOLERATION, WORKER_PORT};
use crate::plan::model::container::WorkerPort;
use crate::plan::model::kubernetes::{Resources, TaintEffect, Toleration, TolerationOperator};
use crate::plan::model::pod_settings::PodSettings;
use crate::plan::text::tree::NodeId;

/// Reads what `workers:` or a variant says of a worker's pods.
pub fn worker_pods(decoder: &Decoder<'_>, fields: &Fields<'_, '_>) -> PodSettings {
    let id = fields.value("resources");
    let found = id.and_then(|id| resources(decoder, id, &Resources::default()));
    PodSettings {
        resources: found.unwrap_or_default(),
        ..pod_settings(decoder, fields)
    }
}

/// Reads the keys of pods, without `resources`: `kubernetes:` has them by role.
pub fn pod_settings(decoder: &Decoder<'_>, fields: &Fields<'_, '_>) -> PodSettings {
    let tolerations = fields.list("tolerations").into_iter().flatten();
    let labels = fields.strings("labels").unwrap_or_default();
    let own = |key: &str| key.starts_with("netplan/") || key.starts_with("app.kubernetes.io/");
    for key in labels.keys().filter(|key| own(key)) {
        let place = fields.entry_place("labels", key);
        let what = format!("netplan sets the label {} itself", quote(key));
        let help = "runs are found and removed by it; use a name of your own";
        decoder.report(Problem::new(place, what).help(help));
    }
    PodSettings {
        node_selector: fields.strings("node_selector").unwrap_or_default(),
        tolerations: tolerations
            .filter_map(|item| toleration(decoder, *item))
            .collect(),
        annotations: fields.strings("annotations").unwrap_or_default(),
        labels,
        runtime_class: fields.string("runtime_class"),
        host_network: fields
            .value("host_network")
            .and_then(|id| decoder.boolean(id)),
        ports: ports(decoder, fields),
        security_context: fields
            .value("security_context")
            .and_then(|id| security_context(decoder, id))
            .unwrap_or_default(),
        resources: Resources::default(),
    }
}

fn ports(decoder: &Decoder<'_>, fields: &Fields<'_, '_>) -> Vec<WorkerPort> {
    let mut found: Vec<At<WorkerPort>> = Vec::new();
    for item in fields.list("ports").into_iter().flatten() {
        let Some(port) = port(decoder, *item) else {
            continue;
        };
        if let Some(first) = found.iter().find(|at| at.value == port.value) {
            let what = format!("port {} is listed twice", port.value.port);
            let problem = Problem::new(port.place, what).related(first.place, "first here");
            decoder.report(problem.help("remove one"));
        }
        found.push(port);
    }
    found.iter().map(|at| at.value).collect()
}

fn port(decoder: &Decoder<'_>, id: NodeId) -> Option<At<WorkerPort>> {
    let fields = decoder.mapping(id, &WORKER_PORT)?;
    let number = fields.number("port");
    let protocol = value_or_default(fields.choice("protocol"));
    let number = number?;
    let value = WorkerPort {
        port: u16::try_from(number.value).ok()?,
        protocol,
    };
    check_is_free(decoder, value, number.place);
    Some(At {
        value,
        place: number.place,
    })
}

fn toleration(decoder: &Decoder<'_>, id: NodeId) -> Option<Toleration> {
    let fields = decoder.mapping(id, &TOLERATION)?;
    let key = fields.string("key");
    let value = fields.text("value");
    let operator = fields.choice("operator").map(|at| at.value);
    let effect = fields.choice("effect").map(|at| at.value);
    let seconds = fields.number("toleration_seconds");
    let exists = operator == Some(TolerationOperator::Exists);
    if let (true, Some(value)) = (exists, value) {
        let problem = Problem::new(value.place, "`operator: Exists` takes any value");
        decoder.report(problem.help("omit the value, or write `operator: Equal`"));
    }
    if !exists && fields.key_place("key").is_none() && fields.key_place("operator").is_none() {
        let problem = Problem::new(fields.place, "a toleration needs a `key`");
        decoder.report(problem.help("for any taint write `{ operator: Exists }`"));
    } else if operator == Some(TolerationOperator::Equal) && fields.key_place("key").is_none() {
        let problem = Problem::new(fields.place, "`operator: Equal` needs a `key`");
        decoder.report(problem.help("for any taint write `{ operator: Exists }`"));
    }
    if let Some(At { place, .. }) = seconds
        && effect != Some(TaintEffect::NoExecute)
    {
        let problem = Problem::new(place, "only `effect: NoExecute` takes `toleration_seconds`");
        decoder.report(problem.help("omit it, or write the effect"));
    }
    Some(Toleration {
        key,
        operator: operator.unwrap_or_default(),
        value: value.map(|value| value.value.to_owned()),
        effect,
        toleration_seconds: seconds.and_then(|at| u32::try_from(at.value).ok()),
    })
}

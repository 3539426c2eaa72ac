//! The decoder of `kubernetes:`.

use super::pod_patch::pod_patch;
use super::pod_settings::pod_settings;
use super::resources::resources;
use super::tree::decoder::{At, Decoder, value_or_default};
use super::tree::fields::Fields;
use crate::diag::Problem;
use crate::plan::describe::key::Form;
use crate::plan::describe::keys::{KUBERNETES, POD_RESOURCES};
use crate::plan::model::kubernetes::{Kubernetes, PodResources, Resources};
use crate::plan::model::kubernetes_names::object_name;
use crate::plan::text::tree::NodeId;

pub fn kubernetes(decoder: &Decoder<'_>, id: NodeId) -> Option<Kubernetes> {
    let fields = decoder.mapping(id, &KUBERNETES)?;
    let default = Kubernetes::default();
    let pod = pod_settings(decoder, &fields);
    Some(Kubernetes {
        image: fields.string("image"),
        image_pull_policy: value_or_default(fields.choice("image_pull_policy")),
        pull_secrets: pull_secrets(decoder, &fields).unwrap_or_default(),
        namespace: fields.string("namespace").unwrap_or(default.namespace),
        node_selector: pod.node_selector,
        tolerations: pod.tolerations,
        resources: fields
            .value("resources")
            .and_then(|id| pod_resources(decoder, id))
            .unwrap_or_default(),
        priority_class: fields.string("priority_class"),
        annotations: pod.annotations,
        labels: pod.labels,
        runtime_class: pod.runtime_class,
        network_policies: fields
            .value("network_policies")
            .and_then(|id| decoder.boolean(id))
            .unwrap_or(default.network_policies),
        host_network: pod.host_network,
        ports: pod.ports,
        security_context: pod.security_context,
        ip_family: fields.choice("ip_family").map(|at| at.value),
        offloads: fields
            .choice("offloads")
            .map_or(default.offloads, |at| at.value),
        results_claim: fields.string("results_claim"),
        user: value_or_default(fields.choice("user")),
        architecture: fields.string("architecture"),
        ttl_seconds_after_finished: ttl(decoder, &fields),
        active_deadline_seconds: fields.small_number("active_deadline_seconds"),
        pod: fields.value("pod").and_then(|id| pod_patch(decoder, id)),
    })
}

/// How long ended Jobs stay. Their results must be elsewhere.
fn ttl(decoder: &Decoder<'_>, fields: &Fields<'_, '_>) -> Option<u32> {
    let key = "ttl_seconds_after_finished";
    if let (Some(place), None) = (fields.key_place(key), fields.key_place("results_claim")) {
        let what = format!("`{key}` removes the results with the pods that hold them");
        let help =
            "write `results_claim` too, or remove the key: `netplan attach` collects and removes";
        decoder.report(Problem::new(place, what).help(help));
    }
    fields.small_number(key)
}

fn pull_secrets(decoder: &Decoder<'_>, fields: &Fields<'_, '_>) -> Option<Vec<String>> {
    let name = |item: &NodeId| decoder.formed(*item, Form::Checked(object_name));
    let items = fields.list("pull_secrets")?;
    let names: Vec<At<&str>> = items.iter().filter_map(name).collect();
    decoder.unique("pull secrets", names.iter().copied());
    Some(names.iter().map(|name| name.value.to_owned()).collect())
}

fn pod_resources(decoder: &Decoder<'_>, id: NodeId) -> Option<PodResources> {
    let fields = decoder.mapping(id, &POD_RESOURCES)?;
    let default = PodResources::default();
    let role = |key, default: Resources| {
        let found = fields.value(key);
        let found = found.and_then(|id| resources(decoder, id, &default));
        found.unwrap_or(default)
    };
    Some(PodResources {
        workers: role("workers", default.workers),
        orchestrator: role("orchestrator", default.orchestrator),
    })
}

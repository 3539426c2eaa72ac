//! `workers:`.

use super::kubernetes::{POD_KEYS, WORKER_POD_KEYS};
use crate::plan::describe::key::{Form, Key, Kind, MAPPING, Mapping, hint, key, limits};
use crate::plan::model::kubernetes_names::object_name;
use crate::plan::model::plan_file::LARGEST_GROUP;

const KEYS: &[Key] = &[
    key("same_node_as", Kind::Text(Form::Any), "On the node of this other worker."),
    key("other_node_than", Kind::Text(Form::Any), "On another node than this other worker."),
    key("same_zone_as", Kind::Text(Form::Any),
        "In the zone of this other worker. The local cluster has no zones."),
    key("other_zone_than", Kind::Text(Form::Any), "In another zone than this other worker."),
    key("node", Kind::Text(Form::Checked(object_name)),
        "On the node of this name. Only Kubernetes knows nodes by name."),
    key("one_per_node", Kind::Bool,
        "A group of workers, each on a node of its own: `mesh-1`, `mesh-2` and so on.")
        .or("false, a single worker"),
    key("count", Kind::Number(limits(1, LARGEST_GROUP as u64, "workers")),
        "How many workers a group has.")
        .or("one for each node that fits; of the local cluster, and where no cluster is known, `local.nodes`",),
];

/// A worker, or a group of workers.
pub static WORKER: Mapping = Mapping {
    name: "Placement",
    what: "`{}`, or a mapping with `same_node_as`, `other_node_than` or the like",
    text: "Where a worker runs, and what its pods are like beyond what `kubernetes:` says of all. Mappings \
        merge; lists and single values replace. Without a rule it may run on any node.",
    keys: &[KEYS, POD_KEYS, WORKER_POD_KEYS],
    may_be_empty: true,
    hints: &[
        hint(&["nodeSelector"], "it is called `node_selector` here"),
        hint(&["nodeName", "node_name"], "it is called `node` here"),
        hint(&["securityContext"], "it is called `security_context` here"),
        hint(&["replicas"], "it is called `count` here"),
    ],
    ..MAPPING
};

//! `variants:`.

use super::local::VARIANT_LOCAL;
use super::kubernetes::{POD_KEYS, WORKER_POD_KEYS};
use crate::plan::describe::key::{Form, Key, Kind, MAPPING, Mapping, hint, key};

/// Settings by worker.
const WORKERS: Kind = Kind::Names(Form::Any, &Kind::Map(&WORKER_SETTINGS));

const KEYS: &[Key] = &[
    key("workers", WORKERS,
        "What the pods are like, by the name of a worker or a group; of every worker by the name `all`. The \
         narrower name has precedence."),
    key("tests", Kind::Names(Form::Any, &Kind::Names(Form::Any, &Kind::Scalar)),
        "Parameters of tools, by the name of the test: `{ iperf3-tcp: { congestion: bbr } }`. Each takes a \
         single value, and none that the test sweeps."),
    key("local", Kind::Map(&VARIANT_LOCAL), "What differs on the local cluster. Kubernetes refuses it."),
];

/// One variant.
pub static VARIANT: Mapping = Mapping {
    name: "Variant",
    what: "`{}`, or a mapping with `workers`, `tests` or `local`",
    text: "",
    keys: &[KEYS],
    may_be_empty: true,
    hints: &[
        hint(&["labels", "annotations", "resources", "node_selector", "tolerations", "runtime_class", "host_network", "ports", "security_context"],
            "{} belongs in `workers:`, below the name of a worker or `all`"),
        hint(&["objects"],
            "variants change pods of workers and parameters of tests; for {} make two plans and use `netplan compare`"),
    ],
    ..MAPPING
};

/// What a variant says of a worker.
pub static WORKER_SETTINGS: Mapping = Mapping {
    name: "WorkerSettings",
    what: "a mapping with `labels`, `resources` or the like",
    text: "",
    keys: &[POD_KEYS, WORKER_POD_KEYS],
    may_be_empty: true,
    ..MAPPING
};

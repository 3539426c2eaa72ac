//! `variants:`.

use super::local::VARIANT_LOCAL;
use super::kubernetes::{POD_KEYS, WORKER_POD_KEYS};
use crate::plan::describe::key::{Form, Key, Kind, List, MAPPING, Mapping, hint, key};

/// Settings by worker.
const WORKERS: Kind = Kind::Names(Form::Any, &Kind::Map(&WORKER_SETTINGS));

/// Files, each by its name or as a mapping.
const OBJECTS: Kind = Kind::List(&List {
    item: Kind::Either(&[Kind::Text(Form::Any), Kind::Map(&OBJECT_FILE)]),
    example: "`- policies.yaml.j2`",
    is_unique: false,
});

const FILE_KEYS: &[Key] = &[
    key("file", Kind::Text(Form::Any), "Its name, relative to the folder of the plan that says it.").required(),
    key("trust", Kind::Bool,
        "Whether other kinds than NetworkPolicy are allowed. Their names have to begin with `run.prefix`, and they \
         may start no pods.")
        .or("false"),
    key("text", Kind::Text(Form::Any),
        "What the file holds. netplan writes it into the resolved plan of a run, and then reads no file."),
];

/// A file of objects.
pub static OBJECT_FILE: Mapping = Mapping {
    name: "ObjectFile",
    what: "the name of a file, or a mapping with `file`",
    text: "",
    keys: &[FILE_KEYS],
    ..MAPPING
};

const KEYS: &[Key] = &[
    key("workers", WORKERS,
        "What the pods are like, by the name of a worker or a group; of every worker by the name `all`. The \
         narrower name has precedence."),
    key("tests", Kind::Names(Form::Any, &Kind::Names(Form::Any, &Kind::Scalar)),
        "Parameters of tools, by the name of the test: `{ iperf3-tcp: { congestion: bbr } }`. Each takes a \
         single value, and none that the test sweeps."),
    key("local", Kind::Map(&VARIANT_LOCAL), "What differs on the local cluster. Kubernetes refuses it."),
    key("objects", OBJECTS,
        "Files of Kubernetes objects that exist for this variant alone, in the run's namespace: templates, with the \
         `variant` and its `workers` beside the values of netplan's own templates. The pods that a NetworkPolicy selects are those of \
         the variant. A file may have several documents.")
        .at_most(16, "put several documents into one file, with `---` between them"),
];

/// One variant.
pub static VARIANT: Mapping = Mapping {
    name: "Variant",
    what: "`{}`, or a mapping with `workers`, `tests`, `objects` or `local`",
    text: "",
    keys: &[KEYS],
    may_be_empty: true,
    hints: &[
        hint(&["labels", "annotations", "resources", "node_selector", "tolerations", "runtime_class", "host_network", "ports", "security_context"],
            "{} belongs in `workers:`, below the name of a worker or `all`"),
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

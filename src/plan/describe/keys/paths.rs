//! `paths:`.

use crate::plan::describe::key::{
    Form, Hint, Key, Kind, LONGEST_LABEL, LONGEST_NAME, List, MAPPING, Mapping, hint, key, words,
};
use crate::plan::model::family::Family;
use crate::plan::model::path::Via;

/// A list of paths and meshes, or a single mesh.
pub const PATHS: Kind = Kind::Either(&[
    Kind::List(&List {
        item: Kind::Either(&[Kind::Map(&PATH), Kind::Map(&MESH_ENTRY)]),
        example: "`- { name: pod, from: w1, to: w2, via: pod_ip }`",
        is_unique: false,
    }),
    Kind::Map(&MESH_ENTRY),
]);

const PATH_KEYS: &[Key] = &[
    key("name", Kind::Text(Form::DnsLabel(LONGEST_NAME)),
        "The path's name, unique in the plan. A DNS label.").required(),
    key("label", Kind::Text(Form::Label(LONGEST_LABEL)), "How reports and `result.csv` call it.")
        .or("its name"),
    key("from", Kind::Text(Form::Any), "The worker that runs the tool's client.").required(),
    key("to", Kind::Text(Form::Any),
        "The worker that runs the tool's server; the same as `from` for a hairpin.").required(),
    key("via", Kind::Word(words::<Via>), "The address that the client dials.").required(),
    FAMILY,
    key("expect", Kind::Bounds, "What is expected of every test on this path."),
];

const FAMILY: Key = key("family", Kind::Word(words::<Family>), "The family of the addresses, on a dual-stack cluster.")
    .or("`kubernetes.ip_family`, else the cluster's first");
const FAMILY_HINT: Hint = hint(&["ip_family", "ipFamily", "ip_version"], "it is called `family` here");

/// One path.
pub static PATH: Mapping = Mapping {
    name: "Path",
    what: "a path with `name`, `from`, `to` and `via`, or a `mesh`",
    text: "One way for traffic to go.",
    keys: &[PATH_KEYS],
    hints: &[FAMILY_HINT],
    ..MAPPING
};

/// An entry of `paths:` that is a mesh.
pub static MESH_ENTRY: Mapping = Mapping {
    name: "MeshEntry",
    what: "a mapping with `mesh`",
    text: "",
    keys: &[&[key("mesh", Kind::Map(&MESH), "").required()]],
    hints: &[hint(&["name", "label", "via", "workers", "expect"], "{} belongs one level deeper, in `mesh:`")],
    ..MAPPING
};

const MESH_KEYS: &[Key] = &[
    key(
        "name",
        // Two numbers follow it in the names of its paths.
        Kind::Text(Form::DnsLabel(LONGEST_NAME - "-1000-1000".len())),
        "What its paths' names begin with. Tests use it for all of its paths.",
    )
    .or("the group's name"),
    key("label", Kind::Text(Form::Label(LONGEST_LABEL - " 1000-1000".len())),
        "What its paths' labels begin with.").or("its name"),
    key("workers", Kind::Text(Form::Any), "The group, of workers with `one_per_node`.").required(),
    key("via", Kind::Word(words::<Via>), "The address that the clients dial.").required(),
    FAMILY,
    key("both_directions", Kind::Bool, "Measure each pair in both directions.")
        .or("true; false is one direction a pair, so that each worker sends on half of its paths"),
    key("expect", Kind::Bounds, "What is expected of every test on these paths."),
];

/// The paths between every two workers of a group.
pub static MESH: Mapping = Mapping {
    name: "Mesh",
    what: "a mesh with `workers` and `via`",
    text: "Paths between every two workers of a group, named `<name>-<from>-<to>`, e.g. `mesh-3-7`. \
           They are in the order of a round-robin tournament, so that with `concurrency: \
           disjoint-nodes` every node has a partner at any time.",
    keys: &[MESH_KEYS],
    hints: &[hint(&["from", "to"], "a mesh is between every two of its `workers`"), FAMILY_HINT],
    ..MAPPING
};

//! Faults of the local cluster.

use crate::plan::describe::key::{Form, Key, Kind, List, MAPPING, Mapping, key};

/// The keys of faults. An entry has one of them.
pub const FAULT_KEYS: &[Key] = &[
    key("cut", TWO_NODES,
        "Drops all packets between two nodes, in both directions. Links and routes stay, and so do the nodes' \
         neighbor entries. Local cluster only."),
    key("loss", Kind::Map(&LOSSY_LINK), "Loses a share of the packets between two nodes. Local cluster only."),
    key("remove_service", Kind::Text(Form::Any),
        "Removes the rules of a worker's Service from all nodes: new connections to its cluster IP get no answer. \
         Local cluster only."),
    key("freeze", Kind::Text(Form::Any),
        "Stops all processes of a worker's pod. Its kernel still takes packets. Local cluster only."),
];

const TWO_NODES: Kind = Kind::List(&List {
    item: Kind::Text(Form::Pattern("^node-[1-9][0-9]?$")),
    example: "`[node-1, node-2]`",
    is_unique: true,
});

const LOSSY_LINK_KEYS: &[Key] = &[
    key("between", TWO_NODES, "The two nodes.").required(),
    key("percent", Kind::Percent(0.01, 100.0), "The share of packets that is lost, by chance, in each direction.").required(),
];

/// A link that loses packets for a while.
pub static LOSSY_LINK: Mapping = Mapping {
    name: "LossyLink",
    what: "a mapping with `between` and `percent`",
    text: "",
    keys: &[LOSSY_LINK_KEYS],
    ..MAPPING
};

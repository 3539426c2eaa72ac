//! `local:`.

use crate::plan::describe::key::{BIT_RATE, Form, Key, Kind, List, MAPPING, Mapping, hint, key, limits, words};
use crate::plan::model::family::Family;
use crate::plan::model::local::{MOST_EMULATED_NODES, Offloads, Qdisc, congestion_control};
use crate::plan::model::queue::MOST_QUEUE_BYTES;

const LOCAL_KEYS: &[Key] = &[
    key("nodes", Kind::Number(limits(1, MOST_EMULATED_NODES as u64, "nodes")), "How many nodes to emulate.").or("2"),
    key("links", Kind::Map(&LINK), "What every link between two nodes is like.")
        .or("as fast as the machine"),
    key("offloads", Kind::Word(words::<Offloads>),
        "Segmentation offloads of the emulated interfaces.").or("off"),
    key("pods", Kind::Map(&LOCAL_PODS), "What the interfaces of pods are like.")
        .or("as the links and `offloads`"),
    key("ip_families", Kind::List(&List {
        item: Kind::Word(words::<Family>),
        example: "`- ipv6`",
        is_unique: true,
    }), "The families of addresses that pods and nodes have; the first is the default of paths.")
        .or("ipv4 and ipv6; ipv4 alone where this machine has no IPv6"),
];

/// The local cluster.
pub static LOCAL: Mapping = Mapping {
    name: "Local",
    what: "a mapping with `nodes`, `links`, `pods` or `offloads`",
    text: "The emulated nodes and links of the local cluster. Kubernetes ignores it.",
    keys: &[LOCAL_KEYS],
    may_be_empty: true,
    hints: &[hint(&["rate", "delay", "queue", "loss", "mtu"], "{} belongs one level deeper, in `links:`")],
    ..MAPPING
};

const LOCAL_POD_KEYS: &[Key] = &[
    key("mtu", MTU, "Maximum transmission unit of the pods' interfaces, in bytes. Links without an `mtu` get the largest one of this, those of variants, and 1500.")
        .or("that of the links"),
    key("offloads", Kind::Word(words::<Offloads>), "Segmentation offloads of the pods' interfaces.")
        .or("`local.offloads`"),
    key("qdisc", Kind::Word(words::<Qdisc>), "The queueing discipline of what pods send.").or("none"),
    key("congestion", Kind::Text(Form::Checked(congestion_control)),
        "TCP's congestion control in the pods, e.g. `bbr`; a test's own has precedence.").or("the kernel's"),
];

/// The interfaces of pods.
pub static LOCAL_PODS: Mapping = Mapping {
    name: "LocalPods",
    what: "a mapping with `mtu`, `offloads`, `qdisc` or `congestion`",
    text: "The interfaces of pods, where they differ from the links between nodes.",
    keys: &[LOCAL_POD_KEYS],
    may_be_empty: true,
    ..MAPPING
};

/// What a variant changes of the local cluster.
pub static VARIANT_LOCAL: Mapping = Mapping {
    name: "VariantLocal",
    what: "a mapping with `pods`",
    text: "",
    keys: &[&[key("pods", Kind::Map(&LOCAL_PODS), "What the interfaces of the variant's pods are like.").or("`local.pods`")]],
    may_be_empty: true,
    hints: &[
        hint(&["mtu", "offloads", "qdisc", "congestion"], "{} belongs one level deeper, in `pods:`"),
        hint(&["nodes", "links", "ip_families"], "all variants share the nodes and their links; for {} make two plans and use `netplan compare`"),
    ],
    ..MAPPING
};

const MTU: Kind = Kind::Number(limits(576, 65_535, "bytes"));

const QUEUE: Kind = Kind::Either(&[
    Kind::Duration(limits(0, 10, "s")),
    Kind::Bytes(limits(1, MOST_QUEUE_BYTES, "bytes")),
]);

const LINK_KEYS: &[Key] = &[
    key("rate", Kind::Rate(BIT_RATE),
        "Bits a second on the wire, Ethernet header included, e.g. `1 Gbit/s`."),
    key("delay", Kind::Duration(limits(0, 10, "s")),
        "One-way delay, e.g. `1ms`. Needs the kernel's netem queue."),
    key("queue", QUEUE,
        "What may wait at each end of a link until the rate lets it pass, as a time at that rate or as bytes, e.g. `50ms` or \
         `64 KiB`. Needs `rate`.")
        .or("20ms and 2 ms of bursts, at least 64 packets"),
    key("loss", Kind::Percent(0.0, 99.0), "Packets lost at random, e.g. `0.1%`."),
    key("mtu", MTU,
        "Maximum transmission unit of links and pods alike, in bytes.").or("1500"),
];

/// A link between two nodes.
pub static LINK: Mapping = Mapping {
    name: "Link",
    what: "a mapping with `rate`, `delay`, `queue`, `loss` or `mtu`",
    text: "An emulated link between two nodes is the same in both directions.",
    keys: &[LINK_KEYS],
    may_be_empty: true,
    ..MAPPING
};

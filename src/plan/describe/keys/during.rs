//! `during:` of a test.

use crate::plan::describe::key::{Form, Key, Kind, List, MAPPING, Mapping, key, limits, words};
use super::faults::FAULT_KEYS;
use crate::plan::model::during::By;

const DAY_S: u64 = 24 * 60 * 60;

const KEYS: &[Key] = &[
    key("at", Kind::Duration(limits(0, DAY_S, "s")),
        "When it is done, counted from the go, in every repetition. Required with all but `by`."),
    key("for", Kind::Duration(limits(0, DAY_S, "s")), "How long a fault is on. Required with one."),
];

const DEEDS: &[Key] = &[
    FAULT_KEYS[0], FAULT_KEYS[1], FAULT_KEYS[2], FAULT_KEYS[3],
    key("run", Kind::List(&List { item: Kind::Text(Form::Any), example: "`[kubectl, rollout, restart, daemonset/kube-proxy]`", is_unique: false }),
        "A program and its arguments, which the command line starts. No shell takes it apart."),
    key("by", Kind::Word(words::<By>), "Who does something, and sets a mark."),
];

/// An entry of `during:`.
pub static DURING: Mapping = Mapping {
    name: "During",
    what: "a mapping with `at` and `run` or a fault, or with `by: hand`",
    text: "Something that is done while the samples of a test run.",
    keys: &[KEYS],
    one_of: || DEEDS,
    ..MAPPING
};

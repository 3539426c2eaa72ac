//! The top of a plan.

use super::local::LOCAL;
use super::paths::PATHS;
use super::built_in_tools::built_in_names;
use super::timing::DEFAULTS;
use super::{KUBERNETES, TEST, VARIANT, WORKER, declared_tools::DECLARED_TOOL};
use crate::plan::describe::key::{
    Form, Key, Kind, LONGEST_NAME, List, MAPPING, Mapping, NewName, hint, key, limits, words,
};
use crate::plan::model::plan_file::{Concurrency, Order};
use crate::plan::model::variants::ALL_WORKERS;

/// A worker's Pod and Service are named `netplan-<run id>-<worker>`, in 63 characters at most: the
/// run's id takes 8, and some room is left for longer ones.
pub const LONGEST_WORKER: usize = 40;
/// A group's workers have a number after its name.
pub const LONGEST_GROUP_NAME: usize = LONGEST_WORKER - "-1000".len();

/// A matrix of more cells is refused: at a second each it would run for 11 days.
pub const MOST_CELLS: u64 = 1_000_000;

/// The orchestrator's Service and Secret have its name where those of workers have theirs.
const WORKERS: Kind = Kind::Names(
    Form::NewName(NewName {
        longest: LONGEST_WORKER,
        reserved: || vec!["orchestrator", ALL_WORKERS],
    }),
    &Kind::Map(&WORKER),
);

/// Variants by name.
const VARIANTS: Kind = Kind::Names(Form::DnsLabel(LONGEST_WORKER), &Kind::Map(&VARIANT));

/// Declared tools by name.
const TOOLS: Kind = Kind::Names(
    Form::NewName(NewName {
        longest: LONGEST_WORKER,
        reserved: built_in_names,
    }),
    &Kind::Map(&DECLARED_TOOL),
);

/// The tests.
const TESTS: Kind = Kind::List(&List {
    item: Kind::Map(&TEST),
    example: "`- iperf3: {}`",
    is_unique: false,
});

const KEYS: &[Key] = &[
    key("version", Kind::Version, "The version of the plan language.").required(),
    key("name", Kind::Text(Form::DnsLabel(LONGEST_NAME)),
        "The plan's name, a DNS label. It names the run's directory and objects.").required(),
    key("description", Kind::Text(Form::Any), "What the plan is for, in a sentence."),
    key("workers", WORKERS,
        "The pods that send or receive traffic, by name, and where each one runs; or a group of \
         pods, one on each node. A name is a DNS label of at most 40 characters, of a group 35.")
        .required().at_most(100, "paths may share workers; for one on each node write `mesh: { one_per_node: true }`"),
    key("variants", VARIANTS,
        "Configurations under which every cell is measured, by name; the first is the base. Each has workers of \
         its own, on the nodes of the base's. Their samples are taken in rounds, and compared in pairs.")
        .at_most(20, "write a second plan with the same base for the others"),
    key("paths", PATHS,
        "The ways for traffic to go: a list of paths and meshes, or a single `mesh:`. A mesh is the \
         paths between every two workers of a group.")
        .required().at_most(500, "for every pair of a group write `mesh: { workers: GROUP, via: pod_ip }`"),
    key("order", Kind::Word(words::<Order>), "In which order the cells of the matrix run.")
        .or("listed"),
    key("seed", Kind::Number(limits(0, u64::MAX, "")),
        "What `order: shuffled` is drawn from: the same seed gives the same order.")
        .or("drawn when the plan is read, and stored with the run"),
    key("concurrency", Kind::Word(words::<Concurrency>), "Which cells may run at the same time.")
        .or("serial"),
    key("tools", TOOLS,
        "Tools beside the built-in ones, by name. A name is a DNS label of at most 40 characters.")
        .at_most(100, "remove those that no test uses"),
    key("tests", TESTS, "What to measure. Tests run in the order of the list. All together have at most 1000000 cells: tests × paths × values.").required(),
    key("local", Kind::Map(&LOCAL), ""),
    key("kubernetes", Kind::Map(&KUBERNETES), ""),
    key("extends",
        Kind::Either(&[Kind::Text(Form::Any), Kind::List(&List { item: Kind::Text(Form::Any), example: "`- base.yaml`", is_unique: false, })]),
        "The file of a plan that this one lies over, relative to this file; or a list of such \
         files, the later over the earlier. Mappings merge; lists and single values replace."),
    key("defaults", Kind::Map(&DEFAULTS), "Timing of every test that does not have its own."),
];

/// A plan.
pub static PLAN: Mapping = Mapping {
    name: "Plan",
    what: "a plan with `version: 1`, `name`, `workers`, `paths` and `tests`",
    text: "A test plan: what to measure, between which workers, over which paths.",
    keys: &[KEYS],
    hints: &[
        hint(&["image", "namespace", "node_selector", "tolerations"], "{} belongs in `kubernetes:`"),
        hint(&["duration", "warmup", "cooldown", "timeout", "retries", "repeat"], "{} belongs in `defaults:`, for all tests, or in one of `tests:`"),
    ],
    ..MAPPING
};

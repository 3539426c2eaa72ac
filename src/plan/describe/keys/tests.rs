//! `tests:`.

use super::during::DURING;
use super::expect::FIND;
use super::test_load::{FEWER_LOADS, LOAD, MOST_LOADS};
use super::timing::TIMING;
use super::built_in_tools::built_in_tools;
use crate::plan::describe::key::{
    Form, Key, Kind, LONGEST_LABEL, LONGEST_NAME, List, MAPPING, Mapping, key, limits,
};

const KEYS: &[Key] = &[
    key("name", Kind::Text(Form::DnsLabel(LONGEST_NAME)),
        "The test's name, unique in the plan; a part of its cells' ids.")
        .or("from the tool and its protocol, e.g. `iperf3-tcp`"),
    key("label", Kind::Text(Form::Label(LONGEST_LABEL)),
        "What precedes the path's label in `result.csv`.").or("nptest's word for the tool"),
    key("paths",
        Kind::List(&List { item: Kind::Text(Form::Any), example: "`[same-node, remote]`; leave `paths` out for all", is_unique: true, }),
        "The names of the paths to measure; the name of a mesh selects all of its paths.")
        .or("all"),
    key("intervals", Kind::ShortDuration(limits(100_000, 60_000_000, "us")),
        "Record what happens within each sample in intervals of this length, e.g. `100ms`: the rates of iperf3 and of the \
         request/response tests of netperf, the lowest of which is a metric; latency and loss of the probe. `series.csv` and the \
         page `report.html` have them."),
    key("together", Kind::Bool,
        "Measure all paths of the test at once: one sample of each starts on one go, once all servers are ready, \
         whatever `order` and `concurrency` say. Only with a number for `repeat`, and with a port of its own for each server.")
        .or("false"),
    key("during", ENTRIES,
        "What is done while the samples run, in every repetition. It implies `together`; times count from the go. Not with \
         `--detach` and `render`: the command line does it."),
];

static LOADS: List = List {
    item: Kind::Map(&LOAD),
    example: "`- { iperf3: { streams: 4 }, paths: [remote] }`",
    is_unique: false,
};
const ENTRIES: Kind = Kind::List(&List {
    item: Kind::Map(&DURING),
    example: "`- { at: 5s, run: [kubectl, get, nodes] }`",
    is_unique: false,
});

const CHECKS: &[Key] = &[
    key("find", Kind::Map(&FIND),
        "Search for the highest rate at which a condition holds, e.g. `{ rate: max, while: \
         'lost_percent <= 0.1' }`. Only for UDP by iperf3, without its `rate`."),
    key("load", Kind::List(&LOADS),
        "Traffic that runs around each sample, on paths of its own.")
        .at_most(MOST_LOADS, FEWER_LOADS),
    key("expect", Kind::Bounds, "What is expected of every cell of this test."),
];

/// A test. Its tool is one of the built-in ones, or a name from `tools:`.
pub static TEST: Mapping = Mapping {
    name: "Test",
    what: "a test with a tool, e.g. `iperf3: {}`",
    text: "",
    keys: &[KEYS, TIMING, CHECKS],
    one_of: built_in_tools,
    ..MAPPING
};

/// Whether this is a key of tests that does not choose a tool.
pub fn is_test_key(name: &str) -> bool {
    TEST.keys.iter().copied().flatten().any(|key| key.name == name)
}

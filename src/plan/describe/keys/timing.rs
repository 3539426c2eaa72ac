//! How long and how often a cell is measured: `defaults:`, and the same keys in a test.

use crate::plan::describe::key::{Form, Key, Kind, MAPPING, Mapping, hint, key, limits};

const DAY_S: u64 = 24 * 60 * 60;

/// A number of samples, or when to stop.
const REPEAT: Kind = Kind::Either(&[
    Kind::Number(limits(1, MOST_SAMPLES, "samples")),
    Kind::Map(&UNTIL),
]);

/// The keys of a timing.
pub const TIMING: &[Key] = &[
    key("duration", Kind::WholeSeconds(limits(1, DAY_S, "s")),
        "How long one sample measures. iperf3 and netperf take whole seconds.").or("10s"),
    key("warmup", Kind::WholeSeconds(limits(0, DAY_S, "s")),
        "How long traffic flows before the measurement begins; not measured. For iperf3 at most \
         60s.").or("0s"),
    key("cooldown", Kind::Duration(limits(0, DAY_S, "s")), "Pause after each sample.").or("0s"),
    key("timeout", Kind::Duration(limits(0, DAY_S, "s")),
        "A sample that takes longer than this is killed.")
        .or("warm-up and duration and what the tool itself needs, and 10 seconds; at least 40 \
             seconds for UDP with iperf3"),
    key("retries", Kind::Number(limits(0, 100, "retries")),
        "How often a failed sample is tried again before its cell has failed.").or("1"),
    key("repeat", REPEAT,
        "How many samples a cell gets: a number, or until the mean is known well enough. With variants these \
         are rounds, and a multiple of the number of variants.")
        .or("1, with variants their smallest multiple from 6 on"),
];

const MOST_SAMPLES: u64 = 10_000;

/// The timing of all tests.
pub static DEFAULTS: Mapping = Mapping {
    name: "Timing",
    what: "a mapping with `duration`, `warmup`, `repeat` or the like",
    text: "",
    keys: &[TIMING],
    may_be_empty: true,
    hints: &[hint(&["paths", "label"], "{} belongs in each of `tests:`, not in `defaults:`")],
    ..MAPPING
};

const UNTIL_KEYS: &[Key] = &[
    key("min", Kind::Number(limits(2, MOST_SAMPLES, "samples")), "At least this many samples.")
        .or("3"),
    key("max", Kind::Number(limits(2, MOST_SAMPLES, "samples")), "At most this many samples.")
        .or("20"),
    key("until", Kind::Text(Form::Pattern(r"^\s*[0-9]+(\.[0-9]+)?\s*%\s*(of\s+\S+\s*)?$")),
        "Half the interval's width: in percent of the mean, e.g. `2%`, or of the ratio to a variant, e.g. \
         `1% of plain`. From 0.01 % to 100 %.").required(),
];

/// When to stop repeating.
pub static UNTIL: Mapping = Mapping {
    name: "Until",
    what: "a mapping with `until`, e.g. `until: 2%`",
    text: "Samples are taken until the 95 % confidence interval is narrow enough.",
    keys: &[UNTIL_KEYS],
    ..MAPPING
};

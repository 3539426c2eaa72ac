//! `expect:` and `find:`.

use crate::plan::describe::key::{BIT_RATE, Form, Key, Kind, MAPPING, Mapping, hint, key, words};
use crate::plan::model::expect::Goal;

const FIND_KEYS: &[Key] = &[
    key("rate", Kind::Word(words::<Goal>),
        "What is searched for: the highest sending rate of each stream.").required(),
    key("from", Kind::Rate(BIT_RATE), "The lowest rate that is tried.").or("1 Mbit/s"),
    key("to", Kind::Rate(BIT_RATE), "The highest rate that is tried.").or("100 Gbit/s"),
    key("within", Kind::Percent(0.1, 50.0),
        "The search ends when it knows the rate to within this share of it.").or("5%"),
    key("while", Kind::Text(Form::Pattern(r"^\s*[a-z0-9_.]+\s*<=?\s*[0-9]")),
        "The condition that holds up to the rate, e.g. `lost_percent <= 0.1`. It has to get worse \
         as the rate rises: `lost_percent`, `jitter` or `cpu.server`, from above.").required(),
];

/// A search.
pub static FIND: Mapping = Mapping {
    name: "Find",
    what: "a search, e.g. `{ rate: max, while: 'lost_percent <= 0.1' }`",
    text: "A search for the highest rate at which a condition still holds. Each probe is a sample.",
    keys: &[FIND_KEYS],
    hints: &[
        hint(&["until"], "write the condition under `while`"),
        hint(&["min"], "the lowest rate that is tried is `from`"),
        hint(&["max"], "the highest rate that is tried is `to`"),
    ],
    ..MAPPING
};

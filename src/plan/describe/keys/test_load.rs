//! `load:` of a test.

use std::sync::LazyLock;

use super::built_in_tools::fixed_tools;
use crate::catalog::LOAD_TOOLS;
use crate::plan::describe::key::{Form, Key, Kind, List, MAPPING, Mapping, key};

/// How many loads a test may have, counted by their paths: each is a server and a client beside the measured ones.
pub const MOST_LOADS: usize = 16;
/// What to write instead of more.
pub const FEWER_LOADS: &str = "each path of a load counts; use `streams` for more traffic";

const KEYS: &[Key] = &[key(
    "paths",
    Kind::List(&List { item: Kind::Text(Form::Any), example: "`[remote]`", is_unique: true }),
    "The names of the paths on which it sends, all at once. Not the name of a mesh.",
)
.required()];

/// The tools that can be a load.
fn load_tools() -> &'static [Key] {
    static KEYS: LazyLock<Vec<Key>> = LazyLock::new(|| fixed_tools(&LOAD_TOOLS));
    &KEYS
}

/// A tool that sends while a test measures.
pub static LOAD: Mapping = Mapping {
    name: "Load",
    what: "a load with a tool, e.g. `{ iperf3: {}, paths: [remote] }`",
    text: "Each of its options has one value. It starts before the measured tool, is known to arrive before that one \
           starts, ends after it, and is recorded as a sample of its own.",
    keys: &[KEYS],
    one_of: load_tools,
    ..MAPPING
};

//! The names of cells, and of their loads, in the command lines of the fake.

use super::plans::LOAD_MARK;

/// The name of a cell, and the number of a load of it.
pub(super) fn split(name: &str) -> (&str, Option<usize>) {
    match name.split_once(LOAD_MARK) {
        Some((cell, nth)) => (cell, nth.parse().ok()),
        None => (name, None),
    }
}

/// The number of a cell of this name.
pub(super) fn number(name: &str) -> usize {
    name.trim_start_matches("cell-").parse().unwrap()
}

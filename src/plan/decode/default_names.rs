//! Names for tests that give none.

use std::collections::HashSet;

/// The name, or with a number behind it where that is taken.
pub fn free_name(taken: &mut HashSet<String>, name: &str) -> String {
    let numbered = (2_u64..).map(|number| format!("{name}-{number}"));
    let free = std::iter::once(name.to_owned())
        .chain(numbered)
        .find(|name| !taken.contains(name))
        .unwrap_or_default();
    taken.insert(free.clone());
    free
}

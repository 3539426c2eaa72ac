//! Names of parameters that declared tools have of their own.

use std::cmp::Ordering;
use std::fmt;
use std::sync::{LazyLock, PoisonError, RwLock};

use indexmap::IndexSet;

/// A parameter's name, as small as a number because a million cells carry it. The process keeps each
/// different name once, for as long as it lives; plans have few.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct OwnName(u32);

static NAMES: LazyLock<RwLock<IndexSet<&'static str>>> = LazyLock::new(RwLock::default);

impl OwnName {
    /// This name.
    #[must_use]
    pub fn of(name: &str) -> Self {
        let known = NAMES
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get_index_of(name);
        let index = known.unwrap_or_else(|| {
            let mut names = NAMES.write().unwrap_or_else(PoisonError::into_inner);
            match names.get_index_of(name) {
                Some(index) => index,
                None => names.insert_full(Box::leak(name.into())).0,
            }
        });
        Self(u32::try_from(index).unwrap_or(u32::MAX))
    }

    /// As plans write it.
    #[must_use]
    pub fn text(self) -> &'static str {
        let names = NAMES.read().unwrap_or_else(PoisonError::into_inner);
        names.get_index(self.0 as usize).copied().unwrap_or("?")
    }
}

impl Ord for OwnName {
    fn cmp(&self, other: &Self) -> Ordering {
        self.text().cmp(other.text())
    }
}

impl PartialOrd for OwnName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Debug for OwnName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.text(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_kept_once() {
        let (size, burst) = (OwnName::of("size"), OwnName::of("burst"));
        assert_eq!(size, OwnName::of("size"));
        assert_eq!((size.text(), burst.text()), ("size", "burst"));
        assert!(burst < size);
    }
}

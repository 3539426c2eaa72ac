//! A part of a text that outlives the reading of it.

use std::fmt;
use std::sync::Arc;

use super::source::{Source, Span};

/// Where a person wrote a value: for problems that only show after the text was read.
///
/// It says nothing about the value, so all passages are equal: values that say the same are equal wherever they are written.
#[derive(Clone, Default)]
pub struct Passage {
    pub(super) source: Arc<Source>,
    pub(super) span: Span,
}

impl PartialEq for Passage {
    fn eq(&self, _: &Passage) -> bool {
        true
    }
}

impl fmt::Debug for Passage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Span { start, end } = self.span;
        write!(f, "Passage({} {start}..{end})", self.source.name)
    }
}

//! How to compare.

use std::collections::HashSet;

use super::limit::Limit;
use crate::schedule::CellId;

/// How to compare.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// The cells to compare; `None` for all.
    pub only: Option<HashSet<CellId>>,
    /// `Some(true)` takes all machines for the same, `Some(false)` for different ones; `None` goes by the machine
    /// keys.
    pub same_machine: Option<bool>,
    pub limits: Vec<Limit>,
    /// An undecided answer fails the comparison.
    pub undecided_fails: bool,
}

//! Sections of the page, and their bounds.

use crate::diag;
use crate::report::document::{Block, Level, Meaning};

/// A page has sections for so many tests, and charts of so many in its sections of all tests.
pub const MOST_TESTS: usize = 40;

/// The heading of a section.
pub fn heading(title: &str) -> Block {
    Block::Heading {
        level: Level::Section,
        title: title.to_owned(),
    }
}

/// States how many charts of something the page leaves out; None if it has all.
pub fn left_out(count: usize, of_what: &str) -> Option<Block> {
    left_out_but_in("`--format json`", count, of_what)
}

/// As [`left_out`], where the figures are in this place.
pub fn left_out_but_in(place: &str, count: usize, of_what: &str) -> Option<Block> {
    let text = format!(
        "Not shown: the charts of {}; {place} has their figures.",
        diag::count(count, &format!("more {of_what}"))
    );
    (count > 0).then(|| Block::paragraph(Meaning::Plain, text))
}

//! Sections of the page.

use crate::report::document::{Block, Level};

/// The heading of a section.
pub fn heading(title: &str) -> Block {
    Block::Heading {
        level: Level::Section,
        title: title.to_owned(),
    }
}

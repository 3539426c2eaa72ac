//! The tool of a test: a built-in one with its options, or one that the plan declares.

pub mod declared;
pub mod expression;
pub mod extractor;
pub mod template_bounds;
pub mod tool;

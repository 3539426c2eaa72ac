//! Tools that the plan declares: their command lines by expressions, their figures by patterns.

mod output;
mod tool;

pub use tool::Declared;

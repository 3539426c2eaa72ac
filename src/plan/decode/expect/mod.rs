//! The decoders of `expect:` and `find:`, and of the bounds in them.

pub mod bound;
pub mod check;
pub mod expectations;
pub mod find;

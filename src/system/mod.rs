//! What a process asks of its operating system for itself.

mod file_limit;

pub use file_limit::{raise_file_limit, with_original_file_limit};

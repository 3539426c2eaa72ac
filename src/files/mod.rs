//! Files that people name: read with bounds, written without following links.

mod read;
mod write;

pub use read::{open_regular, open_regular_here, read_any, read_regular, read_text, read_to_limit};
pub use write::{Durability, create_new, replace};

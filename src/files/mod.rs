//! Files that people name: read with bounds, written without following links.

mod read;
mod write;

pub use read::{open_regular, open_regular_here, read_regular, read_text};
pub use write::{Durability, create_new, replace};

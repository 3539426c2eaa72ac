//! Files that people name: read with bounds, written without following links.

mod open;
mod read;
mod write;

pub use open::{open_regular, open_regular_here};
pub use read::{read_any, read_regular, read_text, read_to_limit};
pub use write::{Durability, create_new, replace};

//! A document for a terminal or a text file of a given width.

mod layout;
mod line;
mod render;
mod table;
mod wrap;

pub use render::render;

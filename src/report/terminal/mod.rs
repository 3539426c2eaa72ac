//! A document for a terminal or a text file.

pub mod layout;
mod render;
pub mod sparkline;
pub mod wrap;

pub use render::render;

//! A document as GitHub-flavoured Markdown, for comments, job summaries and wikis.

mod escape;
mod render;
mod table;

pub use render::render;

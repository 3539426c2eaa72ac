//! What is wrong, where, and what to do about it; and text of others made safe to show.

mod error_chain;
pub mod json;
mod passage;
mod phrasing;
pub mod printable;
mod problem;
mod problems;
mod render;
mod source;

pub use error_chain::error_chain;
pub use passage::Passage;
pub use phrasing::{
    all_of, count, did_you_mean, elapsed, list, one_of, quote, shell_word, some_of,
};
pub use problem::Problem;
pub use problems::Problems;
pub use render::picture;
pub use source::{Place, Source, Span};

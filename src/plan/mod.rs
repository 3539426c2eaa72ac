//! The language: text → [`Plan`], all problems at once, each with its place.

mod documents;
mod model;
pub mod sweep;
pub mod units;

pub use documents::document;
pub use model::*;

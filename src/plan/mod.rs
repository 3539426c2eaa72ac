//! The language: text → [`Plan`], all problems at once, each with its place.

mod model;
pub mod sweep;
pub mod units;

pub use model::*;

//! The language: text → [`Plan`], all problems at once, each with its place.

mod declared;
mod decode;
mod documents;
pub mod expression;
mod fields;
mod figure;
mod host;
mod kubernetes;
mod limits;
mod load;
mod model;
mod names;
mod parse;
mod placement;
mod read;
mod read_command;
mod read_declared;
mod read_figure;
mod read_kubernetes;
mod read_test;
mod read_tool;
mod schema;
mod set;
pub mod sweep;
mod syntax;
mod tree;
pub mod units;
mod words;

pub use declared::*;
pub use documents::{DocumentError, document};
pub use figure::{FigureKind, FigureUnit, Pattern, PatternError, Pointer};
pub use kubernetes::*;
pub use load::{YamlError, init_text, load};
pub use model::*;
pub use schema::schema;

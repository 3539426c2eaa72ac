//! The language: text → [`Plan`], all problems at once, each with its place.

mod decode;
mod documents;
mod expect;
mod fields;
mod host;
mod kubernetes;
mod limits;
mod load;
mod metric;
mod model;
mod names;
mod parse;
mod placement;
mod read;
mod read_expect;
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

pub use documents::{DocumentError, document};
pub use expect::{Bound, Comparison, Condition, Expectation, Expectations, Find, Goal};
pub use kubernetes::*;
pub use load::{YamlError, init_text, load};
pub use metric::{Metric, Unit};
pub use model::*;
pub use schema::schema;

//! All integration tests, in one binary: one link instead of many.

mod made;
mod report;
mod results;
mod support;

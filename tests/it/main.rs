//! All integration tests, in one binary: one link instead of many.

mod architecture;
mod made;
mod render;
mod report;
mod results;
mod schedule;
mod support;
mod tools;

//! All integration tests, in one binary: one link instead of many.

mod architecture;
mod cases;
mod made;
mod plan;
mod render;
mod report;
mod results;
mod schedule;
mod support;
mod tools;

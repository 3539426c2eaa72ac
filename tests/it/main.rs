//! All integration tests, in one binary: one link instead of many.

mod architecture;
mod cases;
mod plan;
mod render;
mod schedule;
mod support;
mod tools;

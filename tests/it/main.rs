//! All integration tests, in one binary: one link instead of many.

mod architecture;
mod render;
mod schedule;
mod support;
mod tools;

//! All integration tests, in one binary: one link instead of many.

mod cases;
mod plan;
mod plan_any;
mod support;

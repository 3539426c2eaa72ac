//! All integration tests, in one binary: one link instead of many.

mod schedule;
mod support;
mod tools;
mod tools_here;

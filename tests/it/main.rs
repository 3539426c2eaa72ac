//! All integration tests, in one binary: one link instead of many.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod architecture;
mod attach;
mod cases;
mod cli;
mod e2e;
mod fake_api;
mod fake_cluster;
mod kubernetes;
mod kubernetes_doors;
mod local;
mod made;
mod orchestrator;
mod plan;
mod plan_any;
mod render;
mod report;
mod restricted;
mod results;
mod resume;
mod run;
mod schedule;
mod support;
mod tools;
mod tools_here;
mod worker;

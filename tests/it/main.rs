//! All integration tests, in one binary: one link instead of many.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod architecture;
mod cases;
mod cli;
mod coverage;
mod doubts;
mod e2e;
mod extends;
mod fake_api;
mod kubernetes;
mod local;
mod made;
mod mesh;
mod orchestrator;
mod plan;
mod plan_any;
mod render;
mod report;
mod restricted;
mod results;
mod rounds;
mod run;
mod schedule;
mod selftest;
#[path = "../../benches/figures/simulation.rs"]
mod simulation;
mod support;
mod tools;
mod tools_here;
mod worker;

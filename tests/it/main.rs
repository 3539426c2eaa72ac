//! All integration tests, in one binary: one link instead of many.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod action;
mod architecture;
mod attach;
mod black_hole;
mod cases;
mod chart;
mod cli;
mod color;
mod compare;
mod completions;
mod confirm;
mod coverage;
mod declared;
mod directions;
mod documents;
mod e2e;
mod exports;
mod extends;
mod fake_api;
mod fake_cluster;
mod families;
mod faults;
mod found;
mod generated_code;
mod history;
#[path = "../../benches/figures/history_simulation.rs"]
mod history_simulation;
mod import;
mod import_circles;
mod install;
mod interfaces;
mod kubeconfig;
mod kubernetes;
mod kubernetes_doors;
mod limits;
mod loads;
mod local;
mod loud_tools;
mod made;
mod markdown;
mod mesh;
mod mtu;
mod neutral_text;
mod odd_files;
mod odd_outputs;
mod orchestrator;
mod outages;
mod page;
#[path = "../../benches/figures/pairs_simulation.rs"]
mod pairs_simulation;
mod plan;
mod plan_any;
mod policies;
mod preflight;
mod probe;
#[path = "../../benches/figures/recorded_noise.rs"]
mod recorded_noise;
mod render;
mod report;
mod restricted;
mod results;
mod resume;
mod rounds;
mod run;
mod schedule;
mod schema;
mod selftest;
mod silent_path;
#[path = "../../benches/figures/simulation.rs"]
mod simulation;
mod succession;
mod support;
mod swept;
mod terminal;
mod together;
mod tool_registry;
mod tools;
mod tools_here;
mod unreachable;
mod variants;
#[path = "../../benches/figures/verdict_simulation.rs"]
mod verdict_simulation;
mod verdicts;
mod versions;
mod warnings;
mod watching;
mod within;
mod worker;
mod worker_keys;

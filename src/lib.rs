//! netplan: a declarative test-plan interpreter for Kubernetes network benchmarks.
//!
//! ```text
//! plan text ─▶ Plan ─▶ Schedule ─┐
//!                └──▶ Manifests ─┴▶ Cluster ─▶ orchestrator ⇄ workers ─▶ events ─▶ journal ─▶ every report
//!                     (templates/)   Kubernetes | local      (gRPC, mTLS)
//! ```
//!
//! Each module has one subject. `ARCHITECTURE.md` describes them; `tests/it/architecture.rs` checks that imports run one way.

// What only the local cluster and the worker use is unused in a build without them.
#![cfg_attr(
    not(all(target_os = "linux", feature = "local")),
    allow(dead_code, unused_imports)
)]

pub mod catalog;
pub mod cli;
pub mod cluster;
pub mod compare;
pub mod connectivity;
pub mod diag;
pub mod files;
pub mod history;
pub mod import;
pub mod orchestrator;
pub mod output;
pub mod plan;
#[cfg(all(target_os = "linux", feature = "local"))]
pub mod probe;
pub mod render;
pub mod report;
pub mod results;
pub mod rpc;
pub mod schedule;
pub mod statistics;
pub mod system;
pub mod tools;
#[cfg(all(target_os = "linux", feature = "local"))]
pub mod worker;

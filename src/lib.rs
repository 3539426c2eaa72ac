//! netplan: a declarative test-plan interpreter for Kubernetes network benchmarks.
//!
//! ```text
//! plan text ─▶ Plan ─▶ Schedule ─┐
//!                └──▶ Manifests ─┴▶ Cluster ─▶ orchestrator ⇄ workers ─▶ events ─▶ journal ─▶ every report
//!                     (templates/)   Kubernetes | local      (gRPC, mTLS)
//! ```
//!
//! Each module is a room with one subject; imports run one way, from the last line to the first:
//!
//! ```text
//! diag, files, system ◀ plan ◀ schedule, tools, statistics ◀ render, rpc, results ◀ orchestrator, worker, cluster, report ◀ output ◀ cli
//! ```

pub mod catalog;
pub mod cli;
pub mod cluster;
pub mod diag;
pub mod files;
pub mod orchestrator;
pub mod output;
pub mod plan;
pub mod render;
pub mod report;
pub mod results;
pub mod rpc;
pub mod schedule;
pub mod statistics;
pub mod system;
pub mod tools;
pub mod worker;

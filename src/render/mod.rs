//! Plan and templates → the manifests of a run.

mod manifest;

pub use manifest::Manifest;

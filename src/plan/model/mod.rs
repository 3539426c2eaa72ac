//! What a plan says, once it has been read and checked.

pub mod expect;
pub mod kubernetes;
pub mod local;
pub mod mesh;
pub mod metric;
pub mod plan;
pub mod sweep;
pub mod timing;
pub mod tools;
pub mod units;
pub mod write;

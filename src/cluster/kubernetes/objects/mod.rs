//! The objects of a run: applied, and removed by its label.

pub mod apply;
pub mod namespace;
pub mod owner;
mod pods_gone;
pub mod remove;

//! Tree → plan: one decoder for each section of a plan. All problems are found at once.

mod default_names;
mod during;
mod expect;
mod fault;
mod foreign;
mod host_network;
mod intervals;
mod kubernetes;
mod link;
pub mod load;
mod local;
mod objects;
mod paths;
mod placement;
mod plan;
mod pod_patch;
mod pod_settings;
mod resources;
mod rounds;
mod tests;
mod timing;
mod together;
pub mod tools;
pub mod tree;
mod variants;
mod workers;

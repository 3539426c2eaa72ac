//! Tree → plan: one decoder for each section of a plan. All problems are found at once.

pub mod decoder;
mod default_names;
mod expect;
mod fields;
mod foreign;
mod host_network;
mod kubernetes;
pub mod load;
mod names;
mod paths;
mod placement;
mod plan;
mod pod_settings;
mod resources;
mod rounds;
mod scalars;
mod tests;
mod timing;
pub mod tools;
mod variants;
mod workers;

//! Tree → plan: one decoder for each section of a plan. All problems are found at once.

mod default_names;
mod expect;
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "the entries of `during:` will have faults")
)]
mod fault;
mod foreign;
mod host_network;
mod intervals;
mod kubernetes;
mod link;
pub mod load;
mod local;
mod objects;
mod path_names;
mod paths;
mod placement;
mod plan;
mod pod_patch;
mod pod_settings;
mod resources;
mod rounds;
mod test_load;
mod tests;
mod timing;
mod together;
pub mod tools;
pub mod tree;
mod variants;
mod workers;

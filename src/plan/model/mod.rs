//! What a plan says, once it has been read and checked.

pub mod choice;
pub mod container;
pub mod during;
pub mod expand;
pub mod expect;
pub mod family;
pub mod fault;
mod figure_text;
pub mod kubernetes;
pub mod kubernetes_names;
pub mod load_paths;
pub mod local;
pub mod objects;
pub mod path;
pub mod plan;
pub mod plan_file;
pub mod pod_patch;
pub mod pod_settings;
pub mod queue;
pub mod sweep;
pub mod test_load;
pub mod timing;
pub mod tools;
pub mod units;
pub mod variants;

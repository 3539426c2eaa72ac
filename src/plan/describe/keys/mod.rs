//! Every key of the language, described once.
//!
//! rustfmt is off for these files: they are tables, and a key that takes a line or two is read at a
//! glance, one that is broken into six is not.

#[rustfmt::skip]
mod built_in_tools;
#[rustfmt::skip]
mod declared_tools;
#[rustfmt::skip]
mod during;
#[rustfmt::skip]
mod expect;
#[rustfmt::skip]
mod faults;
#[rustfmt::skip]
mod kubernetes;
#[rustfmt::skip]
mod local;
#[rustfmt::skip]
mod paths;
#[rustfmt::skip]
mod plan;
#[rustfmt::skip]
mod test_load;
#[rustfmt::skip]
mod tests;
#[rustfmt::skip]
mod timing;
#[rustfmt::skip]
mod variants;
#[rustfmt::skip]
mod workers;

pub use built_in_tools::{RANGE, built_in_mapping, definition_name, fixed_definition_name};
pub use declared_tools::{CLIENT, DECLARED_TOOL, METRIC, PARAMETER, PORT, READY, SERVER};
pub use during::DURING;
pub use expect::FIND;
pub use faults::{FAULT_KEYS, LOSSY_LINK};
pub use kubernetes::{KUBERNETES, POD_RESOURCES, RESOURCES, TOLERATION, WORKER_PORT};
pub use local::{LINK, LOCAL, LOCAL_PODS, VARIANT_LOCAL};
pub use paths::{MESH, MESH_ENTRY, PATH};
pub use plan::{LONGEST_GROUP_NAME, LONGEST_WORKER, MOST_CELLS, PLAN};
pub use test_load::{FEWER_LOADS, LOAD, MOST_LOADS};
pub use tests::{TEST, is_test_key};
pub use timing::{DEFAULTS, UNTIL};
pub use variants::{OBJECT_FILE, VARIANT, WORKER_SETTINGS};
pub use workers::WORKER;

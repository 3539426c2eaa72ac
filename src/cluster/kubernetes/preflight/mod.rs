//! Whether a cluster can carry a run, asked before anything is applied.

mod checkup;
mod family_check;
mod permissions;
mod placement_check;
mod pod_admission;
mod quota;
mod references_check;

pub use checkup::LARGEST_CONFIG_MAP_BYTES;

//! Where workers run. A cluster takes rendered objects and makes them run.

mod api;
mod arrivals;
mod error;
mod families;
mod finding;
pub mod kubernetes;
#[cfg(all(target_os = "linux", feature = "local"))]
pub mod local;
mod placement;

pub use api::{Cluster, Exit, FaultSwitch, Health, Next, PodAddresses, PodEnded};
pub use arrivals::Arrivals;
pub use error::Error;
pub use families::{FamilyNeed, needed_families};
pub use finding::Finding;

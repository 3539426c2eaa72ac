//! Where workers run. A cluster takes rendered objects and makes them run.

mod api;
mod finding;
pub mod kubernetes;
pub mod local;
mod placement;

pub use api::{Cluster, Error, Exit, Next, PodEnded};
pub use finding::{Finding, Trouble};

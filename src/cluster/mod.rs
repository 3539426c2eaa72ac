//! Where workers run. A cluster takes rendered objects and makes them run.

mod api;
pub mod kubernetes;
pub mod local;

pub use api::{Cluster, Error, Exit, Next, PodEnded, Trouble};

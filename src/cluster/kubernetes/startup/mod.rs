//! From the first object to the moment when all pods are up.

mod failure;
mod pending_pod;
mod progress;
#[cfg(test)]
mod tests;

pub use failure::StartupFailure;
pub use progress::{Startup, Verdict};

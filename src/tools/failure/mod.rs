//! Why there is no measurement.

mod cause;
#[expect(
    clippy::module_inception,
    reason = "the file has the type of this name"
)]
mod failure;

pub use cause::{Cause, Speaker};
pub use failure::Failure;

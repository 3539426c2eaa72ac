//! Which layer of the network is broken between two pods, from what one of them could reach.

mod evidence;
mod explanation;
mod family;
mod finding;
mod matrix;

pub(super) use self::evidence::{Evidence, Place, Unasked};
pub(super) use self::finding::{Layer, find};
pub(super) use self::matrix::matrix;

#[cfg(test)]
mod tests;

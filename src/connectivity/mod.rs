//! Which layer of the network is broken between two pods, from what one of them could reach: pure.

mod evidence;
mod explanation;
mod family;
mod finding;

pub use self::evidence::{Answer, Evidence, Name, Place, Segment};
pub use self::finding::{Layer, find};

#[cfg(test)]
mod tests;

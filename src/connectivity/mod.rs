//! Which layer of the network is broken between two pods, from what one of them could reach: pure.

mod evidence;
mod explanation;
mod family;
mod finding;

pub use self::evidence::{Answer, Endpoint, Evidence, Name, Segment};
pub use self::finding::{Layer, find, find_all};

#[cfg(test)]
mod tests;

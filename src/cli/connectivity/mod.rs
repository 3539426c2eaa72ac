//! Which layer of the network is broken between two pods, from what one of them could reach.

mod evidence;
mod finding;

pub(super) use self::evidence::{Evidence, Place};
pub(super) use self::finding::{Layer, find};

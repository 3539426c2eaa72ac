//! Which pod runs on which node: the rules of the Kubernetes scheduler that netplan's plans use.
//!
//! The local cluster places its pods with it. Kubernetes has a scheduler of its own; there, the preflight
//! asks whether any placement exists. How full nodes are is not considered.

mod explain;
mod label_match;
mod node_fit;
mod place;
mod pod;
mod solver;

pub use explain::{Misfit, Obstacle};
pub use label_match::{Labels, has_labels};
pub use node_fit::rejection;
pub use place::{Placement, place};
pub use pod::PodToPlace;

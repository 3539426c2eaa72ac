//! What Kubernetes' events say about an object.

/// What an event says about one of the objects.
#[derive(Clone, Debug)]
pub struct ClusterEvent {
    pub reason: String,
    pub message: String,
    pub is_warning: bool,
}

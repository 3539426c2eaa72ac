//! How long the orchestrator waits for what.

use std::time::Duration;

/// A limit for each thing that the orchestrator waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// For all workers that the cells need to join at the start.
    pub start: Duration,
    /// For the plan's other workers, once those are there: a pod that starts beside a sample
    /// disturbs it.
    pub others: Duration,
    /// For a tool's server to be ready, as the worker is told.
    pub ready: Duration,
    /// For an answer that is due, beyond what the worker itself was told.
    pub answer: Duration,
    /// For a process to end after Stop.
    pub stop: Duration,
    /// For the nodes to learn where a worker's Service leads, counted from its joining.
    pub service: Duration,
    /// For a lost worker to come back.
    pub reconnect: Duration,
    /// For running tools to end once the run is cancelled.
    pub cancel: Duration,
    /// For the worker that holds the copy of the journal to write what it was sent.
    pub copy: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // A node that pulls the image first takes minutes.
            start: Duration::from_secs(300),
            others: Duration::from_secs(2),
            ready: Duration::from_secs(10),
            answer: Duration::from_secs(5),
            stop: Duration::from_secs(5),
            service: Duration::from_secs(30),
            // An evicted pod's successor is made after ten seconds, and its node may pull the image.
            reconnect: Duration::from_secs(120),
            cancel: Duration::from_millis(400),
            copy: Duration::from_secs(10),
        }
    }
}

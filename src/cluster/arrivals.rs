//! What a packet capture records: when packets arrived.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

/// How many are kept; of more, the latest are not.
const MOST: usize = 4_000_000;

/// When packets arrived, in the order of arrival. Copies share the list.
#[derive(Clone, Debug, Default)]
pub struct Arrivals(Arc<Mutex<Vec<Timestamp>>>);

impl Arrivals {
    /// Adds one, unless there are too many.
    pub fn add(&self, at: Timestamp) {
        let mut times = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if times.len() < MOST {
            times.push(at);
        }
    }

    /// Those so far.
    #[must_use]
    pub fn times(&self) -> Vec<Timestamp> {
        let times = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        times.clone()
    }
}

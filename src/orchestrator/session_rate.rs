//! How often workers may open sessions. Each session is two events on disk, and makes the cells that run fail.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Sessions in a row. A worker whose orchestrator starts again tries about ten times within its first
/// second.
const BURST: u32 = 32;
/// After this one session more is allowed: the longest pause of a worker between two attempts.
const REFILL: Duration = Duration::from_millis(500);

/// A token bucket for each worker; clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct SessionRate(Arc<Mutex<HashMap<String, Bucket>>>);

#[derive(Clone, Copy, Debug)]
struct Bucket {
    tokens: u32,
    /// Since when the next token is under way.
    since: Instant,
}

impl SessionRate {
    /// Whether a worker may open a session now.
    pub(super) fn admits(&self, worker: &str, now: Instant) -> bool {
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = buckets.entry(worker.to_owned()).or_insert(Bucket {
            tokens: BURST,
            since: now,
        });
        bucket.admits(now)
    }
}

impl Bucket {
    fn admits(&mut self, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.since);
        let refills = passed.as_millis() / REFILL.as_millis();
        let refills = u32::try_from(refills).unwrap_or(u32::MAX);
        self.tokens = self.tokens.saturating_add(refills).min(BURST);
        if self.tokens == BURST {
            self.since = now;
        } else {
            self.since += REFILL * refills;
        }
        let admits = self.tokens > 0;
        self.tokens = self.tokens.saturating_sub(1);
        admits
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_worker_that_keeps_coming_is_let_in_at_the_refill_rate() {
        let rate = SessionRate::default();
        let begun = Instant::now();
        let admitted = (0..10_000_u64)
            .filter(|ms| rate.admits("w1", begun + Duration::from_millis(*ms)))
            .count();
        assert_eq!(admitted, BURST as usize + 19);
        assert!(rate.admits("w2", begun), "each has a bucket of its own");
    }

    proptest! {
        /// In any window no more than the burst and what the window refills.
        #[test]
        fn no_window_has_more_than_its_share(pauses in prop::collection::vec(0..2_000_u64, 1..200)) {
            let rate = SessionRate::default();
            let mut now = Instant::now();
            let mut admitted = Vec::new();
            for pause in pauses {
                now += Duration::from_millis(pause);
                if rate.admits("w1", now) {
                    admitted.push(now);
                }
            }
            for (i, first) in admitted.iter().enumerate() {
                for (j, last) in admitted.iter().enumerate().skip(i) {
                    let refilled = (*last - *first).as_millis() / REFILL.as_millis();
                    prop_assert!((j - i + 1) as u128 <= u128::from(BURST) + refilled + 1);
                }
            }
        }

        /// Who comes no more often than the refill is never refused.
        #[test]
        fn whoever_takes_its_time_is_let_in(pauses in prop::collection::vec(500..3_000_u64, 1..200)) {
            let rate = SessionRate::default();
            let mut now = Instant::now();
            for pause in pauses {
                prop_assert!(rate.admits("w1", now));
                now += Duration::from_millis(pause);
            }
        }
    }
}

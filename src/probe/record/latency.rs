//! The distribution of latencies.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Serializer, V2DeflateSerializer};

use crate::probe::clock::{Nanos, SECOND};
use crate::tools::probe_output;

/// Figures are kept to this many decimal digits.
const DIGITS: u8 = 3;
/// Shorter latencies are not told apart.
const SHORTEST: Nanos = 100;
/// Longer latencies are not told apart: an hour.
const LONGEST: Nanos = 3_600 * SECOND;

/// Latencies in constant memory, to three digits.
#[derive(Clone, Debug, Default)]
pub(in crate::probe) struct Latencies(Option<Histogram<u64>>);

impl Latencies {
    pub(in crate::probe) fn add(&mut self, latency: Nanos) {
        if self.0.is_none() {
            self.0 = Histogram::new_with_bounds(SHORTEST, LONGEST, DIGITS).ok();
        }
        if let Some(histogram) = &mut self.0 {
            histogram.saturating_record(latency.max(1));
        }
    }

    /// The percentiles, and the whole histogram in the format that all implementations of `HdrHistogram` read; `None` without
    /// a latency.
    pub(in crate::probe) fn summary(&self) -> Option<probe_output::Latency> {
        let histogram = self.0.as_ref().filter(|histogram| !histogram.is_empty())?;
        let us = |nanos: u64| nanos as f64 / 1e3;
        let quantile = |quantile| us(histogram.value_at_quantile(quantile));
        let mut bytes = Vec::new();
        // Without it only the distribution is missing.
        let _ = V2DeflateSerializer::new().serialize(histogram, &mut bytes);
        Some(probe_output::Latency {
            count: histogram.len(),
            min_us: us(histogram.min()),
            mean_us: histogram.mean() / 1e3,
            p50_us: quantile(0.5),
            p90_us: quantile(0.9),
            p99_us: quantile(0.99),
            p99_9_us: quantile(0.999),
            p99_99_us: quantile(0.9999),
            max_us: us(histogram.max()),
            histogram_ns: STANDARD.encode(bytes),
        })
    }
}

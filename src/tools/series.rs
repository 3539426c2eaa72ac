//! The rates of the intervals within a sample.

use serde::{Deserialize, Serialize};

/// No sample has more intervals. A sample with so many takes some 100 KB of the journal.
pub const MOST_INTERVALS: u64 = 6_000;

/// The rates within a sample, interval by interval, as the journal has them: short, and without a gap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Series {
    /// The metric whose rates these are, by the journal's name.
    metric: String,
    /// What one packet or transaction adds, in the unit of the metric without "a second".
    step: u32,
    /// When the first interval begins, in milliseconds from the sample's start.
    #[serde(default, skip_serializing_if = "is_zero")]
    start_ms: u32,
    /// The length of each interval in milliseconds.
    lengths_ms: Vec<u32>,
    /// The rate in each, rounded to whole units of the metric.
    rates: Vec<u64>,
    /// The intervals whose rate is above the one of the link, by their indexes: what waited in a buffer before was
    /// counted in them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    over_link: Vec<u32>,
}

/// An interval of a sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// Seconds from the sample's start.
    pub start_s: f64,
    /// As `start_s`.
    pub end_s: f64,
    /// In the metric's unit.
    pub rate: f64,
    /// The rate is above the one of the link.
    pub is_over_link: bool,
}

impl Interval {
    /// In seconds.
    #[must_use]
    pub fn length_s(self) -> f64 {
        self.end_s - self.start_s
    }
}

impl Series {
    /// A series from when the first interval begins, and the end and rate of each; times are in seconds from the sample's
    /// start. Leaves out an interval of no length or without a rate, and what is beyond [`MOST_INTERVALS`]. `None`
    /// without any interval.
    #[must_use]
    pub fn new(
        metric: &str,
        step: u32,
        begin_s: f64,
        intervals: impl IntoIterator<Item = (f64, f64)>,
    ) -> Option<Self> {
        let start_ms = whole(begin_s * 1e3).and_then(|ms| u32::try_from(ms).ok())?;
        let mut series = Self {
            metric: metric.to_owned(),
            step,
            start_ms,
            lengths_ms: Vec::new(),
            rates: Vec::new(),
            over_link: Vec::new(),
        };
        let mut end_ms = u64::from(start_ms);
        for (end_s, rate) in intervals {
            if series.rates.len() as u64 == MOST_INTERVALS {
                break;
            }
            let ms = whole(end_s * 1e3);
            let length = ms.and_then(|ms| u32::try_from(ms.checked_sub(end_ms)?).ok());
            if let (Some(ms), Some(length), Some(rate)) = (ms, length, whole(rate))
                && length > 0
            {
                end_ms = ms;
                series.lengths_ms.push(length);
                series.rates.push(rate);
            }
        }
        (!series.rates.is_empty()).then_some(series)
    }

    /// The metric whose rates these are, by the journal's name.
    #[must_use]
    pub fn metric(&self) -> &str {
        &self.metric
    }

    /// What one packet or transaction adds.
    #[must_use]
    pub fn step(&self) -> u32 {
        self.step
    }

    /// The intervals in the order of time.
    pub fn intervals(&self) -> impl Iterator<Item = Interval> {
        let mut over = self.over_link.iter().copied().peekable();
        let mut start_ms = u64::from(self.start_ms);
        let rates = (0_u32..).zip(self.lengths_ms.iter().zip(&self.rates));
        rates.map(move |(index, (length, rate))| {
            let end_ms = start_ms + u64::from(*length);
            let interval = Interval {
                start_s: start_ms as f64 / 1e3,
                end_s: end_ms as f64 / 1e3,
                rate: *rate as f64,
                is_over_link: over.next_if_eq(&index).is_some(),
            };
            start_ms = end_ms;
            interval
        })
    }

    /// Marks the intervals whose rate is above the one of the link, in the metric's unit.
    pub fn mark_over_link(&mut self, rate: f64) {
        let rates = (0_u32..).zip(&self.rates);
        let over = rates.filter(|(_, of_interval)| **of_interval as f64 > rate);
        self.over_link = over.map(|(index, _)| index).collect();
    }

    /// The intervals that count: none above the link's rate, and none shorter than half of the usual one, as the last
    /// one may be.
    #[must_use]
    pub fn counted(&self) -> Vec<Interval> {
        let mut lengths = self.lengths_ms.clone();
        lengths.sort_unstable();
        let usual = lengths.get(lengths.len() / 2).copied().unwrap_or_default();
        let least_s = f64::from(usual) / 2e3;
        let counts = |interval: &Interval| !interval.is_over_link && interval.length_s() >= least_s;
        self.intervals().filter(counts).collect()
    }

    /// The lowest rate of those that count.
    #[must_use]
    pub fn lowest(&self) -> Option<f64> {
        let rates = self.counted().into_iter().map(|interval| interval.rate);
        rates.reduce(f64::min)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(ms: &u32) -> bool {
    *ms == 0
}

/// The nearest whole number of a finite value that is not below 0.
fn whole(value: f64) -> Option<u64> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "not below 0; what is too large saturates"
    )]
    let rounded = value.round() as u64;
    (value.is_finite() && value >= 0.0).then_some(rounded)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn series(intervals: &[(f64, f64)]) -> Series {
        Series::new("throughput_bps", 1, 0.0, intervals.iter().copied()).unwrap()
    }

    #[test]
    fn the_journal_has_lengths_and_rates() {
        let mut series = series(&[(0.1, 9e6), (0.2004, 11e6), (0.3, 4.4)]);
        let text = r#"{"metric":"throughput_bps","step":1,"lengths_ms":[100,100,100],"rates":[9000000,11000000,4]}"#;
        assert_eq!(serde_json::to_string(&series).unwrap(), text);
        assert_eq!(serde_json::from_str::<Series>(text).unwrap(), series);
        series.mark_over_link(10e6);
        let text = serde_json::to_string(&series).unwrap();
        assert!(text.ends_with(r#""over_link":[1]}"#), "{text}");
        assert_eq!(serde_json::from_str::<Series>(&text).unwrap(), series);
    }

    #[test]
    fn a_rate_above_the_link_and_a_short_rest_do_not_count() {
        let mut series = series(&[(0.1, 9e6), (0.2, 30e6), (0.3, 8e6), (0.304, 1e6)]);
        series.mark_over_link(20e6);
        assert_eq!(series.lowest(), Some(8e6));
        assert_eq!(series.counted().len(), 2);
        series.mark_over_link(0.0);
        assert_eq!(series.lowest(), None);
    }

    proptest! {
        #[test]
        fn any_intervals_give_a_series_without_gaps(
            intervals in prop::collection::vec((-1.0..100.0_f64, any::<f64>()), 0..50),
            link in 0.0..1e9_f64, start in 0_u32..9,
        ) {
            let start = f64::from(start);
            let Some(mut series) = Series::new("throughput_bps", 8, start, intervals) else {
                return Ok(());
            };
            series.mark_over_link(link);
            let text = serde_json::to_string(&series).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Series>(&text).unwrap(), &series);
            let mut end = start;
            for interval in series.intervals() {
                prop_assert!(interval.start_s.total_cmp(&end).is_eq() && interval.end_s > end);
                prop_assert_eq!(interval.is_over_link, interval.rate > link);
                end = interval.end_s;
            }
            for interval in series.counted() {
                prop_assert!(interval.rate <= link);
                prop_assert!(series.lowest().unwrap() <= interval.rate);
            }
        }

        /// A damaged journal has any figures.
        #[test]
        fn any_journal_is_read(lengths in prop::collection::vec(any::<u32>(), 0..9),
            rates in prop::collection::vec(any::<u64>(), 0..9), over in prop::collection::vec(any::<u32>(), 0..4)) {
            let text = serde_json::json!({"metric": "m", "step": 0, "lengths_ms": lengths, "rates": rates, "over_link": over});
            let series: Series = serde_json::from_value(text).unwrap();
            prop_assert_eq!(series.intervals().count(), lengths.len().min(rates.len()));
            prop_assert!(series.counted().len() <= series.intervals().count());
        }
    }
}

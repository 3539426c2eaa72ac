//! The figures of the intervals within a sample: rates, latencies, losses.

use serde::ser::SerializeSeq;
use serde::{Deserialize, Serialize, Serializer};

/// No sample has more intervals. A series of so many takes some 100 KB of the journal; a sample of the probe has up to eight.
pub const MOST_INTERVALS: u64 = 6_000;

/// The figures of a metric within a sample, interval by interval, as the journal has them: short, and without a gap in time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// The metric, by the journal's name.
    metric: String,
    /// Of rates, what one packet or transaction adds, in the unit of the metric without "a second".
    #[serde(default, skip_serializing_if = "is_zero")]
    step: u32,
    /// When the first interval begins, in milliseconds from the sample's start.
    #[serde(default, skip_serializing_if = "is_zero")]
    start_ms: u32,
    /// The length of each interval in milliseconds.
    lengths_ms: Vec<u32>,
    /// The figure of each in the unit of the metric; `None` where there is none, as for the latency while nothing is answered.
    #[serde(alias = "rates", serialize_with = "in_few_bytes")]
    values: Vec<Option<f64>>,
    /// The intervals whose rate is above the one of the link, by their indexes: what waited in a buffer before was
    /// counted in them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    over_link: Vec<u32>,
}

/// An interval of a sample that has a figure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// Seconds from the sample's start.
    pub start_s: f64,
    /// As `start_s`.
    pub end_s: f64,
    /// In the metric's unit.
    pub value: f64,
    /// It is a rate above the one of the link.
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
    /// A series from when the first interval begins, and the end and figure of each; times are in seconds from the sample's
    /// start. `step` is 0 for what is no rate. Leaves out an interval of no length, and what is beyond [`MOST_INTERVALS`]; a
    /// figure that is not a number, or below 0, is none. `None` without any figure.
    #[must_use]
    pub fn new(
        metric: &str,
        step: u32,
        begin_s: f64,
        intervals: impl IntoIterator<Item = (f64, Option<f64>)>,
    ) -> Option<Self> {
        let start_ms = whole(begin_s * 1e3).and_then(|ms| u32::try_from(ms).ok())?;
        let mut series = Self {
            metric: metric.to_owned(),
            step,
            start_ms,
            lengths_ms: Vec::new(),
            values: Vec::new(),
            over_link: Vec::new(),
        };
        let mut end_ms = u64::from(start_ms);
        for (end_s, value) in intervals {
            if series.values.len() as u64 == MOST_INTERVALS {
                break;
            }
            let ms = whole(end_s * 1e3);
            let length = ms.and_then(|ms| u32::try_from(ms.checked_sub(end_ms)?).ok());
            if let (Some(ms), Some(length)) = (ms, length)
                && length > 0
            {
                end_ms = ms;
                series.lengths_ms.push(length);
                series.values.push(value.and_then(rounded));
            }
        }
        let has_any = series.values.iter().any(Option::is_some);
        has_any.then_some(series)
    }

    /// The metric, by the journal's name.
    #[must_use]
    pub fn metric(&self) -> &str {
        &self.metric
    }

    /// What one packet or transaction adds; 0 for what is no rate.
    #[must_use]
    pub fn step(&self) -> u32 {
        self.step
    }

    /// When the last interval ends, in seconds from the sample's start.
    #[must_use]
    pub fn end_s(&self) -> f64 {
        let lengths = self.lengths_ms.iter().map(|length| u64::from(*length));
        (u64::from(self.start_ms) + lengths.sum::<u64>()) as f64 / 1e3
    }

    /// The intervals that have a figure, in the order of time.
    pub fn intervals(&self) -> impl Iterator<Item = Interval> {
        let mut over = self.over_link.iter().copied().peekable();
        let mut start_ms = u64::from(self.start_ms);
        let values = (0_u32..).zip(self.lengths_ms.iter().zip(&self.values));
        values.filter_map(move |(index, (length, value))| {
            let (begin_ms, end_ms) = (start_ms, start_ms + u64::from(*length));
            start_ms = end_ms;
            let is_over_link = over.next_if_eq(&index).is_some();
            Some(Interval {
                start_s: begin_ms as f64 / 1e3,
                end_s: end_ms as f64 / 1e3,
                value: (*value)?,
                is_over_link,
            })
        })
    }

    /// Marks the intervals whose rate is above the one of the link, in the metric's unit.
    pub fn mark_over_link(&mut self, rate: f64) {
        let values = (0_u32..).zip(&self.values);
        let over = values.filter(|(_, value)| value.is_some_and(|value| value > rate));
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

    /// The lowest figure of those that count.
    #[must_use]
    pub fn lowest(&self) -> Option<f64> {
        let values = self.counted().into_iter().map(|interval| interval.value);
        values.reduce(f64::min)
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

/// A finite figure that is not below 0, with as many digits as a share of the packets of an interval needs.
fn rounded(value: f64) -> Option<f64> {
    let steps = if value < 1e3 { 1e4 } else { 1.0 };
    let rounded = (value * steps).round() / steps;
    (value >= 0.0 && rounded.is_finite()).then_some(rounded)
}

/// Whole numbers without a point.
fn in_few_bytes<S: Serializer>(values: &[Option<f64>], serializer: S) -> Result<S::Ok, S::Error> {
    let mut list = serializer.serialize_seq(Some(values.len()))?;
    for value in values {
        match value.filter(|value| value.fract() == 0.0).and_then(whole) {
            Some(whole) => list.serialize_element(&whole)?,
            None => list.serialize_element(value)?,
        }
    }
    list.end()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn series(intervals: &[(f64, f64)]) -> Series {
        let intervals = intervals.iter().map(|(end, rate)| (*end, Some(*rate)));
        Series::new("throughput_bps", 1, 0.0, intervals).unwrap()
    }

    #[test]
    fn the_journal_has_lengths_and_rates() {
        let mut series = series(&[(0.1, 9e6), (0.2004, 11e6), (0.3, 4.4)]);
        let text = r#"{"metric":"throughput_bps","step":1,"lengths_ms":[100,100,100],"values":[9000000,11000000,4.4]}"#;
        assert_eq!(serde_json::to_string(&series).unwrap(), text);
        assert_eq!(serde_json::from_str::<Series>(text).unwrap(), series);
        series.mark_over_link(10e6);
        let text = serde_json::to_string(&series).unwrap();
        assert!(text.ends_with(r#""over_link":[1]}"#), "{text}");
        assert_eq!(serde_json::from_str::<Series>(&text).unwrap(), series);
    }

    #[test]
    fn an_interval_without_a_figure_has_its_time() {
        let intervals = [
            (0.1, Some(45.31)),
            (0.2, None),
            (0.3, Some(f64::NAN)),
            (0.4, Some(2e3 + 0.4)),
        ];
        let series = Series::new("latency_us.max", 0, 0.0, intervals).unwrap();
        let text = r#"{"metric":"latency_us.max","lengths_ms":[100,100,100,100],"values":[45.31,null,null,2000]}"#;
        assert_eq!(serde_json::to_string(&series).unwrap(), text);
        assert_eq!(serde_json::from_str::<Series>(text).unwrap(), series);
        let found: Vec<_> = series
            .intervals()
            .map(|one| (one.start_s, one.value))
            .collect();
        assert_eq!(found, [(0.0, 45.31), (0.3, 2e3)]);
        assert!((series.end_s() - 0.4).abs() < 1e-9);
        assert_eq!(Series::new("latency_us.max", 0, 0.0, [(0.1, None)]), None);
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

    /// Also what is none. Larger ones than a rate can be are not read back to the last digit.
    fn figure() -> impl Strategy<Value = f64> {
        let odd = prop::sample::select(vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0]);
        prop_oneof![4 => 0.0..1e13_f64, 2 => 0.0..2e3_f64, 1 => odd]
    }

    proptest! {
        #[test]
        fn any_intervals_give_a_series_without_gaps(
            intervals in prop::collection::vec((-1.0..100.0_f64, figure()), 0..50),
            link in 0.0..1e9_f64, start in 0_u32..9,
        ) {
            let start = f64::from(start);
            let intervals = intervals.into_iter().map(|(end, rate)| (end, Some(rate)));
            let Some(mut series) = Series::new("throughput_bps", 8, start, intervals) else {
                return Ok(());
            };
            series.mark_over_link(link);
            let text = serde_json::to_string(&series).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Series>(&text).unwrap(), &series);
            let mut end = start;
            for interval in series.intervals() {
                prop_assert!(interval.start_s >= end && interval.end_s > interval.start_s);
                prop_assert_eq!(interval.is_over_link, interval.value > link);
                end = interval.end_s;
            }
            prop_assert!(end <= series.end_s());
            for interval in series.counted() {
                prop_assert!(interval.value <= link);
                prop_assert!(series.lowest().unwrap() <= interval.value);
            }
        }

        /// A damaged journal has any figures.
        #[test]
        fn any_journal_is_read(lengths in prop::collection::vec(any::<u32>(), 0..9),
            values in prop::collection::vec(prop::option::of(any::<f64>()), 0..9), over in prop::collection::vec(any::<u32>(), 0..4)) {
            let text = serde_json::json!({"metric": "m", "step": 0, "lengths_ms": lengths, "values": values, "over_link": over});
            let series: Series = serde_json::from_value(text).unwrap();
            prop_assert!(series.intervals().count() <= lengths.len().min(values.len()));
            prop_assert!(series.counted().len() <= series.intervals().count());
        }
    }
}

//! Which samples of a cell its figures are of: all of them, or of a search the probes at the rate that
//! it has found.

use std::collections::BTreeMap;

use super::fold::{CellReport, CellState};
use crate::plan::Condition;
use crate::results::Sample;
use crate::schedule::Param;
use crate::schedule::search::Found;
use crate::statistics::Summary;
use crate::tools::name;

impl CellReport {
    /// Records what the cell's search has found, as a metric of the samples that count.
    pub(super) fn keep(&mut self, found: Found) {
        self.found = Some(found);
        for sample in &mut self.samples {
            if is_at(sample, found) && held(sample, self.condition.as_ref()) {
                let rate = found.rate_bps as f64;
                sample.metrics.set(name::FOUND_RATE_BPS, rate);
            }
        }
    }

    /// The samples that its figures and its warnings describe. The other probes of a search say what does
    /// not hold, or what is less.
    pub fn counted(&self) -> impl Iterator<Item = &Sample> {
        self.samples.iter().filter(|sample| {
            self.found
                .is_none_or(|found| is_at(sample, found) && held(sample, self.condition.as_ref()))
        })
    }

    /// How many probes at the rate that its search has found did not keep the condition.
    pub(super) fn misses(&self) -> usize {
        let Some(found) = self.found else {
            return 0;
        };
        let at_found = self.samples.iter().filter(|s| is_at(s, found));
        at_found.count() - self.counted().count()
    }

    /// A metric over the samples of a cell that was measured, if only in part. None for any other
    /// cell: what a failed cell measured before it failed does not count.
    #[must_use]
    pub fn measured(&self, metric: &str) -> Option<Summary> {
        self.summary_of(|sample| sample.metrics.get(metric))
    }

    /// As [`CellReport::measured`], of a value that is computed from each sample.
    pub(super) fn summary_of(&self, value: impl Fn(&Sample) -> Option<f64>) -> Option<Summary> {
        if !self.is_measured() {
            return None;
        }
        Summary::from_values(self.counted().filter_map(value))
    }

    /// Each metric of its samples as [`CellReport::measured`], sorted by name.
    pub(super) fn all_measured(&self) -> Vec<(&str, Summary)> {
        if !self.is_measured() {
            return Vec::new();
        }
        let mut samples = self.counted();
        let (first, second) = (samples.next(), samples.next());
        if let (Some(only), None) = (first, second) {
            // The usual cell of a large report.
            let figures = only.metrics.iter();
            return figures
                .filter_map(|(metric, value)| Some((metric, Summary::from_values([value])?)))
                .collect();
        }
        let mut values: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
        for (metric, value) in self.counted().flat_map(|sample| sample.metrics.iter()) {
            values.entry(metric).or_default().push(value);
        }
        let summaries = values.into_iter();
        summaries
            .filter_map(|(metric, values)| Some((metric, Summary::from_values(values)?)))
            .collect()
    }

    fn is_measured(&self) -> bool {
        matches!(self.state, CellState::Measured | CellState::Partial)
    }
}

/// Whether the sample is a probe at the rate that was found.
fn is_at(sample: &Sample, found: Found) -> bool {
    sample.params.get(Param::Rate) == Some(found.rate_bps)
}

/// Whether a probe kept the condition; what is not known does not hold.
fn held(probe: &Sample, condition: Option<&Condition>) -> bool {
    condition.is_none_or(|condition| {
        let value = probe.metrics.get(condition.metric.name());
        value.is_some_and(|value| condition.holds(value))
    })
}

//! The latest figures of each cell, in bounded memory.

use std::collections::VecDeque;

use indexmap::IndexMap;

use crate::diag::count;
use crate::output::sparkline;
use crate::plan::Plan;
use crate::results::EventKind;
use crate::schedule::CellId;
use crate::tools::{Headlines, Metrics};

/// A line shows so many samples.
const SHOWN: usize = 30;

/// The latest figures of each cell of a plan.
#[derive(Debug)]
pub(super) struct Rolling {
    headlines: Headlines,
    cells: IndexMap<CellId, Cell>,
}

#[derive(Debug, Default)]
struct Cell {
    /// The last samples; `None` for one that failed.
    last: VecDeque<Option<f64>>,
    measured: u64,
    failed: u64,
    low: Option<Extreme>,
    high: Option<Extreme>,
    /// The last sample's figure, or why there is none.
    text: String,
}

/// A sample's figure, and how it is written.
#[derive(Debug)]
struct Extreme {
    value: f64,
    text: String,
}

impl Rolling {
    /// Nothing measured yet, of these cells of a plan.
    pub fn new(plan: &Plan, cells: impl IntoIterator<Item = CellId>) -> Self {
        let cells = cells.into_iter().map(|cell| (cell, Cell::default()));
        Self {
            headlines: Headlines::for_plan(plan),
            cells: cells.collect(),
        }
    }

    /// Takes what happened, and returns the cell that it says something about.
    pub fn take(&mut self, event: &EventKind) -> Option<CellId> {
        match event {
            EventKind::Sample(sample) => self.measured(&sample.cell, &sample.metrics),
            EventKind::AttemptFailed { cell, failure, .. } => {
                let text = self.headlines.failure(cell.test(), failure);
                let of_cell = self.cells.get_mut(cell)?;
                of_cell.failed += 1;
                of_cell.push(None);
                of_cell.text = text;
                Some(cell.clone())
            }
            _ => None,
        }
    }

    fn measured(&mut self, cell: &CellId, metrics: &Metrics) -> Option<CellId> {
        let text = self.headlines.say(cell.test(), metrics);
        let value = self.headlines.value(cell.test(), metrics);
        let of_cell = self.cells.get_mut(cell)?;
        of_cell.measured += 1;
        of_cell.push(value);
        if let Some(value) = value {
            let new = || {
                Some(Extreme {
                    value,
                    text: text.clone(),
                })
            };
            if of_cell.low.as_ref().is_none_or(|low| value < low.value) {
                of_cell.low = new();
            }
            if of_cell.high.as_ref().is_none_or(|high| value > high.value) {
                of_cell.high = new();
            }
        }
        of_cell.text = text;
        Some(cell.clone())
    }

    /// The line of a cell: its last figure, the shape of the last ones, the lowest and the highest.
    pub fn line(&self, cell: &CellId) -> String {
        let width = self.cells.keys().map(|cell| cell.0.chars().count()).max();
        let Some(of_cell) = self.cells.get(cell) else {
            return String::new();
        };
        format!(
            "{:width$}  {}",
            cell.0,
            of_cell.say(),
            width = width.unwrap_or(0)
        )
    }

    /// The lines of all cells.
    pub fn lines(&self) -> Vec<String> {
        self.cells.keys().map(|cell| self.line(cell)).collect()
    }

    /// Whether any sample was measured or failed.
    pub fn has_any(&self) -> bool {
        self.cells
            .values()
            .any(|cell| cell.measured + cell.failed > 0)
    }
}

impl Cell {
    fn push(&mut self, value: Option<f64>) {
        if self.last.len() == SHOWN {
            self.last.pop_front();
        }
        self.last.push_back(value);
    }

    fn say(&self) -> String {
        if self.last.is_empty() {
            return "not measured yet".to_owned();
        }
        let last: Vec<Option<f64>> = self.last.iter().copied().collect();
        let mut parts = vec![self.text.clone(), sparkline::trend(&last)];
        if let (Some(low), Some(high)) = (&self.low, &self.high) {
            parts.push(format!("lowest {}, highest {}", low.text, high.text));
        }
        let samples = usize::try_from(self.measured).unwrap_or(usize::MAX);
        let mut samples = count(samples, "sample");
        if self.failed > 0 {
            samples = format!("{samples}, {} failed", self.failed);
        }
        parts.push(samples);
        parts.join("  ")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::diag::Source;
    use crate::results::Sample;
    use crate::tools::{Cause, Failure, name};

    fn rolling() -> (Rolling, CellId) {
        let text = "
version: 1
name: p
workers: { w1: {}, w2: {} }
paths: [{ name: a, from: w1, to: w2, via: pod_ip }]
tests: [{ name: rate, iperf3: }]
";
        let plan = crate::plan::load(Source::new("p", text), &[]).unwrap();
        let cell = CellId("rate/a".to_owned());
        (Rolling::new(&plan, [cell.clone()]), cell)
    }

    fn sample(cell: &CellId, bps: f64) -> EventKind {
        let mut metrics = Metrics::default();
        metrics.set(name::THROUGHPUT_BPS, bps);
        EventKind::Sample(Sample {
            metrics,
            ..Sample::example(cell)
        })
    }

    fn failed(cell: &CellId) -> EventKind {
        EventKind::AttemptFailed {
            cell: cell.clone(),
            sample: 1,
            attempt: 1,
            failure: Failure::new(Cause::Refused, "no"),
            raw: None,
            raw_cut_bytes: 0,
        }
    }

    #[test]
    fn a_line_has_the_last_figure_and_the_extremes() {
        let (mut rolling, cell) = rolling();
        assert_eq!(rolling.lines(), ["rate/a  not measured yet"]);
        assert!(!rolling.has_any());
        for bps in [9e8, 1e8, 5e8] {
            assert_eq!(rolling.take(&sample(&cell, bps)), Some(cell.clone()));
        }
        assert_eq!(
            rolling.line(&cell),
            "rate/a  500 Mbit/s  █▁▄  lowest 100 Mbit/s, highest 900 Mbit/s  3 samples"
        );
        rolling.take(&failed(&cell));
        let line = rolling.line(&cell);
        assert!(
            line.contains("█▁▄·") && line.ends_with("3 samples, 1 failed"),
            "{line}"
        );
        assert_eq!(rolling.take(&EventKind::RunEnded { cancelled: true }), None);
        assert_eq!(
            rolling.take(&sample(&CellId("other/a".to_owned()), 1.0)),
            None
        );
    }

    proptest! {
        #[test]
        fn memory_is_bounded_and_the_extremes_are_kept(
            values in prop::collection::vec(prop::option::of(1e3..1e10_f64), 1..200),
        ) {
            let (mut rolling, cell) = rolling();
            for value in &values {
                rolling.take(&value.map_or_else(|| failed(&cell), |value| sample(&cell, value)));
            }
            let of_cell = &rolling.cells[&cell];
            prop_assert!(of_cell.last.len() <= SHOWN);
            let known = values.iter().flatten().copied();
            prop_assert_eq!(of_cell.low.as_ref().map(|low| low.value), known.clone().reduce(f64::min));
            prop_assert_eq!(of_cell.high.as_ref().map(|high| high.value), known.clone().reduce(f64::max));
            prop_assert_eq!(of_cell.measured + of_cell.failed, values.len() as u64);
        }
    }
}

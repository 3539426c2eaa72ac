//! Latency with and without a load: cells of tests that differ in nothing but their loads.

use super::fold::{CellReport, Report};
use crate::plan::Test;
use crate::results::Sample;
use crate::statistics::{ALPHA, Difference, Interval};
use crate::tools::name;

/// A cell of a test with loads, beside the same cell without.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded<'a> {
    pub cell: &'a CellReport,
    /// The cell of the test that measures the same without a load, if the plan has one and it was measured.
    pub idle: Option<&'a CellReport>,
    /// What changed, by metric.
    pub figures: Vec<Change>,
    /// Round trips per minute, one after the other: the responsiveness of
    /// draft-ietf-ippm-responsiveness, from the mean latency. `None` where no latency was measured.
    pub round_trips_per_min: Option<f64>,
    pub idle_round_trips_per_min: Option<f64>,
    /// What arrived of all loads together, in bits a second.
    pub load_bps: Option<f64>,
}

/// A figure with and without the load.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// As the journal writes it.
    pub metric: String,
    pub loaded: f64,
    pub idle: Option<f64>,
    /// The 95 % interval of the difference, by Welch; `None` with fewer than two samples on a side.
    pub interval: Option<Interval>,
}

impl Change {
    /// What the load adds.
    #[must_use]
    pub fn difference(&self) -> Option<f64> {
        Some(self.loaded - self.idle?)
    }
}

/// The cells of all tests with loads that were measured.
#[must_use]
pub fn under_load(report: &Report) -> Vec<Loaded<'_>> {
    let by_test = report.cells_by_test();
    let tests = report.plan.tests.iter().zip(&by_test);
    let loaded = tests.filter(|(test, _)| !test.load.is_empty());
    let mut all = Vec::new();
    for (test, cells) in loaded {
        let tests = report.plan.tests.iter().zip(&by_test);
        let idle = tests.filter(|(idle, _)| measures_the_same(idle, test));
        let idle: Vec<&CellReport> = idle.flat_map(|(_, cells)| cells).copied().collect();
        for cell in cells.iter().copied().filter(|cell| is_measured(cell)) {
            let mut twins = idle.iter().copied().filter(|idle| is_measured(idle));
            let twin = twins.find(|idle| is_twin(report, idle, cell));
            all.push(loaded_cell(test, cell, twin));
        }
    }
    all
}

/// Whether a test measures without a load what the other one measures with one.
fn measures_the_same(idle: &Test, loaded: &Test) -> bool {
    idle.load.is_empty() && idle.tool == loaded.tool && idle.find == loaded.find
}

fn is_measured(cell: &CellReport) -> bool {
    !cell.all_measured().is_empty()
}

/// Whether two cells have the same path and parameters.
fn is_twin(report: &Report, a: &CellReport, b: &CellReport) -> bool {
    let path = |cell: &CellReport| report.schedule.rows.get(cell.row).map(|row| row.path);
    path(a) == path(b) && a.params == b.params
}

fn loaded_cell<'a>(test: &Test, cell: &'a CellReport, idle: Option<&'a CellReport>) -> Loaded<'a> {
    let headline = test.tool.headline();
    let latencies = [name::LATENCY_P50_US, name::LATENCY_P99_US];
    let mut metrics: Vec<&str> = latencies
        .into_iter()
        .filter(|metric| cell.measured(metric).is_some())
        .collect();
    if metrics.is_empty() {
        metrics.push(&headline);
    }
    let changes = metrics
        .into_iter()
        .filter_map(|metric| change(cell, idle, metric));
    Loaded {
        cell,
        idle,
        figures: changes.collect(),
        round_trips_per_min: round_trips_per_min(cell),
        idle_round_trips_per_min: idle.and_then(round_trips_per_min),
        load_bps: load_bps(cell),
    }
}

fn change(cell: &CellReport, idle: Option<&CellReport>, metric: &str) -> Option<Change> {
    let values = |cell: &CellReport| -> Vec<f64> {
        cell.counted()
            .filter_map(|sample| sample.metrics.get(metric))
            .collect()
    };
    let difference = idle.and_then(|idle| Difference::welch(&values(idle), &values(cell)));
    Some(Change {
        metric: metric.to_owned(),
        loaded: cell.measured(metric)?.mean,
        idle: idle.and_then(|idle| Some(idle.measured(metric)?.mean)),
        interval: difference.and_then(|difference| difference.interval(ALPHA)),
    })
}

fn round_trips_per_min(cell: &CellReport) -> Option<f64> {
    let mean_us = cell.measured(name::LATENCY_MEAN_US)?.mean;
    (mean_us > 0.0).then_some(60e6 / mean_us)
}

/// The mean over the samples of what all loads moved around each.
fn load_bps(cell: &CellReport) -> Option<f64> {
    let around = |sample: &Sample| -> f64 {
        let loads = cell.loads.iter().map(|load| &load.sample);
        let of_sample =
            loads.filter(|load| (load.sample, load.attempt) == (sample.sample, sample.attempt));
        of_sample
            .filter_map(|load| load.metrics.get(name::THROUGHPUT_BPS))
            .sum()
    };
    let moved: Vec<f64> = cell.counted().map(around).collect();
    (!moved.is_empty()).then(|| moved.iter().sum::<f64>() / moved.len() as f64)
}

//! The report in short, as a point of a history.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::json;

use super::baseline;
use super::fold::{CellReport, CellState, Report};
use crate::catalog::{self, Better};
use crate::plan::Test;
use crate::results::run_dir::fnv1a;
use crate::results::run_summary::{RunSummary, SeriesValue, VERSION};
use crate::results::{Configuration, MachineKey};

impl Report {
    /// One value for each test, path and metric that can get better or worse, and its ratio to the plain path. None
    /// of a report without events. `journal_bytes` is the length of the journal that the report was made from.
    #[must_use]
    pub fn run_summary(&self, journal_bytes: u64) -> Option<RunSummary> {
        let (started, _) = self.span?;
        let pairs = baseline::counterparts(&self.plan).into_iter();
        let plain_of: HashMap<usize, usize> = pairs.map(|it| (it.path, it.plain)).collect();
        let mut series = Vec::new();
        for (test, cells) in self.plan.tests.iter().zip(self.cells_by_test()) {
            let metrics = Metrics::new(test, &cells);
            let paths = self.cells_by_path(&cells);
            for (path, cells) in &paths {
                let setup = self.setup(test, *path, cells);
                let name = self.path_name(*path);
                series.extend(metrics.values(name, &setup, cells));
                let plain = plain_of.get(path).copied();
                let Some((plain, plain_cells)) = plain.and_then(|it| paths.get_key_value(&it))
                else {
                    continue;
                };
                let setup = hash(&(setup + &self.setup(test, *plain, plain_cells)));
                let names = [name, self.path_name(*plain)];
                series.extend(metrics.ratios(names, &setup, cells, plain_cells));
            }
        }
        Some(RunSummary {
            version: VERSION,
            run: self.run.clone(),
            plan: self.plan.name.clone(),
            started,
            journal_bytes,
            machine: MachineKey::from_environment(&self.environment),
            configuration: Configuration::from_environment(&self.environment),
            series,
        })
    }

    /// Cells of a test by the plan's index of their path.
    fn cells_by_path<'a>(&self, cells: &[&'a CellReport]) -> BTreeMap<usize, Vec<&'a CellReport>> {
        let mut paths: BTreeMap<usize, Vec<&CellReport>> = BTreeMap::new();
        for cell in cells {
            if let Some(row) = self.schedule.rows.get(cell.row) {
                paths.entry(row.path).or_default().push(cell);
            }
        }
        paths
    }

    fn path_name(&self, path: usize) -> &str {
        self.plan.paths.get(path).map_or("", |path| &path.name)
    }

    /// A hash of what a test measures on a path.
    fn setup(&self, test: &Test, path: usize, cells: &[&CellReport]) -> String {
        let path = self.plan.paths.get(path);
        let ends = path.map(|path| [&path.from, &path.to]);
        let placements = ends.map(|ends| ends.map(|worker| self.plan.workers.get(worker)));
        let params = cells.iter().map(|cell| {
            let params = cell.params.0.iter();
            let texts = params.map(|(param, value)| format!("{param}={}", param.plain(*value)));
            texts.collect::<Vec<_>>()
        });
        let mut setup = json!({
            "tool": self.plan.tool(test, path.map_or(0, |path| path.variant)),
            "duration": test.timing.duration,
            "warmup": test.timing.warmup,
            "ends": ends,
            "placements": placements,
            "via": path.map(|path| path.via),
            "cells": params.collect::<Vec<_>>(),
        });
        if let Some(family) = path.and_then(|path| path.family) {
            setup["family"] = json!(family);
        }
        hash(&setup.to_string())
    }
}

/// What the samples of a test measure, of what can get better or worse.
struct Metrics<'a> {
    test: &'a str,
    names: BTreeSet<&'a str>,
    headline: String,
}

impl<'a> Metrics<'a> {
    fn new(test: &'a Test, cells: &[&'a CellReport]) -> Metrics<'a> {
        let samples = cells.iter().flat_map(|cell| cell.counted());
        let names = samples.flat_map(|sample| sample.metrics.iter().map(|(metric, _)| metric));
        let names: BTreeSet<&str> = names
            .filter(|metric| catalog::better(metric) != Better::Neither)
            .collect();
        Metrics {
            test: &test.name,
            headline: test.tool.headline(),
            names,
        }
    }

    /// The metrics of a path.
    fn values(&self, path: &str, setup: &str, cells: &[&CellReport]) -> Vec<SeriesValue> {
        let values = |metric: &str| cells.iter().map(|cell| mean(cell, metric)).collect();
        self.series(path, None, setup, values)
    }

    /// The ratios of a path's cells to those with the same parameters on the plain path.
    fn ratios(
        &self,
        [path, plain_path]: [&str; 2],
        setup: &str,
        cells: &[&CellReport],
        plain: &[&CellReport],
    ) -> Vec<SeriesValue> {
        let plain: HashMap<_, _> = plain.iter().map(|cell| (&*cell.params.0, cell)).collect();
        let ratio = |cell: &CellReport, metric: &str| {
            let plain = plain.get(&*cell.params.0)?;
            let ratio = mean(cell, metric)? / mean(plain, metric)?;
            ratio.is_finite().then_some(ratio)
        };
        let ratios = |metric: &str| cells.iter().map(|cell| ratio(cell, metric)).collect();
        self.series(path, Some(plain_path), setup, ratios)
    }

    fn series(
        &self,
        path: &str,
        relative_to: Option<&str>,
        setup: &str,
        values: impl Fn(&str) -> Vec<Option<f64>>,
    ) -> Vec<SeriesValue> {
        let series = self.names.iter().filter_map(|metric| {
            let values = values(metric);
            let known: Vec<f64> = values.iter().flatten().copied().collect();
            if known.is_empty() {
                return None;
            }
            let average = |value: fn(f64) -> f64| {
                known.iter().map(|known| value(*known)).sum::<f64>() / known.len() as f64
            };
            Some(SeriesValue {
                test: self.test.to_owned(),
                path: path.to_owned(),
                relative_to: relative_to.map(str::to_owned),
                metric: (*metric).to_owned(),
                is_headline: self.headline == *metric,
                setup: setup.to_owned(),
                cells: values.len(),
                measured: known.len(),
                mean: average(|value| value),
                mean_log: Some(average(f64::ln)).filter(|log| log.is_finite()),
            })
        });
        series.collect()
    }
}

/// Of a cell that has all its samples.
fn mean(cell: &CellReport, metric: &str) -> Option<f64> {
    let is_measured = cell.state == CellState::Measured;
    let summary = cell.measured(metric).filter(|_| is_measured)?;
    Some(summary.mean)
}

fn hash(text: &str) -> String {
    format!("{:016x}", fnv1a(text.as_bytes()))
}

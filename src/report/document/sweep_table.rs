//! The tables of a test that sweeps a size: sizes down, paths across.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;

use super::notes::Notes;
use super::number_format::{Field, Scale, aligned};
use super::test_section::{
    Section, Writing, about, declared_metrics, field, mean, others, path_name, varying,
};
use crate::catalog::{KnownMetric, METRICS, Metric};
use crate::plan::{Test, ToolSpec};
use crate::report::fold::{CellReport, Report};
use crate::report::labels;
use crate::report::terminal::layout::{Column, Grid};
use crate::report::terminal::sparkline as spark;
use crate::schedule::Param;
use crate::statistics::Summary;
use crate::tools::name;

/// The shortest sweep whose shape says more than its figures.
const SPARK_FROM: usize = 4;

/// Sizes down, paths across; a grid for each combination of the other parameters.
pub fn swept(
    report: &Report,
    test: &Test,
    cells: &[&CellReport],
    sizes: &BTreeSet<u64>,
    notes: &mut Notes,
) -> Section {
    let metric = test.tool.headline();
    let means: Vec<f64> = cells
        .iter()
        .filter_map(|cell| report.headline(cell))
        .map(|figure| figure.summary.mean)
        .collect();
    let scale = Scale::headline(&metric, &means);
    let writing = Writing::of(scale, &metric, cells);
    let top = means.iter().copied().fold(0.0, f64::max);
    // Rows (one for each path and combination) by combination, in the schedule's order.
    let mut groups: IndexMap<String, IndexMap<usize, BySize<'_>>> = IndexMap::new();
    let varying = varying(cells);
    for cell in cells {
        let group = groups.entry(others(cell, &varying)).or_default();
        let row = group.entry(cell.row).or_default();
        row.extend(cell.params.size().map(|size| (size, *cell)));
    }
    let swept_is_mss = cells.iter().any(|c| c.params.get(Param::Mss).is_some());
    let mut grids = Vec::new();
    let mut sparks = Vec::new();
    for (others, rows) in &groups {
        let mut keys = vec![Column {
            name: if swept_is_mss { "asked" } else { "datagram" }.to_owned(),
            unit: if swept_is_mss { "MSS" } else { "bytes" }.to_owned(),
            words: false,
            fields: sizes.iter().map(u64::to_string).collect(),
        }];
        if swept_is_mss {
            keys.push(Column {
                name: "effective".to_owned(),
                unit: "MSS".to_owned(),
                words: false,
                fields: sizes.iter().map(|size| effective(rows, *size)).collect(),
            });
        }
        let across = Across {
            report,
            sizes,
            keys,
            rows,
        };
        grids.push(across.grid(others, |cell| field(report, test, cell, writing, notes)));
        for (beside, title, most) in beside(&test.tool, &metric) {
            let means: Vec<f64> = across
                .cells()
                .filter_map(|cell| mean(cell, &beside))
                .collect();
            if means.is_empty() {
                continue;
            }
            let scale = if labels::is_rate(&beside) {
                Scale::headline(&beside, &means)
            } else {
                Scale::of(&means, 1.0, most, labels::unit_of(&beside))
            };
            let unit = match scale.unit {
                "" => String::new(),
                unit => format!(", in {unit}"),
            };
            let caption = format!("{others} {title}{unit}").trim().to_owned();
            grids.push(across.grid(&caption, |cell| {
                mean(cell, &beside).map_or_else(Field::default, |mean| scale.write(mean).into())
            }));
        }
        for (row, by_size) in rows {
            let values: Vec<(u64, Option<f64>)> = by_size
                .iter()
                .map(|(size, cell)| (*size, report.headline(cell).map(|f| f.summary.mean)))
                .collect();
            if values.len() >= SPARK_FROM {
                let path = path_name(report, *row);
                let name = if groups.len() > 1 {
                    format!("{path} {others}")
                } else {
                    path.to_owned()
                };
                sparks.push((name, values));
            }
        }
    }
    let width = sparks.iter().map(|(name, _)| name.chars().count()).max();
    let width = width.unwrap_or(0);
    let sparks = sparks
        .into_iter()
        .map(|(name, values)| {
            let bars: Vec<Option<f64>> = values.iter().map(|(_, value)| *value).collect();
            let best = values
                .iter()
                .filter_map(|(size, value)| Some((*size, (*value)?)))
                .reduce(|best, next| if next.1 > best.1 { next } else { best });
            let best = best.map_or_else(String::new, |(size, value)| {
                format!("  max {} at {size}", scale.write(value))
            });
            format!("{name:width$}  {}{best}", spark::line(&bars, top))
        })
        .collect();
    Section {
        name: test.name.clone(),
        about: about(test, writing, cells),
        grids,
        sparks,
    }
}

/// The metrics that get a grid of their own beside that of the headline, with caption and most
/// decimals: the catalogue's, and what a declared tool yields besides.
fn beside(tool: &ToolSpec, headline: &str) -> Vec<(String, String, usize)> {
    let known = METRICS.iter().filter_map(|known| {
        let decimals = known.column.map_or(2, |column| column.decimals);
        let caption = known.sweep_caption?;
        Some((known.name.to_owned(), caption.to_owned(), decimals))
    });
    let has_grid = |metric: &Metric| {
        KnownMetric::from_name(metric.name()).is_some_and(|known| known.sweep_caption.is_some())
    };
    let own = declared_metrics(tool)
        .filter(|metric| !has_grid(metric))
        .map(|metric| (metric.name().to_owned(), labels::short(metric.name()), 2));
    let all = known.chain(own);
    all.filter(|(metric, ..)| metric != headline).collect()
}

/// The cells of a row by size.
type BySize<'a> = BTreeMap<u64, &'a CellReport>;

/// Some rows of a sweep, side by side.
struct Across<'a> {
    report: &'a Report,
    sizes: &'a BTreeSet<u64>,
    keys: Vec<Column>,
    /// By the row's index.
    rows: &'a IndexMap<usize, BySize<'a>>,
}

impl Across<'_> {
    /// Sizes down, paths across.
    fn grid(&self, caption: &str, mut field: impl FnMut(&CellReport) -> Field) -> Grid {
        let mut columns = self.keys.clone();
        columns.extend(self.rows.iter().map(|(row, by_size)| {
            let fields = self.sizes.iter().map(|size| {
                let cell = by_size.get(size);
                cell.map_or_else(Field::default, |cell| field(cell))
            });
            Column {
                name: path_name(self.report, *row).to_owned(),
                unit: String::new(),
                words: false,
                fields: aligned(&fields.collect::<Vec<_>>()),
            }
        }));
        Grid {
            caption: caption.to_owned(),
            columns,
            keys: self.keys.len(),
        }
    }

    fn cells(&self) -> impl Iterator<Item = &CellReport> {
        self.rows
            .iter()
            .flat_map(|(_, by_size)| by_size.values().copied())
    }
}

/// The effective MSS at a requested one: one figure, or the range over paths and samples.
fn effective(rows: &IndexMap<usize, BySize<'_>>, size: u64) -> String {
    let found = rows
        .values()
        .filter_map(|by_size| by_size.get(&size))
        .flat_map(|cell| &cell.samples)
        .filter_map(|sample| sample.metrics.get(name::EFFECTIVE_MSS));
    match Summary::of(found) {
        None => String::new(),
        Some(s) if s.min.to_bits() == s.max.to_bits() => format!("{:.0}", s.min),
        Some(s) => format!("{:.0}..{:.0}", s.min, s.max),
    }
}

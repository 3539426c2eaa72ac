//! What the tables say: a section for each test.

use std::collections::{BTreeMap, BTreeSet};

use super::fold::{CellReport, Report};
use super::grid::{Column, Grid};
use super::notes::Notes;
use super::scale::{Scale, aligned};
use super::{spark, words};
use crate::plan::Test;
use crate::results::Summary;
use crate::schedule::Param;
use crate::tools::name;

/// A test's part of the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// The test's name.
    pub name: String,
    /// What it did and in which unit the figures are.
    pub about: String,
    pub grids: Vec<Grid>,
    /// The shape of each path's sweep, a line each.
    pub sparks: Vec<String>,
}

/// The shortest sweep whose shape says more than its figures.
const SPARK_FROM: usize = 4;

/// A section for each test that has cells, in the plan's order.
pub fn of(report: &Report, notes: &mut Notes) -> Vec<Section> {
    let mut sections = Vec::new();
    for (at, test) in report.plan.tests.iter().enumerate() {
        let cells: Vec<&CellReport> = report
            .cells
            .iter()
            .filter(|cell| {
                report
                    .schedule
                    .rows
                    .get(cell.row)
                    .is_some_and(|row| row.test == at)
            })
            .collect();
        let sizes: BTreeSet<u64> = cells.iter().filter_map(|cell| cell.params.size()).collect();
        if cells.is_empty() {
            continue;
        }
        sections.push(if sizes.len() > 1 {
            swept(report, test, &cells, &sizes, notes)
        } else {
            single(report, test, &cells, notes)
        });
    }
    sections
}

/// What a test is about, and how its figures read.
fn about(test: &Test, scale: Scale, cells: &[&CellReport]) -> String {
    let figures = if words::is_rate(words::headline(&test.tool)) {
        format!("{} received", scale.unit)
    } else {
        format!("transactions {}, latency in µs", scale.unit)
    };
    let about = format!(
        "{}, samples of {}; {figures}",
        words::describe(&test.tool),
        test.timing.duration
    );
    let most = cells
        .iter()
        .map(|cell| cell.samples.len())
        .max()
        .unwrap_or(0);
    if most > 1 {
        format!("{about}, mean ± standard deviation of {most} samples")
    } else {
        about
    }
}

/// The cell's figure with the marks of its doubts, or the mark that says why there is none.
fn field(
    report: &Report,
    test: &Test,
    cell: &CellReport,
    scale: Scale,
    notes: &mut Notes,
) -> String {
    notes
        .mark(cell, words::tool_name(&test.tool))
        .or_else(|| {
            let figure = scale.spread(&report.headline(cell)?);
            Some(figure + &notes.doubts.marks(cell))
        })
        .unwrap_or_else(|| "?".to_owned())
}

/// Sizes down, paths across; a grid for each combination of the other parameters.
fn swept(
    report: &Report,
    test: &Test,
    cells: &[&CellReport],
    sizes: &BTreeSet<u64>,
    notes: &mut Notes,
) -> Section {
    let metric = words::headline(&test.tool);
    let means: Vec<f64> = cells
        .iter()
        .filter_map(|cell| report.headline(cell))
        .map(|summary| summary.mean)
        .collect();
    let scale = Scale::headline(metric, &means);
    let top = means.iter().copied().fold(0.0, f64::max);
    // Rows (one for each path and combination) by combination, in the schedule's order.
    let mut groups: Vec<(String, Vec<usize>)> = Vec::new();
    let varying = varying(cells);
    for cell in cells {
        let others = others(cell, &varying);
        let at = groups.iter().position(|(name, _)| *name == others);
        let at = at.unwrap_or_else(|| {
            groups.push((others, Vec::new()));
            groups.len() - 1
        });
        if let Some((_, rows)) = groups.get_mut(at)
            && !rows.contains(&cell.row)
        {
            rows.push(cell.row);
        }
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
                fields: sizes
                    .iter()
                    .map(|size| effective(cells, rows, *size))
                    .collect(),
            });
        }
        let across = Across {
            report,
            sizes,
            keys,
            rows: rows
                .iter()
                .map(|row| {
                    let of_row = cells.iter().filter(|cell| cell.row == *row);
                    let by_size = of_row.filter_map(|cell| Some((cell.params.size()?, *cell)));
                    (*row, by_size.collect())
                })
                .collect(),
        };
        grids.push(across.grid(others, |cell| field(report, test, cell, scale, notes)));
        for (metric, title, most) in BESIDE {
            let means: Vec<f64> = across
                .cells()
                .filter_map(|cell| mean(cell, metric))
                .collect();
            if means.is_empty() {
                continue;
            }
            let scale = Scale::of(&means, 1.0, most, "");
            let caption = format!("{others} {title}").trim().to_owned();
            grids.push(across.grid(&caption, |cell| {
                mean(cell, metric).map_or_else(String::new, |mean| scale.write(mean))
            }));
        }
        for (row, by_size) in &across.rows {
            let values: Vec<(u64, Option<f64>)> = by_size
                .iter()
                .map(|(size, cell)| (*size, report.headline(cell).map(|s| s.mean)))
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
        about: about(test, scale, cells),
        grids,
        sparks,
    }
}

/// The figures that get a grid of their own beside that of the headline: metric, caption, most
/// decimals. They are those of UDP, where the rate alone says little.
const BESIDE: [(&str, &str, usize); 2] = [
    (name::LOST_PERCENT, "lost, in %", 2),
    (name::JITTER_US, "jitter, in µs", 1),
];

/// Some rows of a sweep, side by side.
struct Across<'a> {
    report: &'a Report,
    sizes: &'a BTreeSet<u64>,
    keys: Vec<Column>,
    /// A row's index, and its cells by size.
    rows: Vec<(usize, BTreeMap<u64, &'a CellReport>)>,
}

impl Across<'_> {
    /// Sizes down, paths across.
    fn grid(&self, caption: &str, mut field: impl FnMut(&CellReport) -> String) -> Grid {
        let mut columns = self.keys.clone();
        columns.extend(self.rows.iter().map(|(row, by_size)| {
            let fields = self.sizes.iter().map(|size| {
                let cell = by_size.get(size);
                cell.map_or_else(String::new, |cell| field(cell))
            });
            Column {
                name: path_name(self.report, *row).to_owned(),
                unit: String::new(),
                words: false,
                fields: aligned(fields.collect()),
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

fn path_name(report: &Report, row: usize) -> &str {
    report.row(row).map_or("", |(.., path)| &path.name)
}

fn mean(cell: &CellReport, metric: &str) -> Option<f64> {
    Some(cell.measured(metric)?.mean)
}

/// What the headline metric is called above its column.
fn said(metric: &str) -> &'static str {
    if words::is_rate(metric) {
        "received"
    } else {
        "transactions"
    }
}

/// What tells a row from others of its path, of the parameters that vary: `streams=4`.
fn others(cell: &CellReport, varying: &BTreeSet<Param>) -> String {
    let others = cell
        .params
        .0
        .iter()
        .filter(|(param, _)| varying.contains(param));
    let others: Vec<String> = others
        .map(|(param, value)| format!("{param}={}", param.in_words(*value)))
        .collect();
    others.join(" ")
}

/// The parameters beside the size that do not have one value in all cells.
fn varying(cells: &[&CellReport]) -> BTreeSet<Param> {
    let mut seen: BTreeMap<Param, u64> = BTreeMap::new();
    let mut varying = BTreeSet::new();
    for (param, value) in cells.iter().flat_map(|cell| &cell.params.0) {
        if *seen.entry(*param).or_insert(*value) != *value {
            varying.insert(*param);
        }
    }
    varying.remove(&Param::Mss);
    varying.remove(&Param::Datagram);
    varying
}

/// The effective MSS at a requested one: one figure, or the range over paths and samples.
fn effective(cells: &[&CellReport], rows: &[usize], size: u64) -> String {
    let found = cells
        .iter()
        .filter(|cell| cell.params.size() == Some(size) && rows.contains(&cell.row))
        .flat_map(|cell| &cell.samples)
        .filter_map(|sample| sample.metrics.get(name::EFFECTIVE_MSS));
    match Summary::of(found) {
        None => String::new(),
        Some(s) if s.min.to_bits() == s.max.to_bits() => format!("{:.0}", s.min),
        Some(s) => format!("{:.0}..{:.0}", s.min, s.max),
    }
}

/// The columns of a table without a sweep, after the headline: metric, title, unit, most decimals.
const METRICS: [(&str, &str, &str, usize); 12] = [
    (name::LOST_PERCENT, "lost", "%", 2),
    (name::JITTER_US, "jitter", "µs", 1),
    (name::RETRANSMITS, "retrans", "", 0),
    (name::RTT_US, "RTT", "µs", 1),
    (name::LATENCY_MEAN_US, "mean", "µs", 1),
    (name::LATENCY_P50_US, "p50", "µs", 1),
    (name::LATENCY_P90_US, "p90", "µs", 1),
    (name::LATENCY_P99_US, "p99", "µs", 1),
    (name::LATENCY_MAX_US, "max", "µs", 0),
    (name::EFFECTIVE_MSS, "effective", "MSS", 0),
    (name::CPU_PERCENT_CLIENT, "client", "CPU %", 0),
    (name::CPU_PERCENT_SERVER, "server", "CPU %", 0),
];

/// Whether a figure of segments would only take room beside latencies.
fn is_aside(metric: &str, means: &[f64], cells: &[&CellReport]) -> bool {
    match metric {
        name::EFFECTIVE_MSS => cells.iter().all(|c| c.params.get(Param::Mss).is_none()),
        name::RETRANSMITS => means.iter().all(|mean| *mean == 0.0),
        _ => false,
    }
}

/// Paths down, metrics across.
fn single(report: &Report, test: &Test, cells: &[&CellReport], notes: &mut Notes) -> Section {
    let headline = words::headline(&test.tool);
    let means: Vec<f64> = cells
        .iter()
        .filter_map(|cell| report.headline(cell))
        .map(|summary| summary.mean)
        .collect();
    let scale = Scale::headline(headline, &means);
    let mut grid = Grid::default();
    grid.columns.push(Column {
        name: "path".to_owned(),
        unit: String::new(),
        words: true,
        fields: cells
            .iter()
            .map(|cell| path_name(report, cell.row).to_owned())
            .collect(),
    });
    let varying = varying(cells);
    if !varying.is_empty() {
        grid.columns.push(Column {
            name: "with".to_owned(),
            unit: String::new(),
            words: true,
            fields: cells.iter().map(|cell| others(cell, &varying)).collect(),
        });
    }
    grid.keys = grid.columns.len();
    grid.columns.push(Column {
        name: said(headline).to_owned(),
        unit: scale.unit.to_owned(),
        words: false,
        fields: aligned(
            cells
                .iter()
                .map(|cell| field(report, test, cell, scale, notes))
                .collect(),
        ),
    });
    for (metric, name, unit, most) in METRICS {
        let summaries: Vec<Option<Summary>> =
            cells.iter().map(|cell| cell.measured(metric)).collect();
        let means: Vec<f64> = summaries.iter().flatten().map(|s| s.mean).collect();
        if means.is_empty() || (!words::is_rate(headline) && is_aside(metric, &means, cells)) {
            continue;
        }
        let scale = Scale::of(&means, 1.0, most, "");
        grid.columns.push(Column {
            name: name.to_owned(),
            unit: unit.to_owned(),
            words: false,
            fields: summaries
                .iter()
                .map(|s| s.as_ref().map_or_else(String::new, |s| scale.write(s.mean)))
                .collect(),
        });
    }
    let mut about = about(test, scale, cells);
    if [name::CPU_PERCENT_CLIENT, name::CPU_PERCENT_SERVER]
        .iter()
        .any(|metric| cells.iter().any(|cell| mean(cell, metric).is_some()))
    {
        about = format!("{about}; {}", words::cpu_of(&test.tool));
    }
    Section {
        name: test.name.clone(),
        about,
        grids: vec![grid],
        sparks: Vec::new(),
    }
}

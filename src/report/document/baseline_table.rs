//! The table of baselines: each path in percent of its plain counterpart.

use std::collections::{BTreeSet, HashMap};

use indexmap::IndexMap;

use super::block::{Block, Cell, Column, Level, Meaning, Span, Table};
use super::headline::{others, path_name, varying};
use crate::plan::Test;
use crate::report::baseline::{self, Beside};
use crate::report::{CellReport, Report};
use crate::statistics::Summary;

/// Beside a ratio whose interval includes 100 %.
const ALIKE: &str = "≈";

/// The ratios of all tests; nothing when no cell has a measured counterpart.
pub fn blocks(report: &Report) -> Vec<Block> {
    let all = baseline::compare(report);
    let tables: Vec<Table> = report
        .plan
        .tests
        .iter()
        .enumerate()
        .flat_map(|(at, test)| {
            let of_test = all.iter().filter(|beside| {
                let row = report.schedule.rows.get(beside.cell.row);
                row.is_some_and(|row| row.test == at)
            });
            tables(report, test, &of_test.collect::<Vec<_>>())
        })
        .collect();
    if tables.is_empty() {
        return Vec::new();
    }
    let mut about = "each path's mean in % of its plain counterpart's".to_owned();
    about += if all.iter().any(|beside| beside.ratio.interval.is_some()) {
        " and its 95 % interval; ≈ where it holds 100, so that both may be alike"
    } else {
        "; single samples, so without an interval"
    };
    let heading = Block::Heading {
        level: Level::Section,
        title: "baselines".to_owned(),
    };
    let about = Block::paragraph(Meaning::Plain, about);
    let tables = tables.into_iter().map(Block::Table);
    [heading, about].into_iter().chain(tables).collect()
}

/// Sizes down and paths across, a table for each combination of the other parameters; without sizes,
/// or without intervals, paths down.
fn tables(report: &Report, test: &Test, all: &[&Beside<'_>]) -> Vec<Table> {
    let cells: Vec<&CellReport> = all.iter().map(|beside| beside.cell).collect();
    let sizes: BTreeSet<u64> = cells.iter().filter_map(|cell| cell.params.size()).collect();
    let varying = varying(&cells);
    if all.is_empty() {
        return Vec::new();
    }
    let has_interval = all.iter().any(|beside| beside.ratio.interval.is_some());
    if sizes.len() > 1 && !has_interval {
        return vec![summary(report, test, all)];
    }
    if sizes.len() < 2 {
        let pairs = all.iter().map(|beside| title(report, beside));
        let mut columns = vec![Column::words(&test.name, pairs)];
        if !varying.is_empty() {
            let with = cells.iter().map(|cell| others(cell, &varying));
            columns.push(Column::words("with", with));
        }
        let keys = columns.len();
        // In columns of their own, so that a narrow table can put them below each other.
        let shares = all.iter().map(|beside| percent(beside.ratio.value));
        columns.push(Column::figures("%", "", shares));
        if has_interval {
            let intervals = all.iter().map(|beside| Cell {
                marks: alike(beside),
                ..interval(beside).into()
            });
            columns.push(Column::figures("95 % interval", "", intervals));
        }
        return vec![Table {
            columns,
            keys,
            ..Table::default()
        }];
    }
    let mut groups: IndexMap<String, Vec<&Beside<'_>>> = IndexMap::new();
    for beside in all {
        let name = others(beside.cell, &varying);
        groups.entry(name).or_default().push(beside);
    }
    groups
        .into_iter()
        .map(|(others, group)| Table {
            caption: format!("{} {others}", test.name).trim().to_owned(),
            columns: across(report, &group),
            keys: 1,
            ..Table::default()
        })
        .collect()
}

/// A sweep of single samples: the median of each path's ratios, and how far they go.
fn summary(report: &Report, test: &Test, all: &[&Beside<'_>]) -> Table {
    let mut paths: IndexMap<String, Vec<f64>> = IndexMap::new();
    for beside in all {
        let percent = beside.ratio.value * 100.0;
        paths
            .entry(title(report, beside))
            .or_default()
            .push(percent);
    }
    let summaries: Vec<Option<Summary>> = paths
        .values()
        .map(|values| Summary::from_values(values.iter().copied()))
        .collect();
    let column = |name: &str, text: fn(&Summary) -> String| {
        let texts = summaries
            .iter()
            .map(|summary| summary.as_ref().map_or_else(String::new, text));
        Column::figures(name, "", texts)
    };
    Table {
        columns: vec![
            Column::words(&test.name, paths.keys().cloned()),
            column("cells", |s| s.count.to_string()),
            column("lowest", |s| format!("{:.1}", s.min)),
            column("median", |s| format!("{:.1}", s.median)),
            column("highest", |s| format!("{:.1}", s.max)),
        ],
        keys: 1,
        ..Table::default()
    }
}

/// A column of sizes, and one for each path.
fn across(report: &Report, group: &[&Beside<'_>]) -> Vec<Column> {
    let size = |beside: &Beside<'_>| beside.cell.params.size();
    let sizes: BTreeSet<u64> = group.iter().filter_map(|beside| size(beside)).collect();
    let mut columns = vec![Column::figures(
        "size",
        "bytes",
        sizes.iter().map(u64::to_string),
    )];
    let mut rows: IndexMap<usize, HashMap<Option<u64>, &Beside<'_>>> = IndexMap::new();
    for beside in group {
        let by_size = rows.entry(beside.cell.row).or_default();
        by_size.entry(size(beside)).or_insert(beside);
    }
    columns.extend(rows.iter().map(|(row, by_size)| {
        let ratios = sizes.iter().map(|at| {
            let here = by_size.get(&Some(*at));
            here.map_or_else(Cell::default, |beside| ratio(beside))
        });
        let plain = by_size.values().next();
        let plain = plain.map_or("", |beside| path_name(report, beside.plain.row));
        Column::figures(path_name(report, *row), &format!("/ {plain}"), ratios)
    }));
    columns
}

/// `remote-service / remote-pod`.
fn title(report: &Report, beside: &Beside<'_>) -> String {
    let name = |cell: &CellReport| path_name(report, cell.row).to_owned();
    format!("{} / {}", name(beside.cell), name(beside.plain))
}

fn ratio(beside: &Beside<'_>) -> Cell {
    let spread = match interval(beside) {
        none if none.is_empty() => none,
        interval => format!("({interval})"),
    };
    Cell {
        spread,
        marks: alike(beside),
        ..percent(beside.ratio.value).into()
    }
}

/// Not as ±: the interval is one of logarithms, so its ends are not equally far from the ratio.
fn interval(beside: &Beside<'_>) -> String {
    beside.ratio.interval.map_or_else(String::new, |interval| {
        format!("{}..{}", percent(interval.low), percent(interval.high))
    })
}

fn alike(beside: &Beside<'_>) -> Vec<Span> {
    let alike = beside.may_be_alike() == Some(true);
    alike.then(|| Span::plain(ALIKE)).into_iter().collect()
}

fn percent(share: f64) -> String {
    format!("{:.1}", share * 100.0)
}

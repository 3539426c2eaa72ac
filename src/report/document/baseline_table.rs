//! The table of baselines: each path in percent of its plain counterpart.

use std::collections::{BTreeSet, HashMap};

use indexmap::IndexMap;

use super::number_format::{Field, aligned};
use super::test_section::{Section, others, path_name, varying};
use crate::plan::Test;
use crate::report::baseline::{self, Beside};
use crate::report::fold::{CellReport, Report};
use crate::report::terminal::layout::{Column, Grid};
use crate::statistics::Summary;

/// Beside a ratio whose interval holds 100 %.
const ALIKE: &str = "≈";

/// All tests' ratios; None when no cell has a measured counterpart.
pub fn of(report: &Report) -> Option<Section> {
    let all = baseline::compare(report);
    let grids: Vec<Grid> = report
        .plan
        .tests
        .iter()
        .enumerate()
        .flat_map(|(at, test)| {
            let of_test = all.iter().filter(|beside| {
                let row = report.schedule.rows.get(beside.cell.row);
                row.is_some_and(|row| row.test == at)
            });
            of_test_grids(report, test, &of_test.collect::<Vec<_>>())
        })
        .collect();
    if grids.is_empty() {
        return None;
    }
    let mut about = "each path's mean in % of its plain counterpart's".to_owned();
    about += if all.iter().any(|beside| beside.ratio.interval.is_some()) {
        " and its 95 % interval; ≈ where it holds 100, so that both may be alike"
    } else {
        "; single samples, so without an interval"
    };
    Some(Section {
        name: "baselines".to_owned(),
        about,
        grids,
        sparks: Vec::new(),
    })
}

/// Sizes down and paths across, a grid for each combination of the other parameters; without sizes,
/// or without intervals, paths down.
fn of_test_grids(report: &Report, test: &Test, all: &[&Beside<'_>]) -> Vec<Grid> {
    let cells: Vec<&CellReport> = all.iter().map(|beside| beside.cell).collect();
    let sizes: BTreeSet<u64> = cells.iter().filter_map(|cell| cell.params.size()).collect();
    let varying = varying(&cells);
    if all.is_empty() {
        return Vec::new();
    }
    let sure = all.iter().any(|beside| beside.ratio.interval.is_some());
    if sizes.len() > 1 && !sure {
        return vec![summary(report, test, all)];
    }
    if sizes.len() < 2 {
        let column = |name: &str, fields: Vec<String>| Column {
            name: name.to_owned(),
            unit: String::new(),
            words: true,
            fields,
        };
        let pairs = all.iter().map(|beside| title(report, beside)).collect();
        let mut columns = vec![column(&test.name, pairs)];
        if !varying.is_empty() {
            let with = cells.iter().map(|cell| others(cell, &varying));
            columns.push(column("with", with.collect()));
        }
        let keys = columns.len();
        // Of their own, so that a narrow table may put them below each other.
        let figures = |name: &str, part: fn(Field) -> Field| Column {
            words: false,
            ..column(
                name,
                aligned(&all.iter().map(|b| part(field(b))).collect::<Vec<_>>()),
            )
        };
        columns.push(figures("%", |field| field.mean.into()));
        if sure {
            columns.push(figures("95 % interval", |field| Field {
                mean: field.spread,
                marks: field.marks,
                ..Field::default()
            }));
        }
        return vec![Grid {
            caption: String::new(),
            columns,
            keys,
        }];
    }
    let mut groups: IndexMap<String, Vec<&Beside<'_>>> = IndexMap::new();
    for beside in all {
        let name = others(beside.cell, &varying);
        groups.entry(name).or_default().push(beside);
    }
    groups
        .into_iter()
        .map(|(others, group)| Grid {
            caption: format!("{} {others}", test.name).trim().to_owned(),
            columns: across(report, &group),
            keys: 1,
        })
        .collect()
}

/// A sweep of single samples: the median of each path's ratios, and how far they go.
fn summary(report: &Report, test: &Test, all: &[&Beside<'_>]) -> Grid {
    let mut paths: Vec<(String, Vec<f64>)> = Vec::new();
    for beside in all {
        let name = title(report, beside);
        let percent = beside.ratio.value * 100.0;
        match paths.iter_mut().find(|(other, _)| *other == name) {
            Some((_, values)) => values.push(percent),
            None => paths.push((name, vec![percent])),
        }
    }
    let summaries: Vec<Option<Summary>> = paths
        .iter()
        .map(|(_, values)| Summary::of(values.iter().copied()))
        .collect();
    let column = |name: &str, value: fn(&Summary) -> String| Column {
        name: name.to_owned(),
        unit: String::new(),
        words: false,
        fields: summaries
            .iter()
            .map(|s| s.as_ref().map_or_else(String::new, value))
            .collect(),
    };
    Grid {
        caption: String::new(),
        columns: vec![
            Column {
                words: true,
                fields: paths.iter().map(|(name, _)| name.clone()).collect(),
                ..column(&test.name, |_| String::new())
            },
            column("cells", |s| s.count.to_string()),
            column("lowest", |s| format!("{:.1}", s.min)),
            column("median", |s| format!("{:.1}", s.median)),
            column("highest", |s| format!("{:.1}", s.max)),
        ],
        keys: 1,
    }
}

/// A column of sizes, and one for each path.
fn across(report: &Report, group: &[&Beside<'_>]) -> Vec<Column> {
    let size = |beside: &Beside<'_>| beside.cell.params.size();
    let sizes: BTreeSet<u64> = group.iter().filter_map(|beside| size(beside)).collect();
    let mut columns = vec![Column {
        name: "size".to_owned(),
        unit: "bytes".to_owned(),
        words: false,
        fields: sizes.iter().map(u64::to_string).collect(),
    }];
    let mut rows: IndexMap<usize, HashMap<Option<u64>, &Beside<'_>>> = IndexMap::new();
    for beside in group {
        let by_size = rows.entry(beside.cell.row).or_default();
        by_size.entry(size(beside)).or_insert(beside);
    }
    columns.extend(rows.iter().map(|(row, by_size)| {
        let fields = sizes.iter().map(|at| {
            let here = by_size.get(&Some(*at));
            here.map_or_else(Field::default, |beside| {
                let field = field(beside);
                let spread = match &*field.spread {
                    "" => String::new(),
                    spread => format!("({spread})"),
                };
                Field { spread, ..field }
            })
        });
        let plain = by_size.values().next();
        let plain = plain.map_or("", |beside| path_name(report, beside.plain.row));
        Column {
            name: path_name(report, *row).to_owned(),
            unit: format!("/ {plain}"),
            words: false,
            fields: aligned(&fields.collect::<Vec<_>>()),
        }
    }));
    columns
}

/// `remote-service / remote-pod`.
fn title(report: &Report, beside: &Beside<'_>) -> String {
    let name = |cell: &CellReport| path_name(report, cell.row).to_owned();
    format!("{} / {}", name(beside.cell), name(beside.plain))
}

fn field(beside: &Beside<'_>) -> Field {
    let ratio = beside.ratio;
    let percent = |share: f64| format!("{:.1}", share * 100.0);
    Field {
        mean: percent(ratio.value),
        // Not as ±: the interval is one of logarithms, so its ends lie unequally far.
        spread: ratio.interval.map_or_else(String::new, |interval| {
            format!("{}..{}", percent(interval.low), percent(interval.high))
        }),
        count: String::new(),
        marks: match beside.may_be_alike() {
            Some(true) => ALIKE.to_owned(),
            _ => String::new(),
        },
    }
}

//! The table of latency under load: each cell with its loads beside the same one without.

use super::block::{Block, Column, Level, Meaning, Table};
use super::headline::{others, path_name, varying};
use super::number_format::NumberFormat;
use crate::report::under_load::{Change, Loaded, under_load};
use crate::report::{CellReport, Report, labels};

/// The tables of all tests with loads; nothing when no such test was measured.
pub fn blocks(report: &Report) -> Vec<Block> {
    let all = under_load(report);
    if all.is_empty() {
        return Vec::new();
    }
    let heading = Block::Heading {
        level: Level::Section,
        title: "under load".to_owned(),
    };
    let mut about = "figures with the load and without, their difference".to_owned();
    let has_interval = all
        .iter()
        .flat_map(|loaded| &loaded.figures)
        .any(|figure| figure.interval.is_some());
    about += if has_interval {
        " with its 95 % interval"
    } else {
        "; single samples, so without an interval"
    };
    if all
        .iter()
        .any(|loaded| loaded.round_trips_per_min.is_some())
    {
        about += "; RPM: round trips a minute, one after the other";
    }
    if all.iter().any(|loaded| loaded.idle.is_none()) {
        about += "; cells without a test of the same tool and options without a load have no idle figure";
    }
    let tests = report.plan.tests.iter().enumerate();
    let tables = tests.filter_map(|(at, test)| {
        let of_test = |loaded: &&Loaded<'_>| {
            let row = report.schedule.rows.get(loaded.cell.row);
            row.is_some_and(|row| row.test == at)
        };
        let of_test: Vec<&Loaded<'_>> = all.iter().filter(of_test).collect();
        (!of_test.is_empty()).then(|| Block::Table(table(report, &test.name, &of_test)))
    });
    let about = Block::paragraph(Meaning::Plain, about);
    [heading, about].into_iter().chain(tables).collect()
}

fn table(report: &Report, test: &str, all: &[&Loaded<'_>]) -> Table {
    let cells: Vec<&CellReport> = all.iter().map(|loaded| loaded.cell).collect();
    let varying = varying(&cells);
    let paths = cells
        .iter()
        .map(|cell| path_name(report, cell.row).to_owned());
    let mut columns = vec![Column::words(test, paths)];
    if !varying.is_empty() {
        let with = cells.iter().map(|cell| others(cell, &varying));
        columns.push(Column::words("with", with));
    }
    let keys = columns.len();
    let mut metrics: Vec<&str> = Vec::new();
    for figure in all.iter().flat_map(|loaded| &loaded.figures) {
        if !metrics.contains(&figure.metric.as_str()) {
            metrics.push(&figure.metric);
        }
    }
    for metric in metrics {
        let figures: Vec<Option<&Change>> = all
            .iter()
            .map(|loaded| loaded.figures.iter().find(|figure| figure.metric == metric))
            .collect();
        let values = figures
            .iter()
            .flatten()
            .flat_map(|figure| [Some(figure.loaded), figure.idle]);
        let number = NumberFormat::headline(metric, &values.flatten().collect::<Vec<_>>());
        let written =
            |value: Option<f64>| value.map_or_else(String::new, |value| number.write(value));
        let short = labels::short(metric);
        let short = short.rsplit(' ').next().unwrap_or_default().to_owned();
        let column = |what: &str, text: Vec<String>| {
            Column::figures(&format!("{short} {what}"), number.unit, text)
        };
        let idle = figures
            .iter()
            .map(|figure| written(figure.and_then(|figure| figure.idle)));
        columns.push(column("idle", idle.collect()));
        let loaded = figures
            .iter()
            .map(|figure| written(figure.map(|figure| figure.loaded)));
        columns.push(column("loaded", loaded.collect()));
        let difference = figures.iter().map(|figure| {
            let Some(difference) = figure.and_then(Change::difference) else {
                return String::new();
            };
            match figure.and_then(|figure| figure.interval) {
                Some(interval) => format!(
                    "{} ± {}",
                    number.write(difference),
                    number.write(interval.half())
                ),
                None => number.write(difference),
            }
        });
        columns.push(column("added", difference.collect()));
    }
    let whole = |value: Option<f64>| value.map_or_else(String::new, |value| format!("{value:.0}"));
    if all
        .iter()
        .any(|loaded| loaded.round_trips_per_min.is_some())
    {
        let idle = all
            .iter()
            .map(|loaded| whole(loaded.idle_round_trips_per_min));
        columns.push(Column::figures("RPM", "idle", idle));
        let loaded = all.iter().map(|loaded| whole(loaded.round_trips_per_min));
        columns.push(Column::figures("RPM", "loaded", loaded));
    }
    let rates: Vec<f64> = all.iter().filter_map(|loaded| loaded.load_bps).collect();
    let number = NumberFormat::headline(crate::tools::name::THROUGHPUT_BPS, &rates);
    let loads = all.iter().map(|loaded| {
        loaded
            .load_bps
            .map_or_else(String::new, |bps| number.write(bps))
    });
    columns.push(Column::figures("load", number.unit, loads));
    Table {
        columns,
        keys,
        ..Table::default()
    }
}

//! Tables of series.

use indexmap::IndexMap;

use super::names::{path_title, share, sign};
use crate::history::change::JudgedSeries;
use crate::history::judge::JudgedTimeline;
use crate::history::series::{Series, SeriesName};
use crate::report::document::number_format::NumberFormat;
use crate::report::document::{Block, Cell, Column, Span, Table};
use crate::report::labels;

/// So many of the last values are drawn.
const DRAWN: usize = 20;

/// A table for each plan, test and metric.
pub fn tables(judged: &JudgedTimeline, series: &[(&Series, &JudgedSeries)]) -> Vec<Block> {
    let mut groups: IndexMap<String, Vec<(&Series, &JudgedSeries)>> = IndexMap::new();
    for (series, found) in series {
        let group = groups.entry(caption(judged, &series.name)).or_default();
        group.push((*series, *found));
    }
    let tables = groups.into_iter();
    tables
        .map(|(caption, group)| Block::Table(table(judged, caption, &group)))
        .collect()
}

/// `iperf3-tcp throughput`, after the plan where there are several.
fn caption(judged: &JudgedTimeline, name: &SeriesName) -> String {
    let mut plans = judged.timeline.runs.iter().map(|run| &run.plan);
    let has_plans = plans.any(|plan| *plan != name.plan);
    let plan = if has_plans {
        format!("{}: ", name.plan)
    } else {
        String::new()
    };
    format!("{plan}{} {}", name.test, labels::short(&name.metric))
}

fn table(judged: &JudgedTimeline, caption: String, series: &[(&Series, &JudgedSeries)]) -> Table {
    let paths = series.iter().map(|(series, _)| path_title(&series.name));
    let trends = series.iter().map(|(series, _)| {
        let drawn = series.points.len().saturating_sub(DRAWN);
        let values = series.points.iter().skip(drawn);
        Cell {
            trend: values.map(|it| Some(it.log.exp())).collect(),
            ..Cell::default()
        }
    });
    let now = series
        .iter()
        .map(|(series, judged)| level(&series.name, judged.now));
    let mut columns = vec![
        Column::words("path", paths),
        Column {
            name: "last runs".to_owned(),
            cells: trends.collect(),
            ..Column::default()
        },
        Column::figures("now", "", now),
    ];
    if series.iter().any(|(_, judged)| !judged.changes.is_empty()) {
        let last = || series.iter().map(|(_, judged)| judged.changes.last());
        let changes = last().map(|change| {
            change.map_or_else(Cell::default, |change| {
                let (sign, meaning) = sign(change.direction, change.status);
                Cell {
                    marks: vec![Span::new(meaning, format!(" {sign}"))],
                    ..share(change).into()
                }
            })
        });
        columns.push(Column::figures("change", "", changes));
        let since = last().map(|change| {
            let run = change.and_then(|change| judged.timeline.runs.get(change.run));
            run.map_or_else(String::new, |run| run.id.clone())
        });
        columns.push(Column::words("since run", since));
    }
    Table {
        caption,
        columns,
        keys: 1,
        ..Table::default()
    }
}

/// A level, from the mean of its logarithms, with its unit.
fn level(name: &SeriesName, log: f64) -> String {
    let value = log.exp();
    if name.relative_to.is_some() {
        return format!("{:.1} %", value * 100.0);
    }
    let format = NumberFormat::headline(&name.metric, &[value]);
    format!("{} {}", format.write(value), format.unit)
}

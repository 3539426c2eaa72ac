//! Figures with and without a load, as JSON.

use serde::Serialize;

use crate::report::Report;
use crate::report::under_load::under_load;
use crate::statistics::Interval;

/// A cell of a test with loads.
#[derive(Serialize)]
pub struct Row {
    cell: String,
    /// The same cell without a load; null when the plan has none, or it was not measured.
    idle_cell: Option<String>,
    figures: Vec<Figure>,
    round_trips_per_min: Option<f64>,
    idle_round_trips_per_min: Option<f64>,
    load_bps: Option<f64>,
}

#[derive(Serialize)]
struct Figure {
    metric: String,
    loaded: f64,
    idle: Option<f64>,
    difference: Option<f64>,
    /// The 95 % interval of the difference; null with fewer than two samples on a side.
    interval: Option<Interval>,
}

pub fn rows(report: &Report) -> Vec<Row> {
    let all = under_load(report).into_iter();
    all.map(|loaded| Row {
        cell: loaded.cell.id.0.clone(),
        idle_cell: loaded.idle.map(|idle| idle.id.0.clone()),
        round_trips_per_min: loaded.round_trips_per_min,
        idle_round_trips_per_min: loaded.idle_round_trips_per_min,
        load_bps: loaded.load_bps,
        figures: loaded
            .figures
            .into_iter()
            .map(|figure| Figure {
                difference: figure.difference(),
                metric: figure.metric,
                loaded: figure.loaded,
                idle: figure.idle,
                interval: figure.interval,
            })
            .collect(),
    })
    .collect()
}

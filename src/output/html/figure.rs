//! A chart on the page.

use serde::Serialize;

use super::chart_data;
use super::error::HtmlError;
use crate::output::svg::{Look, MOST_ROWS, MOST_SERIES, Size, dot_plot, line_chart, swatch};
use crate::report::document::{Chart, DotPlot};

/// What the template makes a figure of.
#[derive(Debug, Serialize)]
pub struct Figure {
    id: String,
    kind: &'static str,
    caption: String,
    /// What a screen reader calls the chart.
    label: String,
    finding: String,
    /// How to read the chart.
    note: String,
    legend: Vec<LegendEntry>,
    /// SVG.
    wide: String,
    narrow: String,
    /// JSON.
    data: String,
}

/// Of a chart that shows no interval.
const SINGLE: &str = "Single samples, so without intervals.";

#[derive(Debug, Serialize)]
struct LegendEntry {
    name: String,
    /// SVG.
    swatch: String,
}

impl Figure {
    /// `number` is that of no other figure.
    pub fn from_lines(chart: &Chart, number: usize) -> Result<Figure, HtmlError> {
        let id = format!("chart-{number}");
        let mut notes = Vec::new();
        let points = || chart.series.iter().flat_map(|series| &series.points);
        if points().any(|point| point.interval.is_some()) {
            notes.push("Shaded: 95 % intervals of the means.".to_owned());
        } else {
            notes.push(SINGLE.to_owned());
        }
        if points().any(|point| point.y.is_none()) {
            notes.push("A cross on the axis is a cell without a value.".to_owned());
        }
        if chart.series.len() > MOST_SERIES {
            let all = chart.series.len();
            notes.push(format!(
                "The chart has the first {MOST_SERIES} of {all} lines; the tables have all."
            ));
        }
        let legend = chart
            .series
            .iter()
            .take(MOST_SERIES)
            .map(|series| LegendEntry {
                name: series.name.clone(),
                swatch: swatch(Look::new(series.look)),
            });
        Ok(Figure {
            kind: "lines",
            caption: chart.caption.clone(),
            label: format!(
                "{} by {}",
                name(&chart.caption, &chart.y.name),
                chart.x.name
            ),
            finding: chart.finding.clone(),
            note: notes.join(" "),
            legend: legend.collect(),
            wide: line_chart(chart, Size::Wide, &id),
            narrow: line_chart(chart, Size::Narrow, &id),
            data: chart_data::of_lines(chart)?,
            id,
        })
    }

    /// `number` is that of no other figure.
    pub fn from_dots(plot: &DotPlot, number: usize) -> Result<Figure, HtmlError> {
        let mut notes = Vec::new();
        if plot
            .rows
            .iter()
            .flat_map(|row| &row.dots)
            .any(|dot| dot.interval.is_some())
        {
            notes.push("Bars: 95 % intervals.".to_owned());
        } else {
            notes.push(SINGLE.to_owned());
        }
        if plot.rows.len() > MOST_ROWS {
            let all = plot.rows.len();
            notes.push(format!(
                "The chart has the first {MOST_ROWS} of {all} rows; the tables have all."
            ));
        }
        Ok(Figure {
            id: format!("chart-{number}"),
            kind: "dots",
            caption: plot.caption.clone(),
            label: name(&plot.caption, &plot.x.name).to_owned(),
            finding: plot.finding.clone(),
            note: notes.join(" "),
            legend: Vec::new(),
            wide: dot_plot(plot, Size::Wide),
            narrow: dot_plot(plot, Size::Narrow),
            data: chart_data::of_dots(plot)?,
        })
    }
}

fn name<'a>(caption: &'a str, axis: &'a str) -> &'a str {
    if caption.is_empty() { axis } else { caption }
}

//! A chart on the page.

use serde::Serialize;

use super::chart_data;
use super::error::HtmlError;
use crate::diag::printable;
use crate::output::svg::{Look, MOST_ROWS, MOST_SERIES, Size, dot_plot, line_chart, swatch};
use crate::report::document::{Bands, Chart, DotPlot};

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
        let points = || chart.series.iter().flat_map(|series| &series.points);
        let intervals = if points().any(|point| point.interval.is_some()) {
            match chart.bands {
                Bands::Confidence => "Shaded: 95 % intervals of the means.",
                Bands::Range => {
                    "Lines: medians of the samples. Shaded: from the lowest sample to the highest."
                }
            }
        } else {
            SINGLE
        };
        let missing = points()
            .any(|point| point.y.is_none())
            .then_some(match chart.bands {
                Bands::Confidence => "A cross on the axis is a cell without a value.",
                Bands::Range => "A cross on the axis is an interval without a value.",
            });
        let legend = chart
            .series
            .iter()
            .take(MOST_SERIES)
            .map(|series| LegendEntry {
                name: printable::line(&series.name).into_owned(),
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
            note: note(
                intervals,
                missing,
                (MOST_SERIES, chart.series.len(), "lines"),
            ),
            legend: legend.collect(),
            wide: line_chart(chart, Size::Wide, &id),
            narrow: line_chart(chart, Size::Narrow, &id),
            data: chart_data::of_lines(chart)?,
            id,
        })
    }

    /// `number` is that of no other figure.
    pub fn from_dots(plot: &DotPlot, number: usize) -> Result<Figure, HtmlError> {
        let mut dots = plot.rows.iter().flat_map(|row| &row.dots);
        let intervals = if dots.any(|dot| dot.interval.is_some()) {
            "Bars: 95 % intervals."
        } else {
            SINGLE
        };
        Ok(Figure {
            id: format!("chart-{number}"),
            kind: "dots",
            caption: plot.caption.clone(),
            label: name(&plot.caption, &plot.x.name).to_owned(),
            finding: plot.finding.clone(),
            note: note(intervals, None, (MOST_ROWS, plot.rows.len(), "rows")),
            legend: Vec::new(),
            wide: dot_plot(plot, Size::Wide),
            narrow: dot_plot(plot, Size::Narrow),
            data: chart_data::of_dots(plot)?,
        })
    }
}

/// How to read a chart: its intervals, what is missing, and how many of its lines or rows it draws.
fn note(intervals: &str, missing: Option<&str>, (most, all, what): (usize, usize, &str)) -> String {
    let left_out = (all > most)
        .then(|| format!("The chart has the first {most} of {all} {what}; the tables have all."));
    let notes = [Some(intervals), missing, left_out.as_deref()];
    notes.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn name<'a>(caption: &'a str, axis: &'a str) -> &'a str {
    if caption.is_empty() { axis } else { caption }
}

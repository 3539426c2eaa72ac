//! A chart of dots, a row for each thing.

use super::canvas::{Canvas, Frame, Size, px, shortened, text_width};
use super::line_chart::{begin, x_axis};
use super::look::Look;
use super::scale::{Scale, axis_end, format_value};
use crate::output::markup::escape_line;
use crate::report::document::{Dot, DotPlot, DotRow};

/// A plot shows so many rows; the tables have the others.
pub const MOST_ROWS: usize = 60;

/// The room of a row.
const ROW_PX: f64 = 34.0;
/// So many times as long as the usual interval is the longest that is drawn as a whole.
const LONGEST: f64 = 2.0;
/// A row's name is at most so wide.
const WIDEST_NAME: f64 = 380.0;

/// Draws a plot of dots.
#[must_use]
pub fn dot_plot(plot: &DotPlot, size: Size) -> String {
    let rows: Vec<&DotRow> = plot.rows.iter().take(MOST_ROWS).collect();
    let dots = || rows.iter().flat_map(|row| &row.dots);
    let widest = rows
        .iter()
        .map(|row| text_width(&row.name))
        .fold(0.0, f64::max);
    // A narrow plot has the names above its rows.
    let (left, row_px) = match size {
        Size::Wide | Size::File => (widest.min(WIDEST_NAME) + 16.0, ROW_PX),
        Size::Narrow => (8.0, ROW_PX + 16.0),
    };
    let top = if dots().any(|dot| !dot.name.is_empty()) {
        30.0
    } else {
        12.0
    };
    let value_room = dots()
        .map(|dot| text_width(&format_value(dot.value, plot.decimals)))
        .fold(0.0, f64::max);
    let frame = Frame {
        left: left.round(),
        top,
        right: (size.width() - value_room - 16.0).round(),
        bottom: top + row_px * rows.len() as f64,
    };
    let x = Scale::new(domain(plot, &rows), (frame.left, frame.right));
    let mut canvas = Canvas::default();
    begin(&mut canvas, size, frame, (x.domain, (0.0, 1.0)));
    for tick in x.ticks(match size {
        Size::Wide | Size::File => 8,
        Size::Narrow => 4,
    }) {
        canvas.line("grid", (x.at(tick), frame.top), (x.at(tick), frame.bottom));
    }
    canvas.line(
        "axis",
        (frame.left, frame.bottom),
        (frame.right, frame.bottom),
    );
    x_axis(&mut canvas, &plot.x, frame, x, size);
    if let Some(reference) = plot.reference {
        canvas.line(
            "reference",
            (x.at(reference), frame.top),
            (x.at(reference), frame.bottom),
        );
    }
    // The dots' names are above the first row that has any.
    let named = rows.iter().position(|row| drawn(row).next().is_some());
    let mut above = frame.top;
    for (at, row) in rows.iter().enumerate() {
        let middle = above + row_px - ROW_PX / 2.0;
        canvas.push(format_args!(
            "<g class=\"series {}\" data-name=\"{}\">",
            Look::new(row.look).color_class(),
            escape_line(&row.name)
        ));
        match size {
            Size::Wide | Size::File => {
                let name = shortened(&row.name, WIDEST_NAME);
                canvas.text("end", frame.left - 12.0, middle + 4.5, &name);
            }
            Size::Narrow => {
                let name = shortened(&row.name, frame.right - frame.left);
                canvas.text("rowname", frame.left, middle - 12.0, &name);
            }
        }
        draw(&mut canvas, plot, row, x, middle, named == Some(at));
        canvas.push(format_args!("</g>"));
        above += row_px;
    }
    canvas.0 + "</svg>"
}

/// From 0 to the largest end of an interval, or around the reference. What is below 0 of an interval of
/// positive values is left out, and so are the ends of intervals that are much longer than the others.
fn domain(plot: &DotPlot, rows: &[&DotRow]) -> (f64, f64) {
    let ends: Vec<f64> = rows
        .iter()
        .flat_map(|row| &row.dots)
        .flat_map(|dot| {
            let interval = dot.interval.map(|interval| [interval.low, interval.high]);
            std::iter::once(dot.value).chain(interval.into_iter().flatten())
        })
        .filter(|end| end.is_finite())
        .collect();
    let values = rows.iter().flat_map(|row| &row.dots).map(|dot| dot.value);
    let values: Vec<f64> = values.filter(|value| value.is_finite()).collect();
    let least = |ends: &[f64]| ends.iter().copied().fold(f64::INFINITY, f64::min);
    let most = |ends: &[f64]| ends.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let Some(reference) = plot.reference else {
        return (least(&values).min(0.0), axis_end(most(&ends)));
    };
    // How far the ends are from the reference, and how far is usual.
    let mut reaches: Vec<f64> = ends.iter().map(|end| (end - reference).abs()).collect();
    reaches.sort_by(f64::total_cmp);
    let usual = reaches
        .get(reaches.len() * 3 / 4)
        .copied()
        .unwrap_or_default();
    let reach = values.iter().map(|value| (value - reference).abs());
    let limit = (LONGEST * usual).max(reach.fold(0.0, f64::max));
    let mut low = least(&ends).max(reference - limit).min(reference);
    if least(&values) >= 0.0 {
        low = low.max(0.0);
    }
    let high = most(&ends).min(reference + limit).max(reference);
    let margin = (high - low) * 0.06;
    (low - margin, high + margin)
}

fn drawn(row: &DotRow) -> impl Iterator<Item = &Dot> {
    row.dots.iter().filter(|dot| dot.value.is_finite())
}

/// A row: its intervals, a line through its dots, the dots, and the last one's value.
fn draw(canvas: &mut Canvas, plot: &DotPlot, row: &DotRow, x: Scale, middle: f64, is_named: bool) {
    let look = Look::new(row.look);
    let color = look.color();
    let drawn: Vec<&Dot> = drawn(row).collect();
    let (Some(first), Some(last)) = (drawn.first(), drawn.last()) else {
        canvas.text("label", x.range.0 + 4.0, middle + 4.5, "not measured");
        return;
    };
    if drawn.len() > 1 {
        canvas.push(format_args!(
            "<path class=\"span\" stroke=\"{color}\" stroke-opacity=\".35\" stroke-width=\"2\" d=\"M{} {middle}H{}\"/>",
            px(x.at(first.value)), px(x.at(last.value))
        ));
    }
    let mut end = x.at(last.value);
    for (at, dot) in drawn.iter().enumerate() {
        let place = x.at(dot.value);
        if let Some(interval) = dot.interval {
            let (low, high) = (x.at(interval.low), x.at(interval.high));
            // An end outside of the axis has no bar.
            let start = if low < x.range.0 {
                format!("M{} {middle}", px(x.range.0))
            } else {
                format!("M{} {}v10m0-5", px(low), px(middle - 5.0))
            };
            let stop = if high > x.range.1 { "" } else { "m0-5v10" };
            let high = high.min(x.range.1);
            canvas.push(format_args!(
                "<path class=\"interval\" stroke=\"{color}\" stroke-width=\"1.5\" d=\"{start}H{}{stop}\"/>",
                px(high)
            ));
            end = end.max(high);
        }
        // In a row of several, each has a shape of its own.
        let shape = if drawn.len() > 1 {
            Look::new(at).marker()
        } else {
            look.marker()
        };
        canvas.push(format_args!(
            "<path class=\"mark\" fill=\"{color}\" stroke=\"#fff\" transform=\"translate({} {})\" d=\"{shape}\"/>",
            px(place), px(middle)
        ));
        if is_named && !dot.name.is_empty() {
            canvas.text("xtick", place, middle - 12.0, &dot.name);
        }
    }
    canvas.text(
        "label",
        end + 9.0,
        middle + 4.5,
        &format_value(last.value, plot.decimals),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_row_with_dots_has_their_names() {
        let row = |values: &[f64]| DotRow {
            dots: ["p50", "p99"]
                .into_iter()
                .zip(values)
                .map(|(name, value)| Dot {
                    name: name.to_owned(),
                    value: *value,
                    interval: None,
                })
                .collect(),
            ..DotRow::default()
        };
        let plot = DotPlot {
            rows: vec![
                row(&[]),
                row(&[f64::NAN]),
                row(&[10.0, 90.0]),
                row(&[9.0, 80.0]),
            ],
            ..DotPlot::default()
        };
        for size in Size::OF_PAGES {
            let svg = dot_plot(&plot, size);
            let third = svg.split("<g ").nth(3).unwrap_or_default();
            assert!(third.contains(">p50<") && third.contains(">p99<"), "{svg}");
            assert_eq!(svg.matches(">p50<").count(), 1);
        }
    }
}

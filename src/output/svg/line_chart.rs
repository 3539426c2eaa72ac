//! A chart of lines.

use super::canvas::{Canvas, FONT_PX, Frame, Size, px, shortened, text_width};
use super::labels::spread;
use super::look::Look;
use super::reduce::reduce;
use super::scale::{Scale, axis_end, tick_labels};
use crate::output::markup::escape_line;
use crate::report::document::{Axis, Chart, Point, Series};

/// A chart shows so many series; the tables have the others.
pub const MOST_SERIES: usize = 24;

/// The distance of names beside each other's lines.
const LABEL_GAP: f64 = 16.0;
/// A name is at most so wide.
const WIDEST_LABEL: f64 = 190.0;
/// A line has at most so many markers.
const MOST_MARKERS: usize = 32;

/// Draws a chart. `id` is part of the ids in it, so it must be that of no other chart on the page. It
/// has letters, digits and hyphens.
#[must_use]
pub fn line_chart(chart: &Chart, size: Size, id: &str) -> String {
    let series: Vec<Series> = chart
        .series
        .iter()
        .take(MOST_SERIES)
        .map(|series| Series {
            points: reduce(&series.points, size.columns()),
            ..series.clone()
        })
        .collect();
    let top = series
        .iter()
        .flat_map(|series| &series.points)
        .flat_map(|point| [point.y, point.interval.map(|interval| interval.high)])
        .flatten()
        .chain(chart.reference)
        .filter(|value| value.is_finite())
        .fold(0.0, f64::max);
    let y_end = axis_end(top);
    let y_ticks = Scale::new((0.0, y_end), (0.0, 1.0)).ticks(5);
    let y_labels = tick_labels(&y_ticks);
    let widest = |texts: &mut dyn Iterator<Item = f64>| texts.fold(0.0, f64::max);
    let left = widest(&mut y_labels.iter().map(|text| text_width(text))) + 12.0;
    let label_room = widest(&mut series.iter().map(|s| text_width(&s.name))).min(WIDEST_LABEL);
    let right_margin = match size {
        Size::Wide | Size::File => label_room + 36.0,
        Size::Narrow => 12.0,
    };
    let frame = Frame {
        left: left.round(),
        top: 30.0,
        right: (size.width() - right_margin).round(),
        bottom: size.height() - 44.0,
    };
    let x = x_scale(&series, frame);
    let y = Scale::new((0.0, y_end), (frame.bottom, frame.top));
    let mut canvas = Canvas::default();
    begin(&mut canvas, size, frame, (x.domain, y.domain));
    y_axis(&mut canvas, &chart.y, frame, y, &y_ticks, &y_labels);
    x_axis(&mut canvas, &chart.x, frame, x, size);
    if let Some(reference) = chart.reference {
        let at = y.at(reference);
        canvas.line("reference", (frame.left, at), (frame.right, at));
    }
    let bottom = frame.bottom;
    // Below all lines.
    for one in &series {
        band(&mut canvas, one, (x, y));
    }
    for (at, one) in series.iter().enumerate() {
        draw(
            &mut canvas,
            one,
            (x, y),
            bottom,
            &format!("{id}-{}-{at}", size.name()),
        );
    }
    if size != Size::Narrow {
        names(&mut canvas, &series, frame, y, x);
    }
    canvas.0 + "</svg>"
}

/// The element, with what the page's program needs to find values under a pointer: `data-plot` has the
/// plot's left, top, right and bottom in pixels, then the values at these edges: left, right, bottom,
/// top.
pub(super) fn begin(
    canvas: &mut Canvas,
    size: Size,
    frame: Frame,
    (x, y): ((f64, f64), (f64, f64)),
) {
    let margin = size.margin();
    let (corner, width, height) = (
        px(-margin),
        px(size.width() + 2.0 * margin),
        px(frame.bottom + 44.0 + 2.0 * margin),
    );
    canvas.push(format_args!(
        "<svg class=\"chart {}\" viewBox=\"{corner} {corner} {width} {height}\" font-size=\"{FONT_PX}\" \
         fill=\"none\" xmlns=\"http://www.w3.org/2000/svg\" data-plot=\"{} {} {} {} {} {} {} {}\">",
        size.name(),
        px(frame.left), px(frame.top), px(frame.right), px(frame.bottom), x.0, x.1, y.0, y.1,
    ));
}

/// The values of all points. It begins at 0 unless that would leave much of the plot empty.
fn x_scale(series: &[Series], frame: Frame) -> Scale {
    let values = || series.iter().flat_map(|s| &s.points).map(|p| p.x as f64);
    let low = values().fold(f64::INFINITY, f64::min);
    let high = values().fold(0.0, f64::max);
    let low = if low.is_finite() && low > high * 0.25 {
        low
    } else {
        0.0
    };
    Scale::new((low, high), (frame.left, frame.right))
}

fn y_axis(
    canvas: &mut Canvas,
    axis: &Axis,
    frame: Frame,
    y: Scale,
    ticks: &[f64],
    labels: &[String],
) {
    for (tick, label) in ticks.iter().zip(labels) {
        let at = y.at(*tick);
        let class = if *tick == 0.0 { "axis" } else { "grid" };
        canvas.line(class, (frame.left, at), (frame.right, at));
        canvas.text("ytick", frame.left - 8.0, at + 4.5, label);
    }
    canvas.text("title", 0.0, 14.0, &title(axis));
}

pub(super) fn x_axis(canvas: &mut Canvas, axis: &Axis, frame: Frame, x: Scale, size: Size) {
    let most = match size {
        Size::Wide | Size::File => 8,
        Size::Narrow => 4,
    };
    let ticks = x.ticks(most);
    for (tick, label) in ticks.iter().zip(tick_labels(&ticks)) {
        let at = x.at(*tick);
        canvas.line("axis", (at, frame.bottom), (at, frame.bottom + 5.0));
        // Not beyond the edge of the picture.
        let half = text_width(&label) / 2.0;
        canvas.text(
            "xtick",
            at.min(size.width() - half),
            frame.bottom + 20.0,
            &label,
        );
    }
    canvas.text("end", frame.right, frame.bottom + 38.0, &title(axis));
}

/// `MSS, bytes`.
fn title(axis: &Axis) -> String {
    match (&*axis.name, &*axis.unit) {
        (name, "") => name.to_owned(),
        ("", unit) => unit.to_owned(),
        (name, unit) => format!("{name}, {unit}"),
    }
}

/// The corners of an edge through points, at a value of each.
fn corners(
    points: &[Point],
    (x, y): (Scale, Scale),
    value: fn(&Point) -> Option<f64>,
) -> Vec<String> {
    let corner = |point: &Point| {
        let value = value(point)?.max(0.0);
        Some(format!("{} {}", px(x.at(point.x as f64)), px(y.at(value))))
    };
    points.iter().filter_map(corner).collect()
}

fn is_drawn(point: &Point) -> bool {
    point.y.is_some_and(f64::is_finite)
}

/// The stretches of a series between points without a value.
fn stretches(series: &Series) -> impl Iterator<Item = &[Point]> {
    series.points.split(|point| !is_drawn(point))
}

/// The intervals of a series.
fn band(canvas: &mut Canvas, series: &Series, scales: (Scale, Scale)) {
    let band: String = stretches(series)
        .filter_map(|stretch| {
            let high = corners(stretch, scales, |point| Some(point.interval?.high));
            let mut low = corners(stretch, scales, |point| Some(point.interval?.low));
            low.reverse();
            (high.len() > 1).then(|| format!("M{}L{}z", high.join("L"), low.join("L")))
        })
        .collect();
    if !band.is_empty() {
        let look = Look::new(series.look);
        canvas.push(format_args!(
            "<path class=\"series band {}\" data-name=\"{}\" fill=\"{}\" fill-opacity=\".12\" d=\"{band}\"/>",
            look.color_class(),
            escape_line(&series.name),
            look.color()
        ));
    }
}

/// A line and its markers.
fn draw(canvas: &mut Canvas, series: &Series, (x, y): (Scale, Scale), bottom: f64, id: &str) {
    let look = Look::new(series.look);
    let (class, color) = (look.color_class(), look.color());
    canvas.push(format_args!(
        "<g class=\"series {class}\" data-name=\"{}\">",
        escape_line(&series.name)
    ));
    let lines: Vec<String> = stretches(series)
        .map(|stretch| corners(stretch, (x, y), |point| point.y))
        .filter(|values| !values.is_empty())
        .map(|values| values.join("L"))
        .collect();
    let line = lines.join("M");
    if !line.is_empty() {
        canvas.push(format_args!(
            "<path class=\"line\" stroke=\"{color}\" stroke-width=\"2\"{} d=\"M{line}\"/>",
            look.dash()
        ));
    }
    // An element of its own: an element of a path draws a marker at each point, also of long series.
    let drawn: Vec<Point> = series.points.iter().copied().filter(is_drawn).collect();
    let step = drawn.len().div_ceil(MOST_MARKERS).max(1);
    let marked: Vec<Point> = drawn.into_iter().step_by(step).collect();
    let marked = corners(&marked, (x, y), |point| point.y);
    if let Some(first) = marked.first() {
        canvas.push(format_args!(
            "<marker id=\"{id}\" viewBox=\"-6 -6 12 12\" markerWidth=\"12\" markerHeight=\"12\" \
             markerUnits=\"userSpaceOnUse\"><path class=\"mark\" fill=\"{color}\" stroke=\"#fff\" d=\"{}\"/></marker>\
             <path class=\"marks\" marker-start=\"url(#{id})\" marker-mid=\"url(#{id})\" marker-end=\"url(#{id})\" \
             d=\"M{}\"/>",
            look.marker(),
            // A path of one point has no end of its own.
            if marked.len() == 1 { format!("{first}L{first}") } else { marked.join("L") },
        ));
    }
    let missing: Vec<String> = series
        .points
        .iter()
        .filter(|point| !is_drawn(point))
        .map(|point| {
            format!(
                "M{} {}l7 7m0-7l-7 7",
                px(x.at(point.x as f64) - 3.5),
                px(bottom - 3.5)
            )
        })
        .collect();
    if !missing.is_empty() {
        canvas.push(format_args!(
            "<path class=\"missing\" stroke=\"{color}\" d=\"{}\"/>",
            missing.concat()
        ));
    }
    canvas.push(format_args!("</g>"));
}

/// The name of each series at its end, with a thin line to it where it has moved.
fn names(canvas: &mut Canvas, series: &[Series], frame: Frame, y: Scale, x: Scale) {
    let ends: Vec<(&Series, f64, f64)> = series
        .iter()
        .filter_map(|series| {
            let last = series
                .points
                .iter()
                .rfind(|point| point.y.is_some_and(f64::is_finite))?;
            Some((series, x.at(last.x as f64), y.at(last.y?)))
        })
        .collect();
    let wanted: Vec<f64> = ends.iter().map(|(.., at)| *at).collect();
    let places = spread(&wanted, LABEL_GAP, (frame.top, frame.bottom));
    for ((series, end, wanted), place) in ends.iter().zip(places) {
        let look = Look::new(series.look);
        let left = frame.right + 24.0;
        canvas.push(format_args!(
            "<g class=\"series name {}\" data-name=\"{}\"><path class=\"leader\" stroke=\"{}\" d=\"M{} {}L{} {}L{} {}\"/>",
            look.color_class(),
            escape_line(&series.name),
            look.color(),
            px(end + 6.0), px(*wanted), px(frame.right + 10.0), px(*wanted), px(left - 3.0), px(place),
        ));
        let name = escape_line(&shortened(&series.name, WIDEST_LABEL));
        canvas.push(format_args!(
            "<text class=\"label\" fill=\"{}\" x=\"{}\" y=\"{}\">{name}</text></g>",
            look.color(),
            px(left),
            px(place + 4.5),
        ));
    }
}

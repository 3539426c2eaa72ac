//! Text of SVG, and where a chart's parts are.

use std::fmt::Write as _;

use crate::output::markup::escape_line;

/// The size of a chart. A page has each chart in both, and shows the one that fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    Wide,
    /// For a phone.
    Narrow,
    /// As wide, with a margin around it.
    File,
}

impl Size {
    /// Those of a page.
    pub const OF_PAGES: [Size; 2] = [Size::Wide, Size::Narrow];

    /// As the page's style sheet names it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Size::Wide | Size::File => "wide",
            Size::Narrow => "narrow",
        }
    }

    pub(super) fn width(self) -> f64 {
        match self {
            Size::Wide | Size::File => 960.0,
            Size::Narrow => 380.0,
        }
    }

    /// Around the chart.
    pub(super) fn margin(self) -> f64 {
        match self {
            Size::Wide | Size::Narrow => 0.0,
            Size::File => 16.0,
        }
    }

    /// Of a chart of lines.
    pub(super) fn height(self) -> f64 {
        match self {
            Size::Wide | Size::File => 400.0,
            Size::Narrow => 300.0,
        }
    }

    /// How many points of a series are told apart, at most: two a column.
    pub(super) fn columns(self) -> usize {
        match self {
            Size::Wide | Size::File => MOST_POINTS / 2,
            Size::Narrow => 160,
        }
    }
}

/// A line has at most so many points.
pub const MOST_POINTS: usize = 1_000;

/// The height of text.
pub const FONT_PX: f64 = 13.0;

/// Where the plot is, in pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Frame {
    pub left: f64,
    pub top: f64,
    pub right: f64,
    pub bottom: f64,
}

/// About how wide a text is; it leaves some room.
pub fn text_width(text: &str) -> f64 {
    let wide = |c: char| {
        if c.is_ascii() {
            0.6
        } else if c.len_utf8() < 3 {
            0.62
        } else {
            1.0
        }
    };
    text.chars().map(wide).sum::<f64>() * FONT_PX
}

/// The text, or its beginning with `…` where it is wider than `width`.
pub fn shortened(text: &str, width: f64) -> String {
    if text_width(text) <= width {
        return text.to_owned();
    }
    let mut short = String::new();
    for c in text.chars() {
        short.push(c);
        if text_width(&short) + FONT_PX > width {
            short.pop();
            break;
        }
    }
    short + "…"
}

/// A pixel with one decimal, as short as it can be.
pub fn px(value: f64) -> String {
    let text = format!("{value:.1}");
    let short = text.strip_suffix(".0").unwrap_or(&text);
    if short == "-0" {
        "0".to_owned()
    } else {
        short.to_owned()
    }
}

/// SVG that is being written.
#[derive(Clone, Debug, Default)]
pub struct Canvas(pub String);

impl Canvas {
    /// Adds a text. `class` names its role, and at which end `x` is.
    pub fn text(&mut self, class: &str, x: f64, y: f64, text: &str) {
        let anchor = match class {
            "end" | "ytick" => " text-anchor=\"end\"",
            "xtick" => " text-anchor=\"middle\"",
            _ => "",
        };
        let (x, y, text) = (px(x), px(y), escape_line(text));
        self.push(format_args!(
            "<text class=\"{class}\" x=\"{x}\" y=\"{y}\"{anchor}>{text}</text>"
        ));
    }

    /// Adds a line of the grid, or of an axis.
    pub fn line(&mut self, class: &str, from: (f64, f64), to: (f64, f64)) {
        let stroke = if class == "grid" {
            "#e2e4e8"
        } else {
            "#8a9099"
        };
        self.push(format_args!(
            "<path class=\"{class}\" stroke=\"{stroke}\" d=\"M{} {}L{} {}\"/>",
            px(from.0),
            px(from.1),
            px(to.0),
            px(to.1)
        ));
    }

    pub fn push(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing to a string does not fail.
        let _ = self.0.write_fmt(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_shortened() {
        assert_eq!(shortened("remote-pod", 100.0), "remote-pod");
        assert_eq!(shortened("remote-service", 60.0), "remote…");
        assert_eq!([0.04, -0.04, 1.25, 300.0].map(px), ["0", "0", "1.2", "300"]);
    }
}

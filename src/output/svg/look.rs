//! What tells one series from another: color, marker and dash.

/// The look of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    color: usize,
    marker: usize,
    dash: usize,
}

/// The colors of the light theme; `chart.css` has them too, and those of the dark theme.
pub(super) const COLORS: [&str; 8] = [
    "#1f66d1", "#c2410c", "#0b7a5c", "#8b3fd1", "#92650a", "#be185d", "#0e7490", "#57606a",
];

/// Shapes about 8 pixels wide around 0 0.
const MARKERS: [&str; 8] = [
    "M-3.5 0a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0-7 0z",
    "M-3.2-3.2h6.4v6.4h-6.4z",
    "M0-4.2L4 3.2H-4z",
    "M0-4.6L4.6 0L0 4.6L-4.6 0z",
    "M0 4.2L4-3.2H-4z",
    "M-1.3-4h2.6v2.7H4v2.6H1.3V4h-2.6V1.3H-4v-2.6h2.7z",
    "M-4-2L0-4.4L4-2V2L0 4.4L-4 2z",
    "M-4.6-2.2H4.6V2.2H-4.6z",
];

const DASHES: [&str; 4] = ["", "7 3", "2 3", "9 3 2 3"];

impl Look {
    /// The look with this number. The first 64 differ in more than one thing from each other, or in color.
    #[must_use]
    pub fn new(number: usize) -> Look {
        let round = number / COLORS.len();
        Look {
            color: number % COLORS.len(),
            marker: (number + round) % MARKERS.len(),
            dash: (number + round) % DASHES.len(),
        }
    }

    /// The number of its color.
    #[must_use]
    pub fn color_number(self) -> usize {
        self.color
    }

    /// The class of its color, `cN` of `chart.css`.
    #[must_use]
    pub fn color_class(self) -> String {
        format!("c{}", self.color)
    }

    /// Its color in the light theme.
    pub(super) fn color(self) -> &'static str {
        COLORS[self.color]
    }

    /// The shape of its marker around 0 0, as path data.
    pub(super) fn marker(self) -> &'static str {
        MARKERS[self.marker]
    }

    /// The attribute of its dash, with a space before it; empty for a solid line.
    pub(super) fn dash(self) -> String {
        match DASHES[self.dash] {
            "" => String::new(),
            dash => format!(" stroke-dasharray=\"{dash}\""),
        }
    }
}

/// A small picture of a look, for a legend.
#[must_use]
pub fn swatch(look: Look) -> String {
    format!(
        "<svg class=\"swatch {}\" viewBox=\"0 0 30 12\" width=\"30\" height=\"12\" aria-hidden=\"true\"><path \
         class=\"line\" d=\"M1 6H29\"{}/><path class=\"mark\" transform=\"translate(15 6)\" d=\"{}\"/></svg>",
        look.color_class(),
        look.dash(),
        look.marker(),
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_looks_are_alike() {
        let looks = (0..64).map(|number| {
            let look = Look::new(number);
            (look.color, look.marker, look.dash)
        });
        assert_eq!(looks.collect::<BTreeSet<_>>().len(), 64);
    }
}

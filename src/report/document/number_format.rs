//! How many digits a figure gets, and in which unit.

use super::block::{Cell, Span};
use crate::report::{Figure, labels};

/// How figures of a metric are written in one table: all alike, so that they can be compared.
#[derive(Clone, Copy, Debug)]
pub struct NumberFormat {
    pub divisor: f64,
    pub decimals: usize,
    pub unit: &'static str,
}

impl NumberFormat {
    /// Enough decimals for two digits of the smallest figure, at most `most`; more only so that it
    /// does not vanish.
    pub fn new(values: &[f64], divisor: f64, most: usize, unit: &'static str) -> NumberFormat {
        NumberFormat::with(values, divisor, (most, 1), unit)
    }

    /// `digits` is how many digits a figure keeps that `most` would make vanish.
    fn with(
        values: &[f64],
        divisor: f64,
        (most, digits): (usize, usize),
        unit: &'static str,
    ) -> NumberFormat {
        let smallest = values
            .iter()
            .map(|v| (v / divisor).abs())
            .filter(|v| *v > 0.0)
            .fold(f64::INFINITY, f64::min);
        let needed = match smallest {
            v if v >= 9.95 => 0,
            v if v >= 0.995 => 1,
            v if v.is_finite() => 2,
            _ => 0,
        };
        NumberFormat {
            divisor,
            decimals: visible(smallest, needed.min(most), digits),
            unit,
        }
    }

    /// Rates in Gbit/s when all of them reach it, in kbit/s when none reaches 1 Mbit/s, else in
    /// Mbit/s.
    fn rate(values: &[f64]) -> NumberFormat {
        let positive = values.iter().any(|v| *v > 0.0);
        if !values.is_empty() && values.iter().all(|v| *v >= 1e9) {
            NumberFormat {
                divisor: 1e9,
                decimals: 2,
                unit: "Gbit/s",
            }
        } else if positive && values.iter().all(|v| *v < 1e6) {
            NumberFormat::with(values, 1e3, (2, 2), "kbit/s")
        } else {
            NumberFormat::with(values, 1e6, (2, 2), "Mbit/s")
        }
    }

    /// For the headline metric of a test.
    pub fn headline(metric: &str, values: &[f64]) -> NumberFormat {
        if labels::is_rate(metric) {
            NumberFormat::rate(values)
        } else {
            NumberFormat::with(values, 1.0, (1, 2), labels::unit_of(metric))
        }
    }

    /// A figure with its decimals, without the unit.
    pub fn write(self, value: f64) -> String {
        format!("{:.*}", self.decimals, value / self.divisor)
    }

    /// The mean, and half of its interval where it has one.
    pub fn figure(self, figure: &Figure) -> Cell {
        Cell {
            value: Span::plain(self.write(figure.summary.mean)),
            spread: figure
                .interval
                .map_or_else(String::new, |i| format!("±{}", self.write(i.half()))),
            ..Cell::default()
        }
    }
}

/// The most decimals that a figure gets, however small it is.
const SMALLEST: usize = 12;

/// `decimals`, or as many as a positive figure needs to have `digits` where they would not show its
/// first one.
pub fn visible(value: f64, decimals: usize, digits: usize) -> usize {
    if value <= 0.0 || !value.is_finite() {
        return decimals;
    }
    let mut shifted = value * (0..decimals).fold(1.0, |power, _| power * 10.0);
    for first in decimals..SMALLEST {
        // What is less than 1 by so little is rounded to it.
        if shifted >= 0.95 {
            return if first == decimals {
                decimals
            } else {
                first + digits - 1
            };
        }
        shifted *= 10.0;
    }
    decimals
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_one_unit_and_one_number_of_decimals() {
        let written = |values: &[f64]| {
            let format = NumberFormat::headline("throughput_bps", values);
            let figures: Vec<String> = values.iter().map(|v| format.write(*v)).collect();
            format!("{} {}", figures.join(" "), format.unit)
        };
        assert_eq!(written(&[312.4e6, 6_720.1e6]), "312 6720 Mbit/s");
        assert_eq!(written(&[1.2e9, 21.34e9]), "1.20 21.34 Gbit/s");
        assert_eq!(written(&[5.73e6, 94.1e6]), "5.7 94.1 Mbit/s");
        assert_eq!(written(&[0.034e6, 94.1e6]), "0.03 94.10 Mbit/s");
        assert_eq!(written(&[]), " Mbit/s");
    }

    #[test]
    fn no_positive_figure_is_written_as_0() {
        let written = |metric, values: &[f64]| {
            let format = NumberFormat::headline(metric, values);
            let figures: Vec<String> = values.iter().map(|v| format.write(*v)).collect();
            format!("{} {}", figures.join(" "), format.unit)
        };
        assert_eq!(written("throughput_bps", &[4e3, 31e3]), "4.0 31.0 kbit/s");
        assert_eq!(
            written("throughput_bps", &[4e3, 2e6]),
            "0.0040 2.0000 Mbit/s"
        );
        assert_eq!(written("throughput_bps", &[0.0]), "0 Mbit/s");
        assert_eq!(written("share_percent", &[0.04, 0.0]), "0.040 0.000 %");
        assert_eq!(visible(0.04, 2, 2), 2);
        assert_eq!(visible(0.0049, 2, 2), 4);
        assert_eq!(visible(0.0097, 2, 2), 2);
        assert_eq!(visible(1e-300, 2, 2), 2);
        assert_eq!(NumberFormat::new(&[0.33, 7.0], 1.0, 0, "").decimals, 1);
    }
}

//! How many digits a figure gets, and in which unit.

use crate::report::figures::Figure;
use crate::report::labels;

/// How figures of a metric are written in one table: all alike, so that they can be compared.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    pub divisor: f64,
    pub decimals: usize,
    pub unit: &'static str,
}

impl Scale {
    /// Enough decimals for two digits of the smallest figure, at most `most`; more only so that it
    /// does not vanish.
    pub fn of(values: &[f64], divisor: f64, most: usize, unit: &'static str) -> Scale {
        Scale::with(values, divisor, (most, 1), unit)
    }

    /// `digits` is how many digits a figure keeps that `most` would make vanish.
    fn with(
        values: &[f64],
        divisor: f64,
        (most, digits): (usize, usize),
        unit: &'static str,
    ) -> Scale {
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
        Scale {
            divisor,
            decimals: visible(smallest, needed.min(most), digits),
            unit,
        }
    }

    /// Rates in Gbit/s when all of them reach it, in kbit/s when none reaches 1 Mbit/s, else in
    /// Mbit/s.
    fn rate(values: &[f64]) -> Scale {
        let positive = values.iter().any(|v| *v > 0.0);
        if !values.is_empty() && values.iter().all(|v| *v >= 1e9) {
            Scale {
                divisor: 1e9,
                decimals: 2,
                unit: "Gbit/s",
            }
        } else if positive && values.iter().all(|v| *v < 1e6) {
            Scale::with(values, 1e3, (2, 2), "kbit/s")
        } else {
            Scale::with(values, 1e6, (2, 2), "Mbit/s")
        }
    }

    /// Of the metric that stands for a cell.
    pub fn headline(metric: &str, values: &[f64]) -> Scale {
        if labels::is_rate(metric) {
            Scale::rate(values)
        } else {
            Scale::with(values, 1.0, (1, 2), labels::unit_of(metric))
        }
    }

    /// A figure with its decimals, without the unit.
    pub fn write(self, value: f64) -> String {
        format!("{:.*}", self.decimals, value / self.divisor)
    }

    /// The mean, and half of its interval where it has one.
    pub fn figure(self, figure: &Figure) -> Field {
        Field {
            mean: self.write(figure.summary.mean),
            spread: figure
                .interval
                .map_or_else(String::new, |i| format!("±{}", self.write(i.half()))),
            ..Field::default()
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

/// What stands for a cell in a column: parts that are to stand below each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Field {
    /// Or whatever stands in its place.
    pub mean: String,
    /// How sure it is, as `±100`; empty of a single sample.
    pub spread: String,
    /// Of samples, as in `×7`; empty where all cells have as many.
    pub count: String,
    /// Signs that notes explain.
    pub marks: String,
}

impl From<String> for Field {
    fn from(mean: String) -> Field {
        Field {
            mean,
            ..Field::default()
        }
    }
}

/// Puts the parts of a column's fields below each other.
pub fn aligned(fields: &[Field]) -> Vec<String> {
    let widest = |part: fn(&Field) -> &str| {
        let widths = fields.iter().map(|field| part(field).chars().count());
        widths.max().unwrap_or(0)
    };
    let (spread, count, marks) = (
        widest(|field| &field.spread),
        widest(|field| &field.count),
        widest(|field| &field.marks),
    );
    let text = |field: &Field| {
        let mut parts = vec![field.mean.clone()];
        let alone = field.spread.is_empty() && field.count.is_empty() && field.marks.is_empty();
        if spread > 0 && !alone {
            parts.push(format!("{:>spread$}", field.spread));
        }
        if count > 0 && !alone {
            parts.push(format!("{:>count$}", field.count));
        }
        let marks = if alone { 0 } else { marks };
        format!("{}{:marks$}", parts.join(" "), field.marks)
    };
    fields.iter().map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_one_unit_and_one_number_of_decimals() {
        let written = |values: &[f64]| {
            let scale = Scale::headline("throughput_bps", values);
            let figures: Vec<String> = values.iter().map(|v| scale.write(*v)).collect();
            format!("{} {}", figures.join(" "), scale.unit)
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
            let scale = Scale::headline(metric, values);
            let figures: Vec<String> = values.iter().map(|v| scale.write(*v)).collect();
            format!("{} {}", figures.join(" "), scale.unit)
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
        assert_eq!(Scale::of(&[0.33, 7.0], 1.0, 0, "").decimals, 1);
    }

    #[test]
    fn parts_stand_below_each_other() {
        let field = |mean: &str, spread: &str, count: &str, marks: &str| Field {
            mean: mean.to_owned(),
            spread: spread.to_owned(),
            count: count.to_owned(),
            marks: marks.to_owned(),
        };
        let plain = [field("4805", "±100", "", ""), field("938", "±19", "", "")];
        assert_eq!(aligned(&plain), ["4805 ±100", "938  ±19"]);
        let all = [
            field("4805", "±100", "×7", "*"),
            field("938", "±19", "×12", ""),
            "✗1".to_owned().into(),
        ];
        assert_eq!(aligned(&all), ["4805 ±100  ×7*", "938  ±19 ×12 ", "✗1"]);
    }
}

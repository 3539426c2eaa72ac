//! How many digits a figure gets, and in which unit.

use super::figures::Figure;
use super::words;

/// How figures of a metric are written in one table: all alike, so that they can be compared.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    pub divisor: f64,
    pub decimals: usize,
    pub unit: &'static str,
}

impl Scale {
    /// Enough decimals for two digits of the smallest figure, at most `most`.
    pub fn of(values: &[f64], divisor: f64, most: usize, unit: &'static str) -> Scale {
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
            decimals: needed.min(most),
            unit,
        }
    }

    /// Rates in Gbit/s when all of them reach it, else in Mbit/s.
    fn rate(values: &[f64]) -> Scale {
        if !values.is_empty() && values.iter().all(|v| *v >= 1e9) {
            Scale {
                divisor: 1e9,
                decimals: 2,
                unit: "Gbit/s",
            }
        } else {
            Scale::of(values, 1e6, 2, "Mbit/s")
        }
    }

    /// Of the metric that stands for a cell.
    pub fn headline(metric: &str, values: &[f64]) -> Scale {
        if words::is_rate(metric) {
            Scale::rate(values)
        } else {
            Scale::of(values, 1.0, 1, words::unit_of(metric))
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

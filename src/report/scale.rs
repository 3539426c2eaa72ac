//! How many digits a figure gets, and in which unit.

use super::words;
use crate::results::Summary;

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
            Scale::of(values, 1.0, 1, "a second")
        }
    }

    /// A figure with its decimals, without the unit.
    pub fn write(self, value: f64) -> String {
        format!("{:.*}", self.decimals, value / self.divisor)
    }

    /// The mean, and with several samples its spread.
    pub fn spread(self, summary: &Summary) -> String {
        let mean = self.write(summary.mean);
        match summary.stddev {
            Some(stddev) => format!("{mean} ±{}", self.write(stddev)),
            None => mean,
        }
    }
}

/// Puts the `±` of a column's fields below each other, and the marks behind their figures.
pub fn aligned(fields: Vec<String>) -> Vec<String> {
    let (figures, marks): (Vec<String>, Vec<String>) = fields
        .into_iter()
        .map(|field| match field.find(" ?") {
            Some(at) => (field[..at].to_owned(), field[at..].to_owned()),
            None => (field, String::new()),
        })
        .unzip();
    let room = marks.iter().map(|m| m.chars().count()).max().unwrap_or(0);
    let figures = aligned_spreads(figures).into_iter().zip(marks);
    figures
        .map(|(figure, mark)| format!("{figure}{mark:room$}"))
        .collect()
}

fn aligned_spreads(mut fields: Vec<String>) -> Vec<String> {
    let tail = |field: &str| field.split_once('±').map(|(_, tail)| tail.chars().count());
    let longest = fields.iter().filter_map(|f| tail(f)).max().unwrap_or(0);
    for field in &mut fields {
        if let Some(length) = tail(field) {
            *field = field.replace('±', &format!("{}±", " ".repeat(longest - length)));
        }
    }
    fields
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
    fn spreads_stand_below_each_other() {
        let fields = ["4805 ±100", "938 ±19", "✗1"].map(str::to_owned).to_vec();
        assert_eq!(aligned(fields), ["4805 ±100", "938  ±19", "✗1"]);
        let fields = ["4805 ±100 ?1", "938 ±19", "✗1", "7 ±1 ?1 ?2"]
            .map(str::to_owned)
            .to_vec();
        assert_eq!(
            aligned(fields),
            [
                "4805 ±100 ?1   ",
                "938  ±19      ",
                "✗1      ",
                "7   ±1 ?1 ?2"
            ]
        );
    }
}

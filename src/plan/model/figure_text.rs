//! Figures as plans write them, by unit.

use super::units::{BitRate, Bytes, Decimal, Duration, Percent, Quantity, split};
use crate::catalog::Unit;
use crate::diag::{Problem, quote};

impl Unit {
    /// How a figure is written in plans.
    #[must_use]
    pub fn example(self) -> &'static str {
        match self {
            Unit::BitsPerSecond => "9 Gbit/s",
            Unit::PerSecond => "20000",
            Unit::Microseconds => "500us",
            Unit::Percent => "0.1",
            Unit::Bytes => "1448",
            Unit::Count => "100",
        }
    }

    /// A figure as a plan writes it, in the journal's unit.
    ///
    /// # Errors
    /// Why it is not a figure of this unit, and how to write one.
    pub fn parse(self, text: &str) -> Result<f64, Problem> {
        match self {
            Unit::BitsPerSecond => match split::<BitRate>(text)? {
                (number, "") => {
                    Err(
                        Problem::without_place(format!("{} has no unit", quote(text.trim()))).help(
                            format!("write `{0} Gbit/s`, `{0} Mbit/s` or the like", number.text),
                        ),
                    )
                }
                _ => limited(text, BitRate::parse(text)?.0, 1_000_000_000_000_000),
            },
            Unit::Microseconds => {
                let micros = Duration::parse(text)?.0.as_micros();
                let micros = u64::try_from(micros).unwrap_or(u64::MAX);
                limited(text, micros, 86_400_000_000)
            }
            Unit::Percent if text.trim_end().ends_with('%') => Ok(Percent::parse(text)?.0),
            Unit::Bytes => limited(text, Bytes::parse(text)?.0, 1 << 50),
            Unit::Percent | Unit::PerSecond | Unit::Count => self.plain(text),
        }
    }

    /// A number without a unit of its own.
    fn plain(self, text: &str) -> Result<f64, Problem> {
        let (number, unit) = split::<Plain>(text)?;
        match (unit, number.text.parse::<f64>()) {
            ("", Ok(value)) => Ok(value),
            _ => Err(Problem::without_place(format!(
                "{} in {} does not belong there",
                quote(unit),
                quote(text.trim())
            ))
            .help(match self {
                Unit::Percent => format!("percent are a number, e.g. `{}`", number.text),
                _ => format!("this is a plain number: write `{}`", number.text),
            })),
        }
    }

    /// A figure as [`Unit::parse`] reads it.
    #[must_use]
    pub fn show(self, value: f64) -> String {
        // What was parsed is whole and far below 2⁵³.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the cast saturates, and what was parsed fits"
        )]
        let whole = value.round() as u64;
        match self {
            Unit::BitsPerSecond => BitRate(whole).to_string(),
            Unit::Microseconds => Duration(std::time::Duration::from_micros(whole)).to_string(),
            Unit::Bytes => Bytes(whole).to_string(),
            Unit::Percent | Unit::PerSecond | Unit::Count => value.to_string(),
        }
    }
}

/// Beyond 2⁵³ a figure could not be told from its neighbours.
fn limited(text: &str, value: u64, most: u64) -> Result<f64, Problem> {
    if value > most {
        return Err(
            Problem::without_place(format!("{} is out of range", quote(text.trim()))).help(
                format!("write at most {most}, in the smallest unit: bit/s, µs or bytes"),
            ),
        );
    }
    Ok(value as f64)
}

/// A number without a unit.
struct Plain;

impl Quantity for Plain {
    const NAME: &'static str = "a number";
    const OF: &'static str = "count";
    const EXAMPLE: &'static str = "`100` or `0.1`";

    fn parse(text: &str) -> Result<Plain, Problem> {
        let _: (Decimal<'_>, &str) = split::<Plain>(text)?;
        Ok(Plain)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn figures_are_read_in_the_journals_unit() {
        assert_eq!(Unit::BitsPerSecond.parse("9 Gbit/s"), Ok(9e9));
        assert_eq!(Unit::Microseconds.parse("1.5ms"), Ok(1500.0));
        assert_eq!(Unit::Percent.parse("0.1"), Ok(0.1));
        assert_eq!(Unit::Percent.parse("0.1%"), Ok(0.1));
        assert_eq!(Unit::Count.parse("100"), Ok(100.0));
        let help = |unit: Unit, text| {
            unit.parse(text)
                .map_err(|error| error.help.unwrap_or_default())
        };
        assert_eq!(
            help(Unit::BitsPerSecond, "9"),
            Err("write `9 Gbit/s`, `9 Mbit/s` or the like".to_owned())
        );
        assert_eq!(
            help(Unit::Count, "5%"),
            Err("this is a plain number: write `5`".to_owned())
        );
        for unit in [Unit::Count, Unit::Percent, Unit::Microseconds] {
            assert!(unit.parse("9 Gbit/s").is_err() && unit.parse("-1").is_err());
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_again(value in 0..1_000_000_u32, thousandths in 0..1000_u32) {
            for unit in Unit::ALL {
                let whole = f64::from(value);
                if unit == Unit::BitsPerSecond {
                    prop_assert_eq!(unit.parse(&unit.show(whole * 1e6)), Ok(whole * 1e6));
                } else {
                    prop_assert_eq!(unit.parse(&unit.show(whole)), Ok(whole));
                }
            }
            let part = f64::from(value) + f64::from(thousandths) / 1000.0;
            prop_assert_eq!(Unit::Percent.parse(&Unit::Percent.show(part)), Ok(part));
        }
    }
}

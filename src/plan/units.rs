//! Quantities as people write them: `10s`, `100 Mbit/s`, `2 MiB`, `0.1%`.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

/// A span of time. Written `500ms`, `10s`, `2m` or `1h`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(into = "String")]
#[schemars(with = "String", extend("pattern" = r"^\s*[0-9]+(\.[0-9]+)?\s*(us|ms|s|m|h)\s*$"))]
pub struct Duration(pub std::time::Duration);

/// Bits a second. Written `100 Mbit/s`, `1Gbit/s`, or a plain number of bits a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(into = "String")]
#[schemars(with = "String", extend("type" = json!(["string", "integer"])))]
#[schemars(extend("pattern" = r"^\s*[0-9]+(\.[0-9]+)?\s*([kMGT]?(bit/s|bps))?\s*$", "minimum" = 1))]
pub struct BitRate(pub u64);

/// A number of bytes. Written `128 KiB`, `2MiB`, or a plain number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(into = "String")]
#[schemars(with = "String", extend("type" = json!(["string", "integer"])))]
#[schemars(extend("pattern" = r"^\s*[0-9]+(\.[0-9]+)?\s*(B|[KMG]iB)?\s*$", "minimum" = 1))]
pub struct Bytes(pub u64);

/// A share of a hundred. Written `0.1%`.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, JsonSchema)]
#[serde(into = "String")]
#[schemars(with = "String", extend("pattern" = r"^\s*[0-9]+(\.[0-9]+)?\s*%\s*$"))]
pub struct Percent(pub f64);

/// Why a text is not a quantity, and what would be one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitError {
    pub what: String,
    pub help: String,
}

/// A quantity that people write with a unit.
pub trait Quantity: Sized {
    /// What it is, with its article: `a duration`.
    const NAME: &'static str;
    /// What its units are units of.
    const OF: &'static str;
    /// How one is written, for help.
    const EXAMPLE: &'static str;

    /// Reads a quantity.
    ///
    /// # Errors
    /// Says what is wrong with the text and how it would be right.
    fn parse(text: &str) -> Result<Self, UnitError>;
}

/// A decimal number without sign or exponent, exactly: `digits / 10^places`.
pub(super) struct Decimal<'a> {
    pub(super) text: &'a str,
    digits: u128,
    places: u32,
}

impl Decimal<'_> {
    /// The number times `factor`, when that is whole and fits.
    fn times(&self, factor: u64) -> Option<u64> {
        let product = self.digits.checked_mul(u128::from(factor))?;
        let divisor = 10_u128.checked_pow(self.places)?;
        (product % divisor == 0)
            .then(|| u64::try_from(product / divisor).ok())
            .flatten()
    }
}

/// Splits `100 Mbit/s` into number and unit.
pub(super) fn split<Q: Quantity>(text: &str) -> Result<(Decimal<'_>, &str), UnitError> {
    let trimmed = text.trim();
    let end = trimmed
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(trimmed.len());
    let (number, unit) = trimmed.split_at(end);
    let not_one = || UnitError {
        what: format!("{} is not {}", crate::diag::quote(text), Q::NAME),
        help: format!("write it as in {}", Q::EXAMPLE),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() || number.ends_with('.') || fraction.contains('.') || number.len() > 40 {
        return Err(not_one());
    }
    let digits = format!("{whole}{fraction}");
    match (digits.parse(), u32::try_from(fraction.len())) {
        (Ok(digits), Ok(places)) => {
            let decimal = Decimal {
                text: number,
                digits,
                places,
            };
            Ok((decimal, unit.trim()))
        }
        _ => Err(not_one()),
    }
}

/// The whole number of `factor`s, or an error that names the smallest part.
fn whole<Q: Quantity>(
    text: &str,
    number: &Decimal<'_>,
    factor: u64,
    least: &str,
) -> Result<u64, UnitError> {
    number.times(factor).ok_or_else(|| {
        let text = crate::diag::quote(text);
        let what = match number.places {
            0 => format!("{text} is too large for {}", Q::NAME),
            _ => format!("{text} is too large, or no whole number of {least}"),
        };
        UnitError {
            what,
            help: format!("write it as in {}", Q::EXAMPLE),
        }
    })
}

fn wrong_unit<Q: Quantity>(text: &str, unit: &str, help: String) -> UnitError {
    let unit = crate::diag::quote(unit);
    UnitError {
        what: format!(
            "{unit} in {} is not a unit of {}",
            crate::diag::quote(text),
            Q::OF
        ),
        help,
    }
}

impl Quantity for Duration {
    const NAME: &'static str = "a duration";
    const OF: &'static str = "time";
    const EXAMPLE: &'static str = "`500ms`, `10s`, `2m` or `1h`";

    fn parse(text: &str) -> Result<Duration, UnitError> {
        let (number, unit) = split::<Duration>(text)?;
        let factor = match unit {
            "us" => 1,
            "ms" => 1_000,
            "s" => 1_000_000,
            "m" => 60_000_000,
            "h" => 3_600_000_000,
            "" => {
                return Err(UnitError {
                    what: format!("{} has no unit", crate::diag::quote(text)),
                    help: format!("for seconds write `{}s`", number.text),
                });
            }
            _ => {
                let meant = match unit.to_lowercase().as_str() {
                    "sec" | "secs" | "second" | "seconds" => Some("s"),
                    "min" | "mins" | "minute" | "minutes" => Some("m"),
                    "hr" | "hrs" | "hour" | "hours" => Some("h"),
                    "msec" | "millisecond" | "milliseconds" => Some("ms"),
                    "µs" | "usec" | "microsecond" | "microseconds" => Some("us"),
                    "s" | "h" => Some(if unit == "S" { "s" } else { "h" }),
                    _ => None,
                };
                let help = match meant {
                    Some(meant) => format!("write `{}{meant}`", number.text),
                    None => "units are `us`, `ms`, `s`, `m` (minutes) and `h`; one number and one \
                             unit, as in `90s`"
                        .to_owned(),
                };
                return Err(wrong_unit::<Duration>(text, unit, help));
            }
        };
        let micros = whole::<Duration>(text, &number, factor, "microseconds")?;
        Ok(Duration(std::time::Duration::from_micros(micros)))
    }
}

impl Quantity for BitRate {
    const NAME: &'static str = "a bit rate";
    const OF: &'static str = "rate";
    const EXAMPLE: &'static str = "`100 Mbit/s`";

    fn parse(text: &str) -> Result<BitRate, UnitError> {
        let (number, unit) = split::<BitRate>(text)?;
        let factor = match unit {
            "" | "bit/s" | "bps" => 1,
            "kbit/s" | "kbps" => 1_000,
            "Mbit/s" | "Mbps" => 1_000_000,
            "Gbit/s" | "Gbps" => 1_000_000_000,
            "Tbit/s" | "Tbps" => 1_000_000_000_000,
            _ => return Err(wrong_unit::<BitRate>(text, unit, rate_help(&number, unit))),
        };
        whole::<BitRate>(text, &number, factor, "bits a second").map(BitRate)
    }
}

/// What a unit that is not one of a bit rate probably means.
fn rate_help(number: &Decimal<'_>, unit: &str) -> String {
    let units = "units are `bit/s`, `kbit/s`, `Mbit/s`, `Gbit/s` and `Tbit/s`, as in `100 Mbit/s`";
    let mut letters = unit.chars();
    let (prefix, factor) = match letters.next().map(|c| c.to_ascii_lowercase()) {
        Some('k') => ("k", 1_000),
        Some('m') => ("M", 1_000_000),
        Some('g') => ("G", 1_000_000_000),
        Some('t') => ("T", 1_000_000_000_000),
        Some('b') => {
            letters = unit.chars();
            ("", 1)
        }
        _ => return units.to_owned(),
    };
    let rest = letters.as_str();
    let bits = format!("{} {prefix}bit/s", number.text);
    if rest.starts_with('B') || rest.starts_with("byte") {
        // Bytes or bits? The person knows.
        let bytes = number
            .times(factor)
            .and_then(|bytes| bytes.checked_mul(8))
            .map(|bits| BitRate(bits).to_string());
        match bytes {
            Some(bytes) => {
                format!("rates are in bits: for bytes write `{bytes}`, for bits `{bits}`")
            }
            None => units.to_owned(),
        }
    } else if [
        "", "b", "bit", "bits", "b/s", "bps", "bit/s", "bits/s", "bitps",
    ]
    .contains(&rest.to_lowercase().as_str())
    {
        format!("write `{bits}`")
    } else {
        units.to_owned()
    }
}

impl Quantity for Bytes {
    const NAME: &'static str = "a number of bytes";
    const OF: &'static str = "size";
    const EXAMPLE: &'static str = "`1460`, `128 KiB` or `2 MiB`";

    fn parse(text: &str) -> Result<Bytes, UnitError> {
        let (number, unit) = split::<Bytes>(text)?;
        let factor = match unit {
            "" | "B" => 1,
            "KiB" => 1 << 10,
            "MiB" => 1 << 20,
            "GiB" => 1 << 30,
            _ => {
                let thousand = match unit.to_lowercase().as_str() {
                    "k" | "kb" | "kib" => Some(("KiB", 1_000)),
                    "m" | "mb" | "mib" => Some(("MiB", 1_000_000)),
                    "g" | "gb" | "gib" => Some(("GiB", 1_000_000_000)),
                    _ => None,
                };
                let decimal = thousand
                    .and_then(|(unit, factor)| number.times(factor).map(|decimal| (unit, decimal)));
                let help = match decimal {
                    Some((unit, decimal)) => format!(
                        "write `{} {unit}` for powers of 1024, or `{decimal}` for powers of 1000",
                        number.text
                    ),
                    None => format!(
                        "units are `B`, `KiB`, `MiB` and `GiB`, as in {}",
                        Bytes::EXAMPLE
                    ),
                };
                return Err(wrong_unit::<Bytes>(text, unit, help));
            }
        };
        whole::<Bytes>(text, &number, factor, "bytes").map(Bytes)
    }
}

impl Quantity for Percent {
    const NAME: &'static str = "a percentage";
    const OF: &'static str = "share";
    const EXAMPLE: &'static str = "`0.1%`";

    fn parse(text: &str) -> Result<Percent, UnitError> {
        let (number, unit) = split::<Percent>(text)?;
        match (unit, number.text.parse::<f64>()) {
            ("%", Ok(percent)) if percent.is_finite() => Ok(Percent(percent)),
            ("", _) => Err(UnitError {
                what: format!("{} has no unit", crate::diag::quote(text)),
                help: format!("write `{}%`", number.text),
            }),
            _ => Err(wrong_unit::<Percent>(
                text,
                unit,
                format!("write `{}%`", number.text),
            )),
        }
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_micros() {
            us if us.is_multiple_of(1_000_000) => write!(f, "{}s", us / 1_000_000),
            us if us.is_multiple_of(1_000) => write!(f, "{}ms", us / 1_000),
            us => write!(f, "{us}us"),
        }
    }
}

impl fmt::Display for BitRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (factor, unit) in [
            (1_000_000_000, "Gbit/s"),
            (1_000_000, "Mbit/s"),
            (1_000, "kbit/s"),
        ] {
            if self.0 >= factor && self.0.is_multiple_of(factor) {
                return write!(f, "{} {unit}", self.0 / factor);
            }
        }
        write!(f, "{} bit/s", self.0)
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (factor, unit) in [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")] {
            if self.0 >= factor && self.0.is_multiple_of(factor) {
                return write!(f, "{} {unit}", self.0 / factor);
            }
        }
        write!(f, "{}", self.0)
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.0)
    }
}

macro_rules! into_string {
    ($($unit:ty),*) => { $(impl From<$unit> for String {
        fn from(quantity: $unit) -> String {
            quantity.to_string()
        }
    })* };
}
into_string!(Duration, BitRate, Bytes, Percent);

impl From<BitRate> for u64 {
    fn from(rate: BitRate) -> u64 {
        rate.0
    }
}

impl From<Bytes> for u64 {
    fn from(bytes: Bytes) -> u64 {
        bytes.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn help<Q: Quantity>(text: &str) -> String {
        match Q::parse(text) {
            Ok(_) => panic!("{text} is read"),
            Err(error) => error.help,
        }
    }

    #[test]
    fn quantities_are_read_as_people_write_them() {
        let ms = |ms| Ok(Duration(std::time::Duration::from_millis(ms)));
        assert_eq!(Duration::parse("10s"), ms(10_000));
        assert_eq!(Duration::parse(" 1.5 s "), ms(1_500));
        assert_eq!(Duration::parse("2m"), ms(120_000));
        assert_eq!(BitRate::parse("1Gbit/s"), Ok(BitRate(1_000_000_000)));
        assert_eq!(BitRate::parse("2.5 Gbps"), Ok(BitRate(2_500_000_000)));
        assert_eq!(BitRate::parse("64000"), Ok(BitRate(64_000)));
        assert_eq!(Bytes::parse("128 KiB"), Ok(Bytes(131_072)));
        assert_eq!(Bytes::parse("1460"), Ok(Bytes(1460)));
        assert_eq!(Percent::parse("0.1%"), Ok(Percent(0.1)));
    }

    #[test]
    fn help_says_what_to_write() {
        assert_eq!(help::<Duration>("10"), "for seconds write `10s`");
        assert_eq!(help::<Duration>("5 sec"), "write `5s`");
        assert_eq!(
            help::<BitRate>("1 GB/s"),
            "rates are in bits: for bytes write `8 Gbit/s`, for bits `1 Gbit/s`"
        );
        assert_eq!(help::<BitRate>("100M"), "write `100 Mbit/s`");
        assert_eq!(help::<BitRate>("100 mbit/s"), "write `100 Mbit/s`");
        assert_eq!(
            help::<Bytes>("128K"),
            "write `128 KiB` for powers of 1024, or `128000` for powers of 1000"
        );
        assert_eq!(help::<Percent>("0.1"), "write `0.1%`");
    }

    #[test]
    fn what_is_no_quantity_is_refused() {
        for text in [
            "",
            "s",
            "-1s",
            "1..2s",
            "1.s",
            ".5s",
            "1e3s",
            "٣s",
            "0.0000001s",
        ] {
            assert!(Duration::parse(text).is_err(), "{text}");
        }
        assert!(Bytes::parse("99999999999999999999").is_err());
        assert!(Bytes::parse(&"9".repeat(100_000)).is_err());
        assert!(Percent::parse(&format!("{}%", "9".repeat(400))).is_err());
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_again(number: u64, percent in 0.0..100.0_f64) {
            let duration = Duration(std::time::Duration::from_micros(number));
            prop_assert_eq!(Duration::parse(&duration.to_string()), Ok(duration));
            prop_assert_eq!(BitRate::parse(&BitRate(number).to_string()), Ok(BitRate(number)));
            prop_assert_eq!(Bytes::parse(&Bytes(number).to_string()), Ok(Bytes(number)));
            let short = Percent((percent * 1000.0).round() / 1000.0);
            prop_assert_eq!(Percent::parse(&short.to_string()), Ok(short));
        }

        #[test]
        fn round_numbers_too(number in 0..5_000_u64, power in 0..4_u32) {
            let rate = BitRate(number * 1000_u64.pow(power));
            prop_assert_eq!(BitRate::parse(&rate.to_string()), Ok(rate));
            let bytes = Bytes(number << (10 * power));
            prop_assert_eq!(Bytes::parse(&bytes.to_string()), Ok(bytes));
        }

        #[test]
        fn any_text_is_read_or_refused(text: String) {
            let _ = (Duration::parse(&text), BitRate::parse(&text));
            let _ = (Bytes::parse(&text), Percent::parse(&text));
        }
    }
}

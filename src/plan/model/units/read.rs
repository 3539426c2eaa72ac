//! Text → quantity, with help for what people write instead.

use super::decimal::{Decimal, split, whole, wrong_unit};
use super::{BitRate, Bytes, Duration, Percent, Quantity};
use crate::diag::Problem;

impl Quantity for Duration {
    const NAME: &'static str = "a duration";
    const OF: &'static str = "time";
    const EXAMPLE: &'static str = "`500ms`, `10s`, `2m` or `1h`";

    fn parse(text: &str) -> Result<Duration, Problem> {
        let (number, unit) = split::<Duration>(text)?;
        let factor = match unit {
            "us" => 1,
            "ms" => 1_000,
            "s" => 1_000_000,
            "m" => 60_000_000,
            "h" => 3_600_000_000,
            "" => {
                return Err(Problem::without_place(format!(
                    "{} has no unit",
                    crate::diag::quote(text)
                ))
                .help(format!("for seconds write `{}s`", number.text)));
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
                             unit, e.g. `90s`"
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

    fn parse(text: &str) -> Result<BitRate, Problem> {
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
    let units = "units are `bit/s`, `kbit/s`, `Mbit/s`, `Gbit/s` and `Tbit/s`, e.g. `100 Mbit/s`";
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

    fn parse(text: &str) -> Result<Bytes, Problem> {
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
                        "units are `B`, `KiB`, `MiB` and `GiB`, e.g. {}",
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

    fn parse(text: &str) -> Result<Percent, Problem> {
        let (number, unit) = split::<Percent>(text)?;
        match (unit, number.text.parse::<f64>()) {
            ("%", Ok(percent)) if percent.is_finite() => Ok(Percent(percent)),
            ("", _) => Err(Problem::without_place(format!(
                "{} has no unit",
                crate::diag::quote(text)
            ))
            .help(format!("write `{}%`", number.text))),
            _ => Err(wrong_unit::<Percent>(
                text,
                unit,
                format!("write `{}%`", number.text),
            )),
        }
    }
}

//! Quantities as people write them: `10s`, `100 Mbit/s`, `2 MiB`, `0.1%`.

mod decimal;
mod read;
mod show;

use crate::diag::Problem;
use serde::Serialize;

pub use decimal::{Decimal, split};

/// A span of time. Written `500ms`, `10s`, `2m` or `1h`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(into = "String")]
pub struct Duration(pub std::time::Duration);

/// Bits a second. Written `100 Mbit/s`, `1Gbit/s`, or a plain number of bits a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(into = "String")]
pub struct BitRate(pub u64);

/// A number of bytes. Written `128 KiB`, `2MiB`, or a plain number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(into = "String")]
pub struct Bytes(pub u64);

/// A share of a hundred. Written `0.1%`.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize)]
#[serde(into = "String")]
pub struct Percent(pub f64);

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
    fn parse(text: &str) -> Result<Self, Problem>;
}

impl Duration {
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Self(std::time::Duration::from_micros(micros))
    }

    /// Whole microseconds; at most what a number of them can be.
    #[must_use]
    pub fn as_micros(self) -> u64 {
        u64::try_from(self.0.as_micros()).unwrap_or(u64::MAX)
    }
}

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
            Err(error) => error.help.unwrap_or_default(),
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

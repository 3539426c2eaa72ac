//! A number and the unit behind it, before the unit is known; and what is said when they do not
//! fit.

use super::Quantity;
use crate::diag::Problem;

/// A decimal number without sign or exponent, exactly: `digits / 10^places`.
#[derive(Debug)]
pub struct Decimal<'a> {
    pub text: &'a str,
    digits: u128,
    places: u32,
}

impl Decimal<'_> {
    /// The number times `factor`, when that is whole and fits.
    pub(super) fn times(&self, factor: u64) -> Option<u64> {
        let product = self.digits.checked_mul(u128::from(factor))?;
        let divisor = 10_u128.checked_pow(self.places)?;
        (product % divisor == 0)
            .then(|| u64::try_from(product / divisor).ok())
            .flatten()
    }
}

/// Splits `100 Mbit/s` into number and unit.
///
/// # Errors
/// When the text does not start with a decimal number that fits.
pub fn split<Q: Quantity>(text: &str) -> Result<(Decimal<'_>, &str), Problem> {
    let trimmed = text.trim();
    let end = trimmed
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(trimmed.len());
    let (number, unit) = trimmed.split_at(end);
    let not_one = || {
        Problem::without_place(format!("{} is not {}", crate::diag::quote(text), Q::NAME))
            .help(format!("write e.g. {}", Q::EXAMPLE))
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
pub(super) fn whole<Q: Quantity>(
    text: &str,
    number: &Decimal<'_>,
    factor: u64,
    least: &str,
) -> Result<u64, Problem> {
    number.times(factor).ok_or_else(|| {
        let text = crate::diag::quote(text);
        let what = match number.places {
            0 => format!("{text} is too large for {}", Q::NAME),
            _ => format!("{text} is too large, or no whole number of {least}"),
        };
        Problem::without_place(what).help(format!("write e.g. {}", Q::EXAMPLE))
    })
}

pub(super) fn wrong_unit<Q: Quantity>(text: &str, unit: &str, help: String) -> Problem {
    let unit = crate::diag::quote(unit);
    Problem::without_place(format!(
        "{unit} in {} is not a unit of {}",
        crate::diag::quote(text),
        Q::OF
    ))
    .help(help)
}

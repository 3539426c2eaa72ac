//! From values to pixels, and the ticks of an axis.

/// A linear scale from values to pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// The values at the ends.
    pub domain: (f64, f64),
    /// The pixels at the ends.
    pub range: (f64, f64),
}

impl Scale {
    /// A domain without an extent is widened by 1, so that each value has a place.
    pub fn new(domain: (f64, f64), range: (f64, f64)) -> Scale {
        let (low, high) = domain;
        let domain = if high - low > 0.0 && (high - low).is_finite() {
            domain
        } else {
            (low, low + 1.0)
        };
        Scale { domain, range }
    }

    /// The pixel of a value.
    pub fn at(&self, value: f64) -> f64 {
        let share = (value - self.domain.0) / (self.domain.1 - self.domain.0);
        self.range.0 + share * (self.range.1 - self.range.0)
    }

    /// Round values inside the domain, at most about `most`.
    pub fn ticks(&self, most: usize) -> Vec<f64> {
        let (low, high) = self.domain;
        let step = round_step((high - low) / most.max(1) as f64);
        let first = (low / step).ceil();
        (0..=most + 1)
            .map(|i| (first + i as f64) * step)
            .filter(|tick| *tick <= high + step * 1e-9)
            .collect()
    }
}

/// The end of an axis from 0 to a little above `top`.
pub fn axis_end(top: f64) -> f64 {
    if top.is_finite() && top > 0.0 {
        top * 1.04
    } else {
        1.0
    }
}

/// 1, 2 or 5 times a power of ten, not below `least`.
fn round_step(least: f64) -> f64 {
    if !(least.is_finite() && least > 0.0) {
        return 1.0;
    }
    let power = 10_f64.powf(least.log10().floor());
    let factor = least / power;
    let round = [1.0, 2.0, 5.0]
        .into_iter()
        .find(|r| factor <= r * (1.0 + 1e-9));
    round.unwrap_or(10.0) * power
}

/// The labels of ticks, all with as many decimals as the finest needs.
pub fn tick_labels(ticks: &[f64]) -> Vec<String> {
    let step = match ticks {
        [first, second, ..] => second - first,
        _ => ticks.first().copied().unwrap_or(1.0),
    };
    let mut decimals = 0;
    let mut shifted = step.abs();
    while decimals < 9 && shifted > 0.0 && (shifted - shifted.round()).abs() > 1e-6 * shifted {
        decimals += 1;
        shifted *= 10.0;
    }
    ticks
        .iter()
        .map(|tick| format_value(*tick, decimals))
        .collect()
}

/// A value with its decimals, never as a negative zero. From 10 000 on, narrow no-break spaces group the
/// digits.
#[must_use]
pub fn format_value(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    let digits = text.trim_start_matches('-');
    let is_zero = digits.bytes().all(|byte| matches!(byte, b'0' | b'.'));
    let sign = if text.starts_with('-') && !is_zero {
        "\u{2212}"
    } else {
        ""
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let mut grouped = String::from(sign);
    let is_long = whole.len() > 4 && whole.bytes().all(|byte| byte.is_ascii_digit());
    for (at, digit) in whole.chars().enumerate() {
        if is_long && at > 0 && (whole.len() - at).is_multiple_of(3) {
            grouped.push('\u{202f}');
        }
        grouped.push(digit);
    }
    if !fraction.is_empty() {
        grouped.push('.');
        grouped.push_str(fraction);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ticks_are_round() {
        let ticks = |low, high, most| {
            let scale = Scale::new((low, high), (0.0, 100.0));
            tick_labels(&scale.ticks(most)).join(" ")
        };
        assert_eq!(ticks(0.0, 3500.0, 5), "0 1000 2000 3000");
        assert_eq!(ticks(0.0, 1.0, 5), "0.0 0.2 0.4 0.6 0.8 1.0");
        assert_eq!(ticks(96.0, 1440.0, 8), "200 400 600 800 1000 1200 1400");
        assert_eq!(
            ticks(0.0, 60_000.0, 3),
            "0 20\u{202f}000 40\u{202f}000 60\u{202f}000"
        );
        assert_eq!(
            [0.0, f64::NAN, 100.0].map(|top| axis_end(top).to_string()),
            ["1", "1", "104"]
        );
        assert_eq!(format_value(-0.001, 1), "0.0");
        assert_eq!(format_value(-1.25, 1), "\u{2212}1.2");
    }

    proptest! {
        #[test]
        fn any_scale_has_a_few_ticks_inside(low in -1e9..1e9, extent in 0.0..1e12, most in 1_usize..20) {
            let scale = Scale::new((low, low + extent), (0.0, 500.0));
            let ticks = scale.ticks(most);
            prop_assert!(ticks.len() <= most + 2);
            for tick in ticks {
                let at = scale.at(tick);
                prop_assert!(at > -0.01 && at < 500.01, "{} at {}", tick, at);
            }
        }
    }
}

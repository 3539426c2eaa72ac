//! The units of metrics.

use super::better::Better;

/// What the figures of a metric count, in plans and in the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unit {
    /// Bits per second; more is better.
    BitsPerSecond,
    /// Events per second; more is better.
    PerSecond,
    /// Microseconds; less is better.
    Microseconds,
    /// Percent; less is better.
    Percent,
    /// Bytes; more is better.
    Bytes,
    /// A plain number; less is better.
    Count,
}

impl Unit {
    /// All units.
    pub const ALL: [Unit; 6] = [
        Unit::BitsPerSecond,
        Unit::PerSecond,
        Unit::Microseconds,
        Unit::Percent,
        Unit::Bytes,
        Unit::Count,
    ];

    /// The suffix that the journal adds to the first part of a metric's name.
    #[must_use]
    pub const fn suffix(self) -> &'static str {
        match self {
            Unit::BitsPerSecond => "_bps",
            Unit::PerSecond => "_per_s",
            Unit::Microseconds => "_us",
            Unit::Percent => "_percent",
            Unit::Bytes => "_bytes",
            Unit::Count => "",
        }
    }

    /// The unit as people write it behind a figure: `bit/s`, `µs`; empty for a plain number.
    #[must_use]
    pub const fn symbol(self) -> &'static str {
        match self {
            Unit::BitsPerSecond => "bit/s",
            Unit::PerSecond => "a second",
            Unit::Microseconds => "µs",
            Unit::Percent => "%",
            Unit::Bytes => "bytes",
            Unit::Count => "",
        }
    }

    /// The unit that the name of a metric in the journal carries, and the name without it:
    /// `latency_us.p99` is `latency` and `.p99` in microseconds.
    #[must_use]
    pub fn split_name(name: &str) -> (&str, &str, Unit) {
        let (head, rest) = name.split_at(name.find('.').unwrap_or(name.len()));
        let suffixed = Unit::ALL.into_iter().find_map(|unit| {
            let suffix = Some(unit.suffix()).filter(|suffix| !suffix.is_empty())?;
            Some((head.strip_suffix(suffix)?, unit))
        });
        let (head, unit) = suffixed.unwrap_or((head, Unit::Count));
        (head, rest, unit)
    }

    /// Whether a larger figure is the better one.
    #[must_use]
    pub const fn more_is_better(self) -> bool {
        matches!(self, Unit::BitsPerSecond | Unit::PerSecond | Unit::Bytes)
    }

    /// Which way a metric of this unit changes for the better, unless it says otherwise.
    pub(super) const fn better(self) -> Better {
        if self.more_is_better() {
            Better::More
        } else {
            Better::Less
        }
    }
}

//! The options of built-in tools.

use std::ops::RangeInclusive;

use super::Direction;

/// An option of a built-in tool, as a test sets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolOption {
    /// Its key in plans.
    pub name: &'static str,
    /// What it is, without limits and default: a clause without a full stop.
    pub text: &'static str,
    pub kind: Kind,
    /// The allowed values, in the unit of `kind`; empty for a name or a flag.
    pub limits: RangeInclusive<u64>,
    /// The value where a test leaves it out; `None` where the tool decides, or the kernel.
    pub default: Option<u64>,
    /// What happens where a test leaves it out and `default` is `None`: `the path's own`.
    pub otherwise: &'static str,
    /// Whether it takes a list or a range of values. Each value is a cell.
    pub sweeps: bool,
    pub role: Role,
    /// The modes of the tool that have it; empty for all modes.
    pub modes: &'static [&'static str],
    /// What a report says of its value, with `{}` for it: `{} streams`. Empty for nothing.
    pub phrase: &'static str,
}

/// What the value of an option is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A whole number of something: `streams`, `bytes`.
    Number(&'static str),
    /// A number of bytes, which may have a unit: `128 KiB`.
    Bytes,
    /// Bits per second: `100 Mbit/s`.
    BitRate,
    /// The word of a [`Direction`]; the limits are those of its number.
    Direction,
    /// Microseconds, written with a unit: `20ms`.
    Duration,
    /// A name of ASCII letters, digits, `_` and `-`.
    Name {
        longest: usize,
        /// What it names: `congestion control`.
        of: &'static str,
        /// Where the names come from.
        help: &'static str,
    },
    /// `true` or `false`; false where it is left out.
    Flag,
}

/// What an option means for the traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The size of what a stream sends. Each mode has its own, see [`Mode::size_help`](super::Mode).
    Size,
    /// The size of a request or a response. Over UDP it is one datagram.
    Message,
    Other,
}

#[expect(clippy::reversed_empty_ranges, reason = "it is empty on purpose")]
const EMPTY: RangeInclusive<u64> = 1..=0;

/// An option of all modes, without a default: the methods below say more.
const fn option(
    name: &'static str,
    text: &'static str,
    kind: Kind,
    limits: RangeInclusive<u64>,
) -> ToolOption {
    ToolOption {
        name,
        text,
        sweeps: matches!(
            kind,
            Kind::Number(_) | Kind::Bytes | Kind::BitRate | Kind::Direction
        ),
        kind,
        limits,
        default: None,
        otherwise: "",
        role: Role::Other,
        modes: &[],
        phrase: "",
    }
}

impl ToolOption {
    /// A number of `of` that sweeps.
    pub(super) const fn number(
        name: &'static str,
        text: &'static str,
        of: &'static str,
        limits: RangeInclusive<u64>,
    ) -> Self {
        option(name, text, Kind::Number(of), limits)
    }

    /// A number of bytes, with a unit, that sweeps.
    pub(super) const fn bytes(
        name: &'static str,
        text: &'static str,
        limits: RangeInclusive<u64>,
    ) -> Self {
        option(name, text, Kind::Bytes, limits)
    }

    /// A rate that sweeps.
    pub(super) const fn bit_rate(
        name: &'static str,
        text: &'static str,
        limits: RangeInclusive<u64>,
    ) -> Self {
        option(name, text, Kind::BitRate, limits)
    }

    /// The direction of the payload, which sweeps, up to this one.
    pub(super) const fn direction(text: &'static str, most: Direction) -> Self {
        option("direction", text, Kind::Direction, 0..=most.number())
            .otherwise(Direction::Forward.word())
            .phrase("{}")
    }

    /// A time, with limits in microseconds. It does not sweep.
    pub(super) const fn duration(
        name: &'static str,
        text: &'static str,
        limits: RangeInclusive<u64>,
    ) -> Self {
        option(name, text, Kind::Duration, limits)
    }

    /// A name or a flag, which do not sweep.
    pub(super) const fn other(name: &'static str, text: &'static str, kind: Kind) -> Self {
        option(name, text, kind, EMPTY)
    }

    pub(super) const fn default(self, value: u64) -> Self {
        Self {
            default: Some(value),
            ..self
        }
    }

    pub(super) const fn otherwise(self, otherwise: &'static str) -> Self {
        Self { otherwise, ..self }
    }

    pub(super) const fn fixed(self) -> Self {
        Self {
            sweeps: false,
            ..self
        }
    }

    pub(super) const fn role(self, role: Role) -> Self {
        Self { role, ..self }
    }

    pub(super) const fn only_for(self, modes: &'static [&'static str]) -> Self {
        Self { modes, ..self }
    }

    pub(super) const fn phrase(self, phrase: &'static str) -> Self {
        Self { phrase, ..self }
    }
}

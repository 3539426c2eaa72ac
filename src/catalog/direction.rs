//! Which way the payload of a test goes over its path.

use serde::{Deserialize, Serialize};

/// The direction of a test's payload. Its client always dials from the path's origin.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From the path's origin to its destination.
    #[default]
    Forward,
    /// From the path's destination to its origin.
    Reverse,
    /// Both at once.
    Both,
}

impl Direction {
    /// All of them. As a parameter's value each is its place in this list.
    pub const ALL: [Direction; 3] = [Direction::Forward, Direction::Reverse, Direction::Both];

    /// As plans, cell ids and files write it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Direction::Forward => "forward",
            Direction::Reverse => "reverse",
            Direction::Both => "both",
        }
    }

    /// What it means, in a sentence.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Direction::Forward => "From the path's `from` to its `to`.",
            Direction::Reverse => {
                "From the path's `to` to its `from`, over a connection that `from` makes."
            }
            Direction::Both => {
                "Both at once. The headline is the sum of what arrived; `throughput.forward` and \
                 `throughput.reverse` are its parts."
            }
        }
    }

    /// Its value as a parameter.
    #[must_use]
    pub const fn number(self) -> u64 {
        match self {
            Direction::Forward => 0,
            Direction::Reverse => 1,
            Direction::Both => 2,
        }
    }

    /// The direction of this value of a parameter.
    #[must_use]
    pub fn from_number(number: u64) -> Option<Direction> {
        Self::ALL.into_iter().find(|it| it.number() == number)
    }

    /// The direction that plans write so.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Direction> {
        Self::ALL.into_iter().find(|it| it.word() == word)
    }
}

//! A change that is reported.

/// What was found in a series.
#[derive(Clone, Debug, PartialEq)]
pub struct JudgedSeries {
    /// Mean of the logarithms since the last change.
    pub now: f64,
    /// In the order of time.
    pub changes: Vec<Change>,
}

/// A change that is real enough and large enough to be reported.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    pub kind: Kind,
    pub direction: Direction,
    pub status: Status,
    /// Position of the first run after a step, and of the first run of a drift.
    pub run: usize,
    /// How many values are on the new level; of a drift, how many values it has.
    pub after: usize,
    /// The change as a share of the level before: −0.08 is 8 % less. Of a drift over its whole length.
    pub share: f64,
    /// The probability of such a change without any, after all corrections.
    pub p: f64,
}

/// How a change happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// From one run to the next.
    Step,
    /// A little with each run.
    Drift,
}

/// Whether a change is for the worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Direction {
    /// For the worse: less throughput, more latency.
    Slower,
    Faster,
}

/// How sure a change is, and whether it lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Status {
    /// The level is back where it was before.
    Recovered,
    /// There are fewer than five values since: it may be odd runs.
    Suspected,
    Confirmed,
}

impl Kind {
    /// As JSON has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Kind::Step => "step",
            Kind::Drift => "drift",
        }
    }
}

impl Direction {
    /// As JSON has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Direction::Slower => "slower",
            Direction::Faster => "faster",
        }
    }
}

impl Status {
    /// As JSON has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Status::Recovered => "recovered",
            Status::Suspected => "suspected",
            Status::Confirmed => "confirmed",
        }
    }
}

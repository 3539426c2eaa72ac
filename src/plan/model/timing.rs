//! How long and how often a cell is measured.

use schemars::JsonSchema;
use serde::Serialize;

use crate::plan::model::units::{Duration, Percent};

/// How long and how often a cell is measured. `defaults:` sets these for every test.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Timing {
    /// How long one sample measures. iperf3 and netperf take whole seconds. Default: 10s.
    pub duration: Duration,
    /// How long traffic flows before the measurement begins; not measured. For iperf3 at most 60s.
    /// Default: 0s.
    pub warmup: Duration,
    /// Pause after each sample. Default: 0s.
    pub cooldown: Duration,
    /// A sample that takes longer than this is killed. Default: warm-up and duration and what the
    /// tool itself needs, and 10 seconds; at least 40 seconds for UDP with iperf3.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Duration>,
    /// How often a failed sample is tried again before its cell has failed. Default: 1.
    #[schemars(range(max = 100))]
    pub retries: u32,
    /// How many samples a cell gets. Default: 1.
    pub repeat: Repeat,
}

impl Default for Timing {
    fn default() -> Timing {
        Timing {
            duration: Duration(std::time::Duration::from_secs(10)),
            warmup: Duration::default(),
            cooldown: Duration::default(),
            timeout: None,
            retries: 1,
            repeat: Repeat::Times(1),
        }
    }
}

/// How many samples a cell gets: a number, or as many as it takes to be sure.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Repeat {
    /// This many.
    Times(#[schemars(range(min = 1, max = 10_000))] u32),
    /// Until the mean is known well enough.
    Until(Until),
}

/// Sample until the 95 % confidence interval of the mean is narrow enough.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Until {
    /// At least this many samples, 2 or more. Default: 3.
    #[schemars(range(min = 2, max = 10_000))]
    pub min: u32,
    /// At most this many. Default: 20.
    #[schemars(range(min = 2, max = 10_000))]
    pub max: u32,
    /// Half the interval's width in percent of the mean, as in `2%`.
    pub until: Percent,
}

impl Repeat {
    /// No cell gets fewer samples.
    #[must_use]
    pub fn least(self) -> u32 {
        match self {
            Repeat::Times(times) => times,
            Repeat::Until(until) => until.min,
        }
    }

    /// No cell gets more samples.
    #[must_use]
    pub fn most(self) -> u32 {
        match self {
            Repeat::Times(times) => times,
            Repeat::Until(until) => until.max,
        }
    }
}

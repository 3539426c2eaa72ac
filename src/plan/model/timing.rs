//! How long and how often a cell is measured.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::plan::model::units::{Duration, Percent};

/// How long and how often a cell is measured. The keys are described in `describe/keys/timing.rs`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Timing {
    /// How long one sample measures.
    pub duration: Duration,
    /// How long traffic flows before that.
    pub warmup: Duration,
    /// Pause after each sample.
    pub cooldown: Duration,
    /// When a sample is killed. `None` for what the tool needs and some seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Duration>,
    /// How often a failed sample is tried again before its cell has failed.
    pub retries: u32,
    /// How many samples a cell gets.
    pub repeat: Repeat,
    /// The length of the intervals whose figures are recorded; `None` for no such record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intervals: Option<Duration>,
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
            intervals: None,
        }
    }
}

/// How many samples a cell gets: a number, or as many as it takes to be sure.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Repeat {
    /// This many.
    Times(u32),
    /// Until the mean is known well enough.
    Until(Until),
}

/// Sample until the 95 % confidence interval of the mean, or of the ratio to a variant, is narrow enough.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Until {
    /// At least this many samples, 2 or more.
    pub min: u32,
    /// At most this many.
    pub max: u32,
    pub until: Precision,
}

/// How narrow an interval has to be.
#[derive(Clone, Debug, PartialEq)]
pub struct Precision {
    /// Half the interval's width, in percent of the mean or of the ratio.
    pub percent: Percent,
    /// The variant to which the ratio is known so well; `None` for the mean itself.
    pub of: Option<String>,
}

impl From<Percent> for Precision {
    fn from(percent: Percent) -> Self {
        Precision { percent, of: None }
    }
}

/// As the plan writes it: `2%`, `1% of plain`.
impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.of {
            Some(of) => write!(f, "{} of {of}", self.percent),
            None => write!(f, "{}", self.percent),
        }
    }
}

impl Serialize for Precision {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Repeat {
    /// No cell gets fewer samples.
    #[must_use]
    pub fn least(&self) -> u32 {
        match self {
            Repeat::Times(times) => *times,
            Repeat::Until(until) => until.min,
        }
    }

    /// No cell gets more samples.
    #[must_use]
    pub fn most(&self) -> u32 {
        match self {
            Repeat::Times(times) => *times,
            Repeat::Until(until) => until.max,
        }
    }
}

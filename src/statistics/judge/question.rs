//! What is asked: a value for each run of two sides or a change by pairs, and what counts as a change.

use serde::{Deserialize, Serialize};

use super::answer::Basis;
use crate::catalog::Better;
use crate::statistics::{ALPHA, Difference, Interval, Spread};

/// How values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// Values are logarithms, and changes shares: a share of 0.03 is 3 %.
    Log,
    /// Values and changes are percentage points: a share of 0.03 is 0.03 points.
    Points,
    /// Values are what they are, often 0. A share of 0.03 is a difference of 0.03 in the metric's unit.
    Difference,
}

/// What is asked about one metric of one path: by a value for each run of two sides, or by pairs.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// A value for each run, on the scale.
    pub base: Vec<f64>,
    pub new: Vec<f64>,
    /// The change by pairs of the same rounds; then `base` and `new` are empty.
    pub pairs: Option<Difference>,
    pub scale: Scale,
    /// [`Better::Neither`] is judged as if more were better.
    pub better: Better,
    /// Changes of at most this share in either direction are alike.
    pub margin: f64,
    /// How much single runs of an unchanged setup spread, on the scale.
    pub floor: Option<Spread>,
    /// The change for the worse beyond which the comparison fails, as a share.
    pub limit: Option<f64>,
}

/// On the scale of differences, single values are taken to spread by at least this share of the change.
///
/// What happens in some runs only, as an outage, has no spread where it happened in none or in all of a few runs. Of unchanged
/// runs in which it happens or not by chance, all of one side and none of the other have it once in 2^(n + m − 1), which is
/// much more than the p-value of a change with a spread near 0. With this bound two runs a side are never enough, and
/// p-values of n runs a side go down to that of Student's 4 / √(2 / n): 0.008 of three, 0.0002 of five.
const LEAST_SPREAD: f64 = 0.25;

impl Scale {
    /// A change on the scale from one in share: ln(1 + share).
    #[must_use]
    pub fn from_share(self, share: f64) -> f64 {
        match self {
            Scale::Log => share.ln_1p(),
            Scale::Points => share * 100.0,
            Scale::Difference => share,
        }
    }

    /// A change as a share: the inverse of [`Scale::from_share`].
    #[must_use]
    pub fn to_share(self, change: f64) -> f64 {
        match self {
            Scale::Log => change.exp_m1(),
            Scale::Points => change / 100.0,
            Scale::Difference => change,
        }
    }
}

impl Question {
    /// A change for the better is positive after it is multiplied by this.
    pub(super) fn sign(&self) -> f64 {
        match self.better {
            Better::More | Better::Neither => 1.0,
            Better::Less => -1.0,
        }
    }

    /// The size on the scale of a change for the worse by a share, positive.
    pub(super) fn worse_by(&self, share: f64) -> f64 {
        -self.sign() * self.scale.from_share(-self.sign() * share)
    }

    /// The share of a change for the worse of this size on the scale.
    pub(super) fn share_of_worse(&self, size: f64) -> f64 {
        -self.sign() * self.scale.to_share(-self.sign() * size)
    }

    /// The change with its error, and where its spread is known from.
    #[must_use]
    pub fn estimate(&self) -> Option<(Difference, Basis)> {
        if let Some(pairs) = self.pairs {
            return Some((pairs, Basis::Pairs));
        }
        let (base, new) = (&*self.base, &*self.new);
        let least = self.least_deviation();
        let with = |spread: Spread, basis| {
            let spread = spread.at_least(least);
            Some((Difference::with_spread(base, new, spread)?, basis))
        };
        match (base.len(), new.len()) {
            (2.., 2..) => Some((Difference::welch_at_least(base, new, least)?, Basis::Runs)),
            (2.., 1) => with(Spread::from_values(base)?, Basis::OneSide),
            (1, 2..) => with(Spread::from_values(new)?, Basis::OneSide),
            _ => with(self.floor?, Basis::Floor),
        }
    }

    /// Single values are taken to spread by at least so much, on the scale.
    fn least_deviation(&self) -> f64 {
        match self.scale {
            Scale::Log | Scale::Points => 0.0,
            Scale::Difference => LEAST_SPREAD * self.change().abs(),
        }
    }

    /// Whether so many runs can find a change at this level, if it is large enough.
    pub(super) fn can_find(&self, level: f64) -> bool {
        // A change without any spread of its own.
        let clear = Question {
            base: vec![0.0; self.base.len()],
            new: vec![1.0; self.new.len()],
            floor: self.floor.map(|floor| Spread {
                deviation: 0.0,
                ..floor
            }),
            pairs: None,
            ..self.clone()
        };
        self.pairs.is_some()
            || clear.estimate().is_some_and(|(found, _)| {
                let half = found.half_width(level);
                half.is_some_and(|half| half < found.value)
            })
    }

    pub(super) fn alike_within(&self) -> Interval {
        let [low, high] = [-self.margin, self.margin].map(|share| self.scale.from_share(share));
        let floor = self.floor.map_or(0.0, |spread| {
            let none = Difference::with_spread(&self.base, &self.new, spread);
            none.and_then(|none| none.half_width(ALPHA)).unwrap_or(0.0)
        });
        Interval {
            low: low.min(-floor),
            high: high.max(floor),
        }
    }

    /// The mean of `new` less the mean of `base`, or the change by pairs.
    #[must_use]
    pub fn change(&self) -> f64 {
        if let Some(pairs) = self.pairs {
            return pairs.value;
        }
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        mean(&self.new) - mean(&self.base)
    }
}

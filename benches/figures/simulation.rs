//! How often intervals cover the truth, by simulation: samples are drawn from known distributions of
//! mean 1. Seeded, so that it finds the same each time. Tests use it too.

use netplan::plan::Repeat;
pub use netplan::plan::Until;
use netplan::plan::units::Percent;
use netplan::statistics::stopping_rule::{self, Decision};
use netplan::statistics::{ALPHA, Summary, ratio};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng as _;
use rand_distr::{Distribution as _, LogNormal, StandardNormal};

/// What a cell's samples are like.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    Normal,
    /// Skewed to the right.
    Lognormal,
    /// Normal, and each sample correlated so much with the one before it.
    Correlated(f64),
}

/// How a cell is measured.
#[derive(Clone, Debug)]
pub enum Rule {
    /// So many samples.
    Fixed(u32),
    /// As netplan stops.
    Adaptive(Until),
    /// As one would stop who knew nothing of optional stopping: at the first 95 % interval within
    /// the bound.
    Naive(Until),
}

/// From 3 to 20 samples until the interval is within this many percent.
pub fn until(percent: f64) -> Until {
    Until {
        min: 3,
        max: 20,
        until: Percent(percent).into(),
    }
}

/// What many simulated cells came to.
#[derive(Clone, Copy, Debug)]
pub struct Found {
    /// The share of cells whose reported interval holds the true mean.
    pub coverage: f64,
    /// Samples a cell, on the average.
    pub samples: f64,
    /// The share of cells that came within the bound.
    pub reached: f64,
}

/// Draws the samples of a cell, one after the other.
struct Source<'a> {
    shape: Shape,
    /// Standard deviation, and so the coefficient of variation.
    spread: f64,
    rng: &'a mut ChaCha8Rng,
    before: Option<f64>,
}

impl Source<'_> {
    fn next(&mut self) -> f64 {
        let normal: f64 = StandardNormal.sample(self.rng);
        match self.shape {
            Shape::Normal => 1.0 + self.spread * normal,
            Shape::Lognormal => {
                let variance = (1.0 + self.spread * self.spread).ln();
                // Only a spread that is not a number is refused.
                LogNormal::new(-variance / 2.0, variance.sqrt())
                    .map_or(1.0, |lognormal| lognormal.sample(self.rng))
            }
            Shape::Correlated(by) => {
                let now = self.before.map_or(normal, |before| {
                    by * before + (1.0 - by * by).sqrt() * normal
                });
                self.before = Some(now);
                1.0 + self.spread * now
            }
        }
    }
}

/// Measures `cells` cells by a rule.
pub fn cells(shape: Shape, spread: f64, rule: &Rule, cells: u32) -> Found {
    let mut rng = ChaCha8Rng::seed_from_u64(2026);
    let (mut covered, mut samples, mut reached) = (0u32, 0usize, 0u32);
    for _ in 0..cells {
        let mut source = Source {
            shape,
            spread,
            rng: &mut rng,
            before: None,
        };
        let mut values = Vec::new();
        let decision = loop {
            values.push(source.next());
            match decide(rule, &values) {
                Decision::More => {}
                end => break end,
            }
        };
        samples += values.len();
        reached += u32::from(decision == Decision::Reached);
        let alpha = match &rule {
            Rule::Adaptive(until) => {
                stopping_rule::alpha(&Repeat::Until(until.clone()), values.len())
            }
            Rule::Fixed(_) | Rule::Naive(_) => ALPHA,
        };
        let interval = Summary::from_values(values).and_then(|s| s.interval(alpha));
        covered += u32::from(interval.is_some_and(|interval| interval.contains(1.0)));
    }
    let part = |n: u32| f64::from(n) / f64::from(cells);
    Found {
        coverage: part(covered),
        samples: samples as f64 / f64::from(cells),
        reached: part(reached),
    }
}

fn decide(rule: &Rule, values: &[f64]) -> Decision {
    match rule {
        Rule::Fixed(n) if values.len() < *n as usize => Decision::More,
        Rule::Fixed(_) => Decision::Reached,
        Rule::Adaptive(until) => stopping_rule::decide(until, values),
        Rule::Naive(until) => {
            if values.len() < until.min as usize {
                return Decision::More;
            }
            let summary = Summary::from_values(values.iter().copied());
            let half = summary.and_then(|s| Some((s.half_width(ALPHA)?, s.mean)));
            match half {
                Some((half, mean)) if half <= mean.abs() * until.until.percent.0 / 100.0 => {
                    Decision::Reached
                }
                _ if values.len() >= until.max as usize => Decision::GivenUp,
                _ => Decision::More,
            }
        }
    }
}

/// The share of ratios of two means, of `n` samples each, whose interval holds the true ratio: the
/// second cell spreads `wider` times as much as the first.
pub fn ratios(shape: Shape, spread: f64, wider: f64, n: u32, pairs: u32) -> f64 {
    let mut rng = ChaCha8Rng::seed_from_u64(2026);
    let mut covered = 0u32;
    for _ in 0..pairs {
        let mut draw = |spread: f64| {
            let mut source = Source {
                shape,
                spread,
                rng: &mut rng,
                before: None,
            };
            let values: Vec<f64> = (0..n).map(|_| source.next()).collect();
            Summary::from_values(values)
        };
        let (of, to) = (draw(spread), draw(spread * wider));
        let interval = of
            .zip(to)
            .and_then(|(of, to)| ratio(&of, &to, ALPHA)?.interval);
        covered += u32::from(interval.is_some_and(|interval| interval.contains(1.0)));
    }
    f64::from(covered) / f64::from(pairs)
}

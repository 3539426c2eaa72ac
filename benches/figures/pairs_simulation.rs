//! How often ratios by pairs are right, and what pairing is worth, by simulation. Seeded, so that it finds the same each
//! time. Tests use it too.

#![allow(
    clippy::unwrap_used,
    reason = "a simulation that cannot be judged is a fault of its setting"
)]

use netplan::catalog::Better;
use netplan::statistics::judge::{Answer, Question, Scale, judge};
use netplan::statistics::{ALPHA, Difference, Pairs, Round, Rounds};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use rand_distr::{Distribution as _, StandardNormal};

use crate::recorded_noise::{ROUNDS, SAMPLES};

/// What both variants of a round have in common, as a share.
#[derive(Clone, Copy, Debug)]
pub enum Drift {
    None,
    /// Up and down by so much, in so many rounds.
    Wave {
        height: f64,
        rounds: f64,
    },
    /// Phases of so many rounds, with this deviation from phase to phase.
    Phases {
        deviation: f64,
        rounds: usize,
    },
    /// As recorded, again and again, from a random round on.
    Recorded,
}

/// What the samples of a round do not have in common.
#[derive(Clone, Copy, Debug)]
pub enum Noise {
    /// With this deviation, as a share.
    Normal(f64),
    /// Drawn from recorded samples.
    Recorded,
}

impl Noise {
    /// The deviation of the logarithm of a single sample.
    pub fn deviation(self) -> f64 {
        match self {
            Noise::Normal(deviation) => deviation,
            Noise::Recorded => {
                let all = SAMPLES.as_flattened();
                let sum: f64 = all.iter().map(|it| it * it).sum();
                (sum / all.len() as f64).sqrt()
            }
        }
    }

    fn draw(self, rng: &mut ChaCha8Rng) -> f64 {
        match self {
            Noise::Normal(deviation) => deviation * normal(rng),
            Noise::Recorded => {
                let all = SAMPLES.as_flattened();
                all[rng.next_u32() as usize % all.len()]
            }
        }
    }
}

/// A run of two variants.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    pub rounds: usize,
    pub noise: Noise,
    pub drift: Drift,
    /// What the second variant costs, as a share.
    pub cost: f64,
}

/// What came of many runs.
#[derive(Clone, Debug, Default)]
pub struct Outcomes {
    pub runs: u32,
    /// The 95 % interval contains the true ratio.
    pub covered: u32,
    /// It does not contain 1.
    pub rejected: u32,
    /// Answered `slower` if the cost is what the run says it would have found.
    pub found_at_reported: u32,
    /// The width of the interval by pairs, as a share of that of two independent groups.
    pub width_ratios: Vec<f64>,
}

impl Outcomes {
    /// Of the runs.
    pub fn share(&self, count: u32) -> f64 {
        f64::from(count) / f64::from(self.runs)
    }

    pub fn median_width_ratio(&self) -> f64 {
        let mut widths = self.width_ratios.clone();
        widths.sort_by(f64::total_cmp);
        widths[widths.len() / 2]
    }
}

/// Simulates so many runs.
pub fn runs(setting: Setting, count: u32) -> Outcomes {
    let mut rng = ChaCha8Rng::seed_from_u64(2026);
    let mut outcomes = Outcomes {
        runs: count,
        ..Outcomes::default()
    };
    for _ in 0..count {
        let rounds = run(setting, &mut rng);
        let pairs = Pairs::from_cells(std::slice::from_ref(&rounds)).unwrap();
        let interval = pairs.difference.interval(ALPHA).unwrap();
        outcomes.covered += u32::from(interval.contains((-setting.cost).ln_1p()));
        outcomes.rejected += u32::from(!interval.contains(0.0));
        let asked = question(pairs.difference);
        let found = judge(std::slice::from_ref(&asked));
        if let (Some(estimate), true) = (found[0].estimate, setting.cost <= 0.0) {
            let slower = Difference {
                value: pairs.difference.value + (-estimate.detectable).ln_1p(),
                ..pairs.difference
            };
            let again = judge(&[question(slower)]);
            outcomes.found_at_reported += u32::from(again[0].answer == Answer::Slower);
        }
        let logs = |side: fn(&Round) -> Option<f64>| -> Vec<f64> {
            rounds.rounds.iter().filter_map(side).map(f64::ln).collect()
        };
        let unpaired = Difference::welch(&logs(|it| it.base), &logs(|it| it.other)).unwrap();
        let width = unpaired.half_width(ALPHA).unwrap();
        outcomes.width_ratios.push(interval.half() / width);
    }
    outcomes
}

fn question(pairs: Difference) -> Question {
    Question {
        base: Vec::new(),
        new: Vec::new(),
        pairs: Some(pairs),
        scale: Scale::Log,
        better: Better::More,
        margin: 0.03,
        floor: None,
        limit: None,
    }
}

fn run(setting: Setting, rng: &mut ChaCha8Rng) -> Rounds {
    let mut phase = 0.0;
    let begins = normal(rng);
    let first = rng.next_u32() as usize % ROUNDS.len();
    let rounds = (0..setting.rounds).map(|round| {
        let common = match setting.drift {
            Drift::None => 0.0,
            Drift::Wave { height, rounds } => {
                height * (std::f64::consts::TAU * (round as f64 / rounds + begins)).sin()
            }
            Drift::Phases { deviation, rounds } => {
                if round % rounds == 0 {
                    phase = deviation * normal(rng);
                }
                phase
            }
            Drift::Recorded => ROUNDS[(round + first) % ROUNDS.len()],
        };
        let mut sample = |share: f64| Some(share * (common + setting.noise.draw(rng)).exp());
        Round {
            base: sample(1.0),
            other: sample(1.0 - setting.cost),
            later_by: if round % 2 == 0 { 1 } else { -1 },
        }
    });
    Rounds {
        rounds: rounds.collect(),
    }
}

/// How often Student's test of the mean of so many normal differences, of this mean and deviation, finds that it is not
/// 0, at the level [`ALPHA`]: P(|T| > t) of the noncentral t, as the mean of Φ(μ√n/σ − t·s) over s² = χ²/ν.
pub fn power(mean: f64, deviation: f64, count: usize) -> f64 {
    let freedom = count as f64 - 1.0;
    let critical = netplan::statistics::critical(ALPHA, freedom).unwrap();
    let shift = mean.abs() * (count as f64).sqrt() / deviation;
    // The density of s, up to a factor: s^(ν − 1) · exp(−ν s² / 2).
    let density = |s: f64| (s.ln() * (freedom - 1.0) - freedom * s * s / 2.0).exp();
    let steps = 4000;
    let (mut weights, mut sum) = (0.0, 0.0);
    for step in 1..steps {
        let s = 4.0 * f64::from(step) / f64::from(steps);
        weights += density(s);
        sum += density(s) * (below(shift - critical * s) + below(-shift - critical * s));
    }
    sum / weights
}

/// The standard normal distribution's share below a value (Abramowitz and Stegun 26.2.17, to 7.5e-8).
fn below(value: f64) -> f64 {
    if value < 0.0 {
        return 1.0 - below(-value);
    }
    let t = 1.0 / (1.0 + 0.231_641_9 * value);
    let terms = [
        0.319_381_53,
        -0.356_563_782,
        1.781_477_937,
        -1.821_255_978,
        1.330_274_429,
    ];
    let tail: f64 = terms.iter().rev().fold(0.0, |sum, term| (sum + term) * t);
    1.0 - (-value * value / 2.0).exp() / std::f64::consts::TAU.sqrt() * tail
}

fn normal(rng: &mut ChaCha8Rng) -> f64 {
    StandardNormal.sample(rng)
}

//! How often verdicts are wrong, and how often they find a change, by simulation. Seeded, so that it finds
//! the same each time. Tests use it too.

use netplan::catalog::Better;
use netplan::statistics::judge::{Answer, Judgement, LimitOutcome, Question, Scale, judge};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use rand_distr::{Distribution as _, StandardNormal};

/// The logarithms of the throughput of 13 paths in six runs of `plans/quick.yaml`, one after the other on one
/// unchanged virtual machine of two cores, less each path's mean: the mean over the path's cells. Skewed, with
/// outliers (UDP in the first run), and partly common to all paths.
const RECORDED: [[f64; 13]; 6] = [
    [
        0.211, -0.037, 0.050, 0.018, 0.025, -0.606, -0.402, -0.840, -0.637, 0.181, 0.272, 0.336,
        0.148,
    ],
    [
        -0.121, -0.003, 0.133, -0.152, -0.094, 0.293, 0.305, -0.045, 0.021, 0.089, -0.098, 0.109,
        -0.007,
    ],
    [
        0.049, 0.016, -0.024, -0.143, -0.083, 0.073, -0.020, 0.351, 0.288, 0.059, -0.024, -0.107,
        -0.001,
    ],
    [
        -0.150, -0.002, -0.129, 0.193, 0.047, -0.022, -0.104, 0.075, 0.027, -0.153, 0.140, -0.094,
        -0.084,
    ],
    [
        -0.009, 0.073, -0.127, -0.001, 0.047, 0.401, 0.300, 0.324, 0.435, 0.129, -0.049, -0.111,
        0.083,
    ],
    [
        0.019, -0.047, 0.096, 0.087, 0.057, -0.140, -0.080, 0.135, -0.134, -0.304, -0.241, -0.133,
        -0.138,
    ],
];
/// The deviation of what single rounds have in common on that machine, and how much of it one run hands on to
/// the next.
const DRIFT: f64 = 0.045;
const DRIFT_CORRELATION: f64 = 0.5;
/// Recorded values are smoothed by so much of their path's deviation.
const SMOOTHING: f64 = 0.3;

/// How runs of an unchanged setup differ.
#[derive(Clone, Copy, Debug)]
pub enum Noise {
    /// So many paths, independent, with this deviation.
    Normal { paths: usize, deviation: f64 },
    /// Recorded runs in random order, with a drift that each run hands on to the next.
    Recorded,
}

/// What is simulated.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    pub noise: Noise,
    /// Runs a side: BASE's one after the other, then NEW's.
    pub runs: usize,
    /// What NEW's first path is slower by, as a share.
    pub change: f64,
    /// `--fail-on`, as a share.
    pub limit: Option<f64>,
}

/// What came of many comparisons.
#[derive(Clone, Copy, Debug, Default)]
pub struct Outcomes {
    pub comparisons: u32,
    /// Some path is beyond the limit.
    pub failed: u32,
    /// Answers about paths that did not change, and those of them that are `slower`, or `faster`.
    pub unchanged_answers: u32,
    pub false_slower: u32,
    pub false_faster: u32,
    /// The first path is answered `slower`.
    pub found: u32,
    /// The first path is answered `slower` when it is slower by what the comparison says it would have found.
    pub found_at_reported: u32,
    /// The same in a comparison with fresh runs.
    pub found_again: u32,
    /// The sum of what the comparisons say they would have found, as shares.
    pub reported: f64,
}

impl Outcomes {
    /// How far false `slower` and false `faster` are from being equally often, in standard errors of a binomial share.
    pub fn lopsidedness(&self) -> f64 {
        let (slower, faster) = (f64::from(self.false_slower), f64::from(self.false_faster));
        (slower - faster).abs() / (slower + faster).sqrt().max(1.0)
    }

    /// Of the comparisons.
    pub fn share(&self, count: u32) -> f64 {
        f64::from(count) / f64::from(self.comparisons)
    }
}

/// Compares so often.
pub fn comparisons(setting: Setting, count: u32) -> Outcomes {
    let mut rng = ChaCha8Rng::seed_from_u64(2026);
    let mut outcomes = Outcomes {
        comparisons: count,
        ..Outcomes::default()
    };
    for _ in 0..count {
        let mut questions = questions(setting, &mut rng);
        slow_down(&mut questions, setting.change);
        let judged = judge(&questions);
        let is_beyond = |it: &Judgement| {
            let outcome = it.limit.map(|limit| limit.outcome);
            outcome == Some(LimitOutcome::Beyond)
        };
        outcomes.failed += u32::from(judged.iter().any(is_beyond));
        let unchanged = &judged[usize::from(setting.change > 0.0)..];
        for it in unchanged {
            outcomes.unchanged_answers += 1;
            outcomes.false_slower += u32::from(it.answer == Answer::Slower);
            outcomes.false_faster += u32::from(it.answer == Answer::Faster);
        }
        outcomes.found += u32::from(judged[0].answer == Answer::Slower);
        if let (Some(estimate), 0.0) = (judged[0].estimate, setting.change) {
            outcomes.reported += estimate.detectable;
            slow_down(&mut questions, estimate.detectable);
            outcomes.found_at_reported += u32::from(judge(&questions)[0].answer == Answer::Slower);
            let mut fresh = self::questions(setting, &mut rng);
            slow_down(&mut fresh, estimate.detectable);
            outcomes.found_again += u32::from(judge(&fresh)[0].answer == Answer::Slower);
        }
    }
    outcomes
}

/// A question for each path, without any change.
fn questions(setting: Setting, rng: &mut ChaCha8Rng) -> Vec<Question> {
    let mut drift = DRIFT * normal(rng);
    let mut run = || {
        let fresh = (1.0 - DRIFT_CORRELATION * DRIFT_CORRELATION).sqrt() * DRIFT;
        drift = DRIFT_CORRELATION * drift + fresh * normal(rng);
        values(setting.noise, drift, rng)
    };
    let mut side = || -> Vec<Vec<f64>> { (0..setting.runs).map(|_| run()).collect() };
    let (base, new) = (side(), side());
    let of_path = |runs: &[Vec<f64>], path: usize| runs.iter().map(|run| run[path]).collect();
    (0..base[0].len())
        .map(|path| Question {
            base: of_path(&base, path),
            new: of_path(&new, path),
            pairs: None,
            scale: Scale::Log,
            better: Better::More,
            margin: 0.03,
            floor: None,
            limit: setting.limit,
        })
        .collect()
}

/// A run's value of each path.
fn values(noise: Noise, drift: f64, rng: &mut ChaCha8Rng) -> Vec<f64> {
    match noise {
        Noise::Normal { paths, deviation } => (0..paths).map(|_| deviation * normal(rng)).collect(),
        Noise::Recorded => {
            let row = RECORDED[rng.next_u32() as usize % RECORDED.len()];
            let smooth = |path: usize| {
                let squares: f64 = RECORDED.iter().map(|run| run[path] * run[path]).sum();
                (squares / (RECORDED.len() - 1) as f64).sqrt() * SMOOTHING * normal(rng)
            };
            let smoothing: Vec<f64> = (0..row.len()).map(smooth).collect();
            let paths = row.iter().zip(smoothing);
            paths
                .map(|(value, smooth)| value + smooth + drift)
                .collect()
        }
    }
}

/// Makes NEW's first path slower by a share.
fn slow_down(questions: &mut [Question], share: f64) {
    if let Some(first) = questions.first_mut() {
        for value in &mut first.new {
            *value += (-share).ln_1p();
        }
    }
}

fn normal(rng: &mut ChaCha8Rng) -> f64 {
    StandardNormal.sample(rng)
}

//! How often `history` finds what is there and what is not, by simulation. Seeded, so that it finds the same each
//! time. Tests use it too.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use netplan::history::{Acceptances, Direction, History, Kind, Settings};
use netplan::results::run_summary::VERSION;
use netplan::results::{Configuration, MachineKey, RunSummary, SeriesValue};
use netplan::tools::name;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng as _;
use rand_distr::{Distribution as _, LogNormal, StandardNormal};

/// What the figures of an unchanged series are like from run to run.
#[derive(Clone, Copy, Debug)]
pub enum Noise {
    Normal,
    /// Skewed to the left, as throughput is: now and then a run is much slower.
    Skewed,
}

/// Runs that are measured night after night.
#[derive(Clone, Copy, Debug)]
pub struct Nights {
    pub series: usize,
    pub runs: usize,
    pub noise: Noise,
    /// Standard deviation from run to run, on the scale of logarithms.
    pub deviation: f64,
}

impl Noise {
    fn draw(self, rng: &mut ChaCha8Rng) -> f64 {
        match self {
            Noise::Normal => StandardNormal.sample(rng),
            Noise::Skewed => {
                // Mean exp(0.125), deviation mean · √(exp(0.25) − 1).
                let value: f64 = LogNormal::new(0.0, 0.5).map_or(1.0, |it| it.sample(rng));
                let mean = 0.125f64.exp();
                (mean - value) / (mean * (0.25f64.exp() - 1.0).sqrt())
            }
        }
    }
}

impl Nights {
    /// Summaries of the runs. `shift` is how much the level of a series is moved at a run, in deviations.
    pub fn summaries(self, seed: u64, shift: impl Fn(usize, usize) -> f64) -> Vec<RunSummary> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let first: Timestamp = Timestamp::UNIX_EPOCH;
        let runs = 0..self.runs;
        runs.map(|run| {
            let values = (0..self.series).map(|series| {
                let log = self.noise.draw(&mut rng) + shift(series, run);
                value(series, 20.0 + self.deviation * log)
            });
            RunSummary {
                version: VERSION,
                run: format!("run-{run}"),
                plan: "nightly".to_owned(),
                started: first + SignedDuration::from_hours(24 * i64::try_from(run).unwrap_or(0)),
                journal_bytes: 0,
                machine: MachineKey::default(),
                configuration: Configuration::default(),
                series: values.collect(),
            }
        })
        .collect()
    }
}

fn value(series: usize, log: f64) -> SeriesValue {
    SeriesValue {
        test: "iperf3-tcp".to_owned(),
        path: format!("path-{series}"),
        relative_to: None,
        metric: name::THROUGHPUT_BPS.to_owned(),
        is_headline: true,
        setup: "0123456789abcdef".to_owned(),
        cells: 22,
        measured: 22,
        mean: log.exp(),
        mean_log: Some(log),
    }
}

/// The share of series in which something is found though nothing changed, per call, and the share of calls that
/// find anything.
pub fn false_alarms(nights: Nights, calls: u32) -> (f64, f64) {
    let (mut series, mut alarms) = (0, 0u32);
    for seed in 0..calls {
        let summaries = nights.summaries(u64::from(seed), |_, _| 0.0);
        let history = History::new(summaries, &Acceptances::default(), Settings::default());
        let flagged = history.timelines.iter().flat_map(|it| &it.series);
        let flagged = flagged.filter(|it| !it.changes.is_empty()).count();
        series += flagged;
        alarms += u32::from(flagged > 0);
    }
    let all = nights.series as f64 * f64::from(calls);
    (series as f64 / all, f64::from(alarms) / f64::from(calls))
}

/// The share of slowdowns that a call finds once there are `after` runs at the new level, and the share that any
/// call finds up to then. Each history has `changed` series with a step of so many deviations.
pub fn steps_found(
    nights: Nights,
    changed: usize,
    step: f64,
    after: usize,
    histories: u32,
) -> (f64, f64) {
    let at = nights.runs - after;
    let (mut now, mut ever) = (0usize, 0usize);
    for seed in 0..histories {
        let shift = |series: usize, run: usize| {
            if series < changed && run >= at {
                -step
            } else {
                0.0
            }
        };
        let summaries = nights.summaries(u64::from(seed), shift);
        let mut found: BTreeSet<String> = BTreeSet::new();
        for runs in at + 1..=nights.runs {
            let history = History::new(
                summaries[..runs].to_vec(),
                &Acceptances::default(),
                Settings::default(),
            );
            let found_now = found_steps(&history, changed);
            if runs == nights.runs {
                now += found_now.len();
            }
            found.extend(found_now);
        }
        ever += found.len();
    }
    let all = changed as f64 * f64::from(histories);
    (now as f64 / all, ever as f64 / all)
}

/// The changed series in which a slowdown is found.
fn found_steps(history: &History, most: usize) -> BTreeSet<String> {
    let judged = history
        .timelines
        .iter()
        .flat_map(|it| it.timeline.series.iter().zip(&it.series));
    let slower = judged.filter(|(_, judged)| {
        let mut changes = judged.changes.iter();
        changes.any(|it| (it.kind, it.direction) == (Kind::Step, Direction::Slower))
    });
    let names = slower.map(|(series, _)| series.name.path.clone());
    let changed: BTreeSet<String> = (0..most).map(|series| format!("path-{series}")).collect();
    names.filter(|name| changed.contains(name)).collect()
}

//! Real runs of one unchanged setup, compared with each other: how often verdicts are wrong.
//!
//! The runs are the folders in `NETPLAN_UNCHANGED_RUNS`, e.g. thirty quick runs taken one after another:
//! `for i in $(seq 30); do netplan run plans/quick.yaml --on local --output runs/$i; done`.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use netplan::compare::{
    Comparison, FEWEST_RUNS, Floors, Limit, Options, Outcome, Run, Side, calibrate, compare,
};
use netplan::report::Report;
use netplan::results::{RunDir, journal, runs_in};
use netplan::statistics::judge::Answer;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

use super::table::{Goal, Unit, figure};

/// Random splits, and the runs of each side of one.
const SPLITS: u32 = 200;
const SIDE: usize = 5;
/// The floor is calibrated with a third of the runs, and the pairs are of the others.
const CALIBRATED_SHARE: usize = 3;

const PERCENT: Unit = Unit("%", 1);

/// What came of comparisons.
#[derive(Default)]
struct Tally {
    comparisons: u32,
    worse: u32,
    slower: u32,
    faster: u32,
    answers: u32,
}

impl Tally {
    fn add(&mut self, comparison: &Comparison) {
        self.comparisons += 1;
        self.worse += u32::from(comparison.outcome() == Outcome::Worse);
        for verdict in comparison.versus.iter().flat_map(|it| &it.verdicts) {
            self.answers += 1;
            self.slower += u32::from(verdict.judgement.answer == Answer::Slower);
            self.faster += u32::from(verdict.judgement.answer == Answer::Faster);
        }
    }

    fn show(&self, what: &str, how: &str) -> anyhow::Result<()> {
        ensure!(self.comparisons > 0, "there are too few runs for `{what}`");
        let share = 100.0 * f64::from(self.worse) / f64::from(self.comparisons);
        let how = format!(
            "{} comparisons{how}; `slower` {} times, `faster` {} times in {} answers",
            self.comparisons, self.slower, self.faster, self.answers
        );
        figure(what, [share], PERCENT, Goal::AtMost(5.0), &how)
    }
}

pub fn measure() -> anyhow::Result<()> {
    let Some(folder) = std::env::var_os("NETPLAN_UNCHANGED_RUNS").map(PathBuf::from) else {
        eprintln!("skipped: NETPLAN_UNCHANGED_RUNS names no folder of runs");
        return Ok(());
    };
    let mut runs = runs_in(&folder);
    runs.sort_by_key(|run| run.began);
    let runs: anyhow::Result<Vec<Run>> = runs.iter().map(|run| load(&run.path)).collect();
    let runs = runs?;
    ensure!(
        runs.len() >= 2 * SIDE,
        "`{}` has {} runs; {} are needed",
        folder.display(),
        runs.len(),
        2 * SIDE
    );
    let limit = Limit::parse("2.5%").context("a limit")?;
    let options = Options {
        limits: vec![limit],
        ..Options::default()
    };
    let none = Floors::default();
    pairs(&runs, &options, &none).show(
        "unchanged, each run with each: exit code 4 at `--fail-on 2.5%`",
        "",
    )?;
    let (first, rest) = runs.split_at(runs.len() / CALIBRATED_SHARE);
    if first.len() >= FEWEST_RUNS {
        let mut floors = Floors::default();
        floors.set(calibrate(&Side::new("first", first.to_vec()))?);
        let how = format!(", with the A/A floor of the {} runs before", first.len());
        pairs(rest, &options, &floors).show("the same with a stored floor", &how)?;
    }
    let mut rng = ChaCha8Rng::seed_from_u64(2026);
    let mut splits = Tally::default();
    let mut halves = Tally::default();
    for _ in 0..SPLITS {
        let mut chosen: Vec<&Run> = runs.iter().collect();
        shuffle(&mut chosen, &mut rng);
        let side = |name, from: usize| {
            let of_side = chosen.iter().skip(from).take(SIDE);
            Side::new(name, of_side.map(|run| (*run).clone()).collect())
        };
        let (base, new) = (side("base", 0), side("new", SIDE));
        splits.add(&compare(
            base.clone(),
            vec![new.clone()],
            options.clone(),
            &none,
        ));
        halves.add(&compare(base, vec![new], Options::default(), &none));
    }
    let how = format!(
        ", random splits of {SIDE} against {SIDE} of {} runs",
        runs.len()
    );
    splits.show(
        "unchanged, random splits: exit code 4 at `--fail-on 2.5%`",
        &how,
    )?;
    halves.show("the same without `--fail-on`", &how)
}

/// Each run with each later one.
fn pairs(runs: &[Run], options: &Options, floors: &Floors) -> Tally {
    let mut tally = Tally::default();
    for (nth, base) in runs.iter().enumerate() {
        for new in runs.iter().skip(nth + 1) {
            let side = |name, run: &Run| Side::new(name, vec![run.clone()]);
            let (base, new) = (side("base", base), side("new", new));
            tally.add(&compare(base, vec![new], options.clone(), floors));
        }
    }
    tally
}

fn load(path: &Path) -> anyhow::Result<Run> {
    let dir = RunDir::open(path)?;
    let cluster = dir
        .environment()
        .and_then(|environment| environment.cluster);
    let report = Report::read(journal::Reader::open(path)?)?.on(cluster);
    Ok(Run::from_report(&path.display().to_string(), &report))
}

/// Fisher and Yates.
fn shuffle<T>(values: &mut [T], rng: &mut ChaCha8Rng) {
    for last in (1..values.len()).rev() {
        let other = rng.next_u32() as usize % (last + 1);
        values.swap(last, other);
    }
}

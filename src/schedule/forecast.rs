//! How long a schedule takes.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use super::cell::Schedule;
use super::search;
use crate::plan::{Concurrency, Plan, Test};

/// Bounds on how long the samples take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Forecast {
    /// Each cell takes the fewest samples that the plan allows, and cells that may run side by side
    /// do so wherever they share no worker.
    pub least: Duration,
    /// Each cell takes as many samples as it may, one after the other. Cells that are measured at once count as one.
    pub most: Duration,
}

impl Forecast {
    /// For a part of the cells, 0 to 1.
    #[must_use]
    pub fn share(self, share: f64) -> Forecast {
        let part = |whole: Duration| {
            Duration::try_from_secs_f64(whole.as_secs_f64() * share).unwrap_or(whole)
        };
        Forecast {
            least: part(self.least),
            most: part(self.most),
        }
    }

    /// There is only one answer.
    #[must_use]
    pub fn is_exact(self) -> bool {
        self.least == self.most
    }
}

/// Wall time of the samples when none fails: warm-up, duration, cooldown, and what `fixed` says
/// that a sample of the test costs on top.
#[must_use]
pub fn forecast(plan: &Plan, schedule: &Schedule, fixed: impl Fn(&Test) -> Duration) -> Forecast {
    // What a cell of each test takes, at least and at most.
    let cells: Vec<Forecast> = plan
        .tests
        .iter()
        .map(|test| {
            let timing = &test.timing;
            let sample = timing
                .warmup
                .0
                .saturating_add(timing.duration.0)
                .saturating_add(timing.cooldown.0)
                .saturating_add(fixed(test));
            let (least, most) = search::samples_of(test);
            Forecast {
                least: sample.saturating_mul(least),
                most: sample.saturating_mul(most),
            }
        })
        .collect();
    let mut sum = Forecast::default();
    let mut busy: HashMap<&str, Duration> = HashMap::new();
    let together = schedule.together(plan);
    let together: HashMap<usize, usize> = together
        .iter()
        .flat_map(|group| group.iter().map(|cell| (*cell, group[0])))
        .collect();
    // The workers of each group of cells at once that is known already.
    let mut at_once: HashSet<(usize, &str)> = HashSet::new();
    for (index, cell) in schedule.cells.iter().enumerate() {
        let group = together.get(&index).copied();
        let Some(row) = schedule.rows.get(cell.row) else {
            continue;
        };
        let (Some(takes), Some(path)) = (cells.get(row.test), plan.paths.get(row.path)) else {
            continue;
        };
        if group.is_none_or(|first| first == index) {
            sum.least = sum.least.saturating_add(takes.least);
            sum.most = sum.most.saturating_add(takes.most);
        }
        if plan.concurrency == Concurrency::DisjointNodes {
            // The workers of a variant are on the nodes of the base's.
            let base = |worker| {
                plan.workers
                    .get(worker)
                    .and_then(|w| w.base.as_ref())
                    .unwrap_or(worker)
            };
            let ends = [base(&path.from), base(&path.to)];
            for end in &ends[usize::from(path.from == path.to)..] {
                if group.is_some_and(|first| !at_once.insert((first, end.as_str()))) {
                    continue;
                }
                let of_worker = busy.entry(end.as_str()).or_default();
                *of_worker = of_worker.saturating_add(takes.least);
            }
        }
    }
    // No worker can do two things at a time; with enough nodes, the busiest one sets the pace.
    let busiest = busy.into_values().max();
    Forecast {
        least: busiest.unwrap_or(sum.least),
        ..sum
    }
}

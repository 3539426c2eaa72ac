//! What each journal must say, whatever has happened.

use std::collections::HashMap;

use super::super::progress::{MAX_LOSSES, MAX_NOT_READY, cell_of};
use super::super::*;
use super::cells::{CellSpec, WORKERS, a_search, loads_of};
use super::plans::Policy;
use crate::plan::{self, Concurrency, Repeat};
use crate::schedule::search::{self, Probe, Step};
use crate::schedule::{CellId, Param};
use crate::statistics::stopping_rule::{Decision, decide};
use crate::tools::Cause;

/// What the journal has told of a cell so far.
#[derive(Clone, Default)]
struct Told {
    values: Vec<f64>,
    probes: Vec<Probe>,
    /// Attempts begun of the sample that comes next.
    attempts: u32,
    /// Those of them that were probes from which nothing arrived.
    misses: u32,
    /// The last one has not ended.
    running: bool,
    /// Its loads that were written.
    loads: usize,
    /// Those of the attempt that runs.
    nodes: [String; 2],
    ended: bool,
}

/// The journal of a run that has ended says exactly one thing of each cell, and samples were taken
/// in the plan's order, one at a time; or side by side on nodes of their own. The orchestrator was
/// started again before each of the events `restarts`.
pub(super) fn check(
    journal: &[EventKind],
    specs: &[CellSpec],
    policy: Policy,
    cancelled: bool,
    restarts: &[usize],
) {
    let serial = policy.concurrency == Concurrency::Serial;
    let restart_count = u32::try_from(restarts.len()).unwrap();
    let mut cells = vec![Told::default(); specs.len()];
    let mut node_of: HashMap<&str, &str> = HashMap::new();
    let index = |cell: &CellId| -> usize {
        let path = cell.0.split('/').nth(1).unwrap();
        path.trim_start_matches('p').parse().unwrap()
    };
    // All that a batch starts on one go is started before anything of it ends.
    let mut go_is_open = false;
    for (i, event) in journal.iter().enumerate() {
        if restarts.contains(&i) {
            for cell in &mut cells {
                cell.running = false;
            }
        }
        if let Some(cell) = cell_of(event) {
            assert!(!cells[index(cell)].ended, "after the cell's end: {event:?}");
        }
        match event {
            EventKind::SampleStarted {
                cell,
                sample,
                attempt,
            } => {
                let index = index(cell);
                let spec = &specs[index];
                let nodes = [spec.from, spec.to].map(|at| node_of[WORKERS[at]].to_owned());
                let of_batch = specs.iter().zip(&cells).filter(|(spec, _)| spec.together);
                let runs = of_batch.clone().any(|(_, cell)| cell.running);
                if spec.together {
                    assert!(!runs || go_is_open, "the batch has not ended");
                    go_is_open = true;
                    let open = of_batch.filter(|(_, cell)| !cell.ended);
                    let fewest = open.map(|(_, cell)| cell.values.len()).min();
                    assert_eq!(Some(cells[index].values.len()), fewest, "not its turn");
                }
                if serial && !(spec.together && runs) {
                    check_order(&cells, specs, index, policy);
                }
                let others = specs.iter().zip(&cells).filter(|(_, other)| other.running);
                for (other_spec, other) in others {
                    let at_once = spec.together && other_spec.together;
                    let shared = other.nodes.iter().any(|node| nodes.contains(node));
                    assert!(
                        at_once || !serial && !shared,
                        "the attempt before has no end"
                    );
                }
                let told = &mut cells[index];
                told.nodes = nodes;
                let taken = u32::try_from(told.values.len()).unwrap();
                assert_eq!((*sample, *attempt), (taken + 1, told.attempts + 1));
                let by_service = if spec.by_cluster_ip { MAX_NOT_READY } else { 0 };
                let most = spec.retries + 1 + MAX_LOSSES + by_service + restart_count;
                let most = most * (told.misses + 1);
                assert!(*attempt <= most, "attempt {attempt} of at most {most}");
                told.attempts = *attempt;
                told.running = true;
                told.loads = 0;
            }
            EventKind::LoadSample { load, sample: done } => {
                let told = &mut cells[index(&done.cell)];
                assert!(told.running, "a load of what was not started");
                let taken = u32::try_from(told.values.len()).unwrap();
                assert_eq!((done.sample, done.attempt), (taken + 1, told.attempts));
                told.loads += 1;
                assert_eq!(*load as usize, told.loads);
            }
            EventKind::Sample(done) => {
                go_is_open &= !specs[index(&done.cell)].together;
                let loads = loads_of(specs, index(&done.cell), policy).len();
                let told = &mut cells[index(&done.cell)];
                assert!(told.running, "a sample that was not started");
                assert_eq!(told.loads, loads, "a sample without its loads");
                let taken = u32::try_from(told.values.len()).unwrap();
                assert_eq!((done.sample, done.attempt), (taken + 1, told.attempts));
                told.values.extend(done.metrics.get("start"));
                let CellSpec {
                    repeat,
                    search: is_search,
                    ..
                } = specs[index(&done.cell)].clone();
                let rate = done.params.get(Param::Rate);
                assert_eq!(rate.is_some(), is_search);
                if let Some(rate_bps) = rate {
                    let next = search::next(&a_search(), repeat.least(), &told.probes);
                    assert_eq!(next, Step::Probe(rate_bps), "not the rate to probe");
                    let held = done.metrics.get("lost_percent") <= Some(1.0);
                    told.probes.push(Probe { rate_bps, held });
                }
                (told.attempts, told.misses) = (0, 0);
                told.running = false;
            }
            EventKind::AttemptFailed {
                cell,
                sample,
                attempt,
                failure,
                ..
            } => {
                let CellSpec {
                    repeat,
                    search: is_search,
                    ..
                } = specs[index(cell)].clone();
                go_is_open &= !specs[index(cell)].together;
                let told = &mut cells[index(cell)];
                if is_search && failure.cause == Cause::NothingMoved {
                    let next = search::next(&a_search(), repeat.least(), &told.probes);
                    let Step::Probe(rate_bps) = next else {
                        panic!("a probe after the search's end");
                    };
                    let held = false;
                    told.probes.push(Probe { rate_bps, held });
                    told.misses += 1;
                }
                assert!(told.running, "a failure of what was not started");
                let taken = u32::try_from(told.values.len()).unwrap();
                assert_eq!((*sample, *attempt), (taken + 1, told.attempts));
                told.running = false;
            }
            EventKind::CellEnded { cell, outcome } => {
                let index = index(cell);
                let told = &mut cells[index];
                assert!(!told.running, "ended amid an attempt");
                let CellSpec {
                    repeat,
                    search: is_search,
                    ..
                } = specs[index].clone();
                let end = search::next(&a_search(), repeat.least(), &told.probes);
                match outcome {
                    Outcome::Measured {
                        samples,
                        reached,
                        found,
                    } => {
                        assert_eq!(*samples as usize, told.values.len());
                        if is_search {
                            assert_eq!(found.map(Step::Found), Some(end));
                        } else {
                            assert_eq!(*found, None);
                            check_enough(repeat, &told.values, *reached);
                        }
                    }
                    Outcome::Failed(failure) if failure.cause == Cause::NoRateHolds => {
                        assert_eq!(end, Step::NoneHolds);
                    }
                    Outcome::Failed(_) | Outcome::Skipped { .. } => {}
                }
                told.ended = true;
            }
            EventKind::WorkerJoined { worker, node, .. } => {
                node_of.insert(worker, node);
            }
            EventKind::RunEnded { cancelled } => {
                assert_eq!(i + 1, journal.len(), "something follows the run's end");
                assert_eq!(*cancelled, cells.iter().any(|cell| !cell.ended));
            }
            _ => {}
        }
    }
    assert!(matches!(journal.last(), Some(EventKind::RunEnded { .. })));
    assert!(
        cancelled || cells.iter().all(|cell| cell.ended),
        "cells without an end"
    );
}

/// No cell that has not ended comes before this one in the order.
fn check_order(cells: &[Told], specs: &[CellSpec], started: usize, policy: Policy) {
    let place = |(i, cell): (usize, &Told)| {
        let round = match policy.order {
            plan::Order::Listed => 0,
            plan::Order::Interleaved | plan::Order::Shuffled => cell.values.len(),
        };
        let within = match policy.order {
            plan::Order::Listed | plan::Order::Interleaved => i,
            // The random order is tested where it is made.
            plan::Order::Shuffled => 0,
        };
        // What was tried is tried again before anything else.
        (cell.attempts == 0, round, within)
    };
    let left = cells.iter().enumerate().filter(|(_, cell)| !cell.ended);
    // A batch has the place of one of its cells.
    let of_batch = left.clone().filter(|(i, _)| specs[*i].together);
    let fewest = of_batch.clone().map(|(_, cell)| cell.values.len()).min();
    let due = of_batch.filter(|(_, cell)| Some(cell.values.len()) == fewest);
    let leader = due.min_by_key(|(i, cell)| (cell.attempts == 0, *i));
    let left = left.filter(|(i, _)| !specs[*i].together).chain(leader);
    let first = left.map(place).min();
    let started = match leader {
        Some(leader) if specs[started].together => leader,
        _ => (started, &cells[started]),
    };
    assert_eq!(first, Some(place(started)), "not the next in order");
}

/// The cell was measured as often as it takes, and no more.
fn check_enough(repeat: Repeat, values: &[f64], reached: Option<bool>) {
    match (repeat, values.split_last()) {
        (Repeat::Times(times), _) => {
            assert_eq!((values.len(), reached), (times as usize, None));
        }
        (Repeat::Until(until), Some((_, before))) => {
            let is = match decide(&until, values) {
                Decision::Reached => Some(true),
                Decision::GivenUp => Some(false),
                Decision::More => None,
            };
            assert_eq!(is, reached);
            assert_eq!(decide(&until, before), Decision::More);
        }
        (Repeat::Until(_), None) => panic!("measured without a sample"),
    }
}

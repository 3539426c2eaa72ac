//! The queue beside a model that follows the words of its module and keeps no accounts.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::super::progress::Progress;
use super::super::queue::{Queue, Seat};
use super::super::sample_order::{Turn, Turns};
use crate::plan::Concurrency;

const WORKERS: usize = 6;

/// What is known without the queue's own accounts.
struct Model {
    queue: Queue,
    ends: Vec<[usize; 2]>,
    samples: Vec<u32>,
    waiting: BTreeSet<Turn>,
    nodes: [Option<usize>; WORKERS],
    running: Vec<(Turn, Seat, Vec<usize>)>,
}

impl Model {
    fn new(concurrency: Concurrency, ends: &[[usize; 2]]) -> Self {
        let mut model = Self {
            queue: Queue::new(concurrency, WORKERS, ends.iter().copied()),
            ends: ends.to_vec(),
            samples: vec![0; ends.len()],
            waiting: BTreeSet::new(),
            nodes: [None; WORKERS],
            running: Vec::new(),
        };
        for task in 0..ends.len() {
            model.put(task);
        }
        model
    }

    fn put(&mut self, task: usize) {
        let turns = Turns::Shuffled { seed: 1 };
        let turn = turns.turn(task, &Progress::with_samples(self.samples[task]));
        self.waiting.insert(turn);
        self.queue.put(turn);
    }

    fn nodes_of(&self, turn: Turn) -> Option<[usize; 2]> {
        let [a, b] = self.ends[turn.task()];
        Some([self.nodes[a]?, self.nodes[b]?])
    }

    /// By the words of the module: the nodes are free, and all that come before it at one of
    /// them have something else before them at their other one.
    fn is_startable(&self, turn: Turn) -> bool {
        let Some(nodes) = self.nodes_of(turn) else {
            return false;
        };
        let busy = |node: &usize| self.running.iter().any(|(.., held)| held.contains(node));
        let first = |node: usize| {
            let here = |turn: &&Turn| self.nodes_of(**turn).is_some_and(|n| n.contains(&node));
            self.waiting.iter().find(here).copied()
        };
        let mut before = self.waiting.range(..turn);
        !nodes.iter().any(busy)
            && before.all(|before| {
                let Some(theirs) = self.nodes_of(*before) else {
                    return true;
                };
                nodes.iter().all(|node| {
                    let other = if theirs[0] == *node {
                        theirs[1]
                    } else {
                        theirs[0]
                    };
                    !theirs.contains(node) || first(other) != Some(*before)
                })
            })
    }

    /// Starts all that the queue gives.
    fn fill(&mut self, concurrency: Concurrency) {
        while let Some((turn, seat)) = self.queue.take() {
            let nodes = self.nodes_of(turn).expect("both workers are there");
            if concurrency == Concurrency::Serial {
                assert!(self.running.is_empty());
                assert_eq!(self.waiting.first(), Some(&turn));
            } else {
                assert!(self.is_startable(turn));
                let earlier = self.waiting.range(..turn).find(|t| self.is_startable(**t));
                assert_eq!(earlier, None, "the earlier one goes first");
            }
            assert!(self.waiting.remove(&turn));
            self.running.push((turn, seat, nodes.to_vec()));
        }
        let missed = match concurrency {
            Concurrency::Serial => self
                .waiting
                .first()
                .filter(|turn| self.running.is_empty() && self.nodes_of(**turn).is_some()),
            Concurrency::DisjointNodes => {
                self.waiting.iter().find(|turn| self.is_startable(**turn))
            }
        };
        assert_eq!(missed, None, "it could have started");
        assert_eq!(self.queue.first(), self.waiting.first().copied());
        for worker in 0..WORKERS {
            let needed = self
                .waiting
                .iter()
                .any(|t| self.ends[t.task()].contains(&worker));
            assert_eq!(self.queue.needs(worker), needed);
        }
    }

    fn end(&mut self, pick: usize, most: u32) {
        if self.running.is_empty() {
            return;
        }
        let (turn, seat, _) = self.running.remove(pick % self.running.len());
        self.queue.free(seat);
        let task = turn.task();
        self.samples[task] += 1;
        if self.samples[task] < most {
            self.put(task);
        }
    }
}

fn ends() -> impl Strategy<Value = Vec<[usize; 2]>> {
    prop::collection::vec(prop::array::uniform2(0..WORKERS), 1..15)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1000,
        ..ProptestConfig::default()
    })]

    /// Workers come, go and move; samples end in any order. Each sample of each cell runs once,
    /// no two share a node, nothing that may start waits, and the earlier goes first.
    #[test]
    fn every_sample_runs_once_when_it_may(
        disjoint: bool,
        ends in ends(),
        actions in prop::collection::vec((0..6_u8, 0..100_usize), 0..80),
    ) {
        let concurrency = if disjoint {
            Concurrency::DisjointNodes
        } else {
            Concurrency::Serial
        };
        let mut model = Model::new(concurrency, &ends);
        for (kind, pick) in actions {
            let worker = pick % WORKERS;
            match kind {
                0..2 => {
                    let node = pick / WORKERS % 4;
                    model.nodes[worker] = Some(node);
                    model.queue.place(worker, &node.to_string());
                }
                2 => {
                    model.nodes[worker] = None;
                    model.queue.displace(worker);
                }
                3 if !model.waiting.is_empty() => {
                    let turn = *model.waiting.first().unwrap();
                    model.waiting.remove(&turn);
                    model.queue.drop_first(turn);
                    model.samples[turn.task()] = 2;
                }
                _ => model.end(pick, 2),
            }
            // What runs keeps its nodes, even where a worker has moved.
            model.fill(concurrency);
        }
        for worker in 0..WORKERS {
            let node = 10 + worker;
            model.nodes[worker] = Some(node);
            model.queue.place(worker, &node.to_string());
        }
        model.fill(concurrency);
        while !model.running.is_empty() {
            model.end(0, 2);
            model.fill(concurrency);
        }
        prop_assert!(model.queue.is_empty() && model.waiting.is_empty());
        prop_assert!(model.samples.iter().all(|samples| *samples == 2));
    }
}

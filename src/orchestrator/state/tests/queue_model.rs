//! The queue against a model that follows the words of its module and keeps no lists.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::super::progress::Progress;
use super::super::queue::{Queue, ReservedNodes};
use super::super::sample::order::{Rank, SampleOrder};
use super::super::table::{CellIndex, Id, WorkerId};
use crate::plan::{Concurrency, Order};

const WORKERS: usize = 6;

/// What is known without the queue's own lists.
struct Model {
    queue: Queue,
    ends: Vec<[usize; 2]>,
    samples: Vec<u32>,
    waiting: BTreeSet<Rank>,
    nodes: [Option<usize>; WORKERS],
    running: Vec<(Rank, ReservedNodes, Vec<usize>)>,
}

impl Model {
    fn new(concurrency: Concurrency, ends: &[[usize; 2]]) -> Self {
        let mut model = Self {
            queue: Queue::new(
                concurrency,
                WORKERS,
                ends.iter().map(|ends| ends.map(WorkerId::from_index)),
            ),
            ends: ends.to_vec(),
            samples: vec![0; ends.len()],
            waiting: BTreeSet::new(),
            nodes: [None; WORKERS],
            running: Vec::new(),
        };
        for cell in 0..ends.len() {
            model.push(cell);
        }
        model
    }

    fn push(&mut self, cell: usize) {
        let order = SampleOrder::new(Order::Shuffled, 1, Vec::new());
        let progress = Progress::with_samples(self.samples[cell]);
        let rank = order.rank(CellIndex::from_index(cell), &progress);
        self.waiting.insert(rank);
        self.queue.push(rank);
    }

    fn nodes_of(&self, rank: Rank) -> Option<[usize; 2]> {
        let [a, b] = self.ends[rank.cell().index()];
        Some([self.nodes[a]?, self.nodes[b]?])
    }

    /// By the words of the module: the nodes are free, and all that come before it at one of
    /// them have something else before them at their other one.
    fn is_startable(&self, rank: Rank) -> bool {
        let Some(nodes) = self.nodes_of(rank) else {
            return false;
        };
        let busy = |node: &usize| self.running.iter().any(|(.., held)| held.contains(node));
        let first = |node: usize| {
            let here = |rank: &&Rank| self.nodes_of(**rank).is_some_and(|n| n.contains(&node));
            self.waiting.iter().find(here).copied()
        };
        let mut before = self.waiting.range(..rank);
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
    fn start(&mut self, concurrency: Concurrency) {
        while let Some((rank, reserved)) = self.queue.take() {
            let nodes = self.nodes_of(rank).expect("both workers are there");
            if concurrency == Concurrency::Serial {
                assert!(self.running.is_empty());
                assert_eq!(self.waiting.first(), Some(&rank));
            } else {
                assert!(self.is_startable(rank));
                let earlier = self.waiting.range(..rank).find(|t| self.is_startable(**t));
                assert_eq!(earlier, None, "the earlier one goes first");
            }
            assert!(self.waiting.remove(&rank));
            self.running.push((rank, reserved, nodes.to_vec()));
        }
        let missed = match concurrency {
            Concurrency::Serial => self
                .waiting
                .first()
                .filter(|rank| self.running.is_empty() && self.nodes_of(**rank).is_some()),
            Concurrency::DisjointNodes => {
                self.waiting.iter().find(|rank| self.is_startable(**rank))
            }
        };
        assert_eq!(missed, None, "it could have started");
        assert_eq!(self.queue.first(), self.waiting.first().copied());
        for worker in 0..WORKERS {
            let needed = self
                .waiting
                .iter()
                .any(|t| self.ends[t.cell().index()].contains(&worker));
            assert_eq!(self.queue.needs(WorkerId::from_index(worker)), needed);
        }
    }

    fn place(&mut self, worker: usize, node: usize) {
        self.nodes[worker] = Some(node);
        let worker = WorkerId::from_index(worker);
        self.queue.place_worker(worker, &node.to_string());
    }

    fn end(&mut self, nth: usize, most: u32) {
        if self.running.is_empty() {
            return;
        }
        let (rank, reserved, _) = self.running.remove(nth % self.running.len());
        self.queue.release(&reserved);
        let cell = rank.cell().index();
        self.samples[cell] += 1;
        if self.samples[cell] < most {
            self.push(cell);
        }
    }
}

fn ends() -> impl Strategy<Value = Vec<[usize; 2]>> {
    prop::collection::vec(prop::array::uniform2(0..WORKERS), 1..15)
}

#[derive(Clone, Debug)]
enum Action {
    WorkerComes {
        worker: usize,
        node: usize,
    },
    WorkerGoes {
        worker: usize,
    },
    /// The first of all that wait ends without having run.
    FirstIsDropped,
    SampleEnds {
        nth: usize,
    },
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        2 => (0..WORKERS, 0..4_usize).prop_map(|(worker, node)| Action::WorkerComes { worker, node }),
        1 => (0..WORKERS).prop_map(|worker| Action::WorkerGoes { worker }),
        1 => Just(Action::FirstIsDropped),
        2 => (0..100_usize).prop_map(|nth| Action::SampleEnds { nth }),
    ]
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
        actions in prop::collection::vec(action(), 0..80),
    ) {
        let concurrency = if disjoint {
            Concurrency::DisjointNodes
        } else {
            Concurrency::Serial
        };
        let mut model = Model::new(concurrency, &ends);
        for action in actions {
            match action {
                Action::WorkerComes { worker, node } => model.place(worker, node),
                Action::WorkerGoes { worker } => {
                    model.nodes[worker] = None;
                    model.queue.remove_worker(WorkerId::from_index(worker));
                }
                Action::FirstIsDropped => {
                    if let Some(rank) = model.waiting.pop_first() {
                        model.queue.remove_first(rank);
                        model.samples[rank.cell().index()] = 2;
                    }
                }
                Action::SampleEnds { nth } => model.end(nth, 2),
            }
            // What runs keeps its nodes, even where a worker has moved.
            model.start(concurrency);
        }
        for worker in 0..WORKERS {
            model.place(worker, 10 + worker);
        }
        model.start(concurrency);
        while !model.running.is_empty() {
            model.end(0, 2);
            model.start(concurrency);
        }
        prop_assert!(model.queue.is_empty() && model.waiting.is_empty());
        prop_assert!(model.samples.iter().all(|samples| *samples == 2));
    }
}

//! Which sample is taken next, and which may be taken beside those that run. Pure.
//!
//! Serially the next is the one whose turn comes first, and it waits for its workers. On disjoint
//! nodes any number run side by side, as long as no two share a node; the rest of this page is
//! about those.
//!
//! A sample starts when its nodes are free, the earlier turn before the later one. It may overtake
//! one with an earlier turn that it shares a node with, but only while that one would have to wait
//! in any case: as long as yet another one comes before it at its other node. So
//!
//! - what comes first at both of its nodes is overtaken by nobody and starts as soon as they are
//!   free. That holds for the first of all, so there is always progress and no sample starves;
//! - a tournament, where each node meets each other one in rounds, stays a tournament when its
//!   samples end a little early or late: a node waits for its next partner rather than take one of
//!   a later round, which would tear all later rounds apart.
//!
//! A worker that is not there has no node; what needs it waits, and holds nobody up.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap};

use super::sample_order::Turn;
use crate::plan::Concurrency;

/// The samples that wait for their turn, at most one of each cell.
#[derive(Debug)]
pub(super) struct Queue {
    concurrency: Concurrency,
    /// By task: its pair.
    pair_of: Vec<u32>,
    pairs: Vec<Pair>,
    /// By worker: the pairs that it is an end of.
    shared_by: Vec<Vec<u32>>,
    /// By worker: where it is, if it is there.
    node_of: Vec<Option<usize>>,
    nodes: Vec<Node>,
    names: HashMap<String, usize>,
    /// The first of each pair.
    firsts: BTreeSet<Turn>,
    /// Nodes where something may have become possible.
    stirred: BTreeSet<usize>,
    /// Samples that hold their nodes.
    running: usize,
}

/// Two workers, or one by itself, and what waits for them. Those of a pair never run side by side.
#[derive(Debug)]
struct Pair {
    ends: [usize; 2],
    waiting: BinaryHeap<Reverse<Turn>>,
    /// The nodes at which the first of them is known to wait.
    linked: Option<[usize; 2]>,
}

#[derive(Debug, Default)]
struct Node {
    busy: bool,
    /// The first of each pair that needs this node and whose workers are both there.
    firsts: BTreeSet<Turn>,
}

/// The nodes that a sample holds while it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seat([usize; 2]);

impl Queue {
    /// For `workers` workers, none of them there, and tasks with their two ends.
    pub fn new(
        concurrency: Concurrency,
        workers: usize,
        ends: impl IntoIterator<Item = [usize; 2]>,
    ) -> Self {
        let mut pairs = Vec::new();
        let mut shared_by = vec![Vec::new(); workers];
        let mut known: HashMap<[usize; 2], u32> = HashMap::new();
        let pair_of = ends
            .into_iter()
            .map(|mut ends| {
                ends.sort_unstable();
                *known.entry(ends).or_insert_with(|| {
                    // Pairs are at most as many as cells.
                    let pair = u32::try_from(pairs.len()).unwrap_or(u32::MAX);
                    shared_by[ends[0]].push(pair);
                    if ends[0] != ends[1] {
                        shared_by[ends[1]].push(pair);
                    }
                    pairs.push(Pair {
                        ends,
                        waiting: BinaryHeap::new(),
                        linked: None,
                    });
                    pair
                })
            })
            .collect();
        Self {
            concurrency,
            pair_of,
            pairs,
            shared_by,
            node_of: vec![None; workers],
            nodes: Vec::new(),
            names: HashMap::new(),
            firsts: BTreeSet::new(),
            stirred: BTreeSet::new(),
            running: 0,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.firsts.is_empty()
    }

    /// Whether a sample waits that needs this worker.
    pub fn needs(&self, worker: usize) -> bool {
        let mut pairs = self.shared_by[worker].iter();
        pairs.any(|pair| !self.pairs[*pair as usize].waiting.is_empty())
    }

    /// The first of all that wait, startable or not.
    pub fn first(&self) -> Option<Turn> {
        self.firsts.first().copied()
    }

    /// A sample waits from now on.
    pub fn put(&mut self, turn: Turn) {
        let pair = self.pair_of[turn.task()];
        self.change(pair, |waiting| waiting.push(Reverse(turn)));
    }

    /// The first of a pair waits no more, though it has not run.
    pub fn drop_first(&mut self, turn: Turn) {
        let pair = self.pair_of[turn.task()];
        self.change(pair, |waiting| {
            if waiting.peek() == Some(&Reverse(turn)) {
                waiting.pop();
            }
        });
    }

    /// The worker is there, on this node.
    pub fn place(&mut self, worker: usize, node: &str) {
        let number = self.names.get(node).copied().unwrap_or_else(|| {
            self.nodes.push(Node::default());
            self.names.insert(node.to_owned(), self.nodes.len() - 1);
            self.nodes.len() - 1
        });
        self.settle(worker, Some(number));
    }

    /// The worker is not there any more. Samples that run keep their nodes.
    pub fn displace(&mut self, worker: usize) {
        self.settle(worker, None);
    }

    fn settle(&mut self, worker: usize, node: Option<usize>) {
        self.node_of[worker] = node;
        for at in 0..self.shared_by[worker].len() {
            let pair = self.shared_by[worker][at];
            self.change(pair, |_| {});
        }
    }

    /// Takes the sample that is to start now, if there is one: it holds its nodes until they are
    /// freed.
    pub fn take(&mut self) -> Option<(Turn, Seat)> {
        let turn = match self.concurrency {
            Concurrency::Serial => {
                let turn = self.first().filter(|_| self.running == 0)?;
                self.nodes_of(self.pair_of[turn.task()]).map(|_| turn)
            }
            Concurrency::DisjointNodes => {
                self.stirred.retain(|node| !self.nodes[*node].busy);
                let stirred: Vec<usize> = self.stirred.iter().copied().collect();
                let mut best = None;
                for node in stirred {
                    match self.candidate(node) {
                        Some(turn) if best.is_none_or(|best| turn < best) => best = Some(turn),
                        Some(_) => {}
                        None => {
                            self.stirred.remove(&node);
                        }
                    }
                }
                best
            }
        }?;
        let pair = self.pair_of[turn.task()];
        let nodes = self.nodes_of(pair)?;
        for node in nodes {
            self.nodes[node].busy = true;
        }
        self.running += 1;
        self.change(pair, |waiting| {
            waiting.pop();
        });
        Some((turn, Seat(nodes)))
    }

    /// The sample that held these nodes is over.
    pub fn free(&mut self, Seat(nodes): Seat) {
        for node in nodes {
            self.nodes[node].busy = false;
            self.stirred.insert(node);
        }
        self.running -= 1;
    }

    /// What is to start next at a free node.
    fn candidate(&self, node: usize) -> Option<Turn> {
        for turn in &self.nodes[node].firsts {
            let other = self.other(*turn, node);
            if !self.nodes[other].busy && self.may_pass(*turn, other) {
                return Some(*turn);
            }
            // The node waits for it, if nothing else stands before it.
            if self.comes_first(*turn, other) {
                return None;
            }
        }
        None
    }

    /// Whether all that come before it at this node have to wait in any case.
    fn may_pass(&self, turn: Turn, node: usize) -> bool {
        let mut before = self.nodes[node].firsts.range(..turn);
        before.all(|before| !self.comes_first(*before, self.other(*before, node)))
    }

    fn comes_first(&self, turn: Turn, node: usize) -> bool {
        self.nodes[node].firsts.first() == Some(&turn)
    }

    /// The other node of a sample that is linked to `node`; the same one when it needs but one.
    fn other(&self, turn: Turn, node: usize) -> usize {
        match self.pairs[self.pair_of[turn.task()] as usize].linked {
            Some([a, b]) if a == node => b,
            Some([a, _]) => a,
            None => node,
        }
    }

    /// Where both workers of a pair are, when they are there.
    fn nodes_of(&self, pair: u32) -> Option<[usize; 2]> {
        let [a, b] = self.pairs[pair as usize].ends;
        Some([self.node_of[a]?, self.node_of[b]?])
    }

    /// Changes what waits for a pair, and keeps account of its first.
    fn change(&mut self, pair: u32, change: impl FnOnce(&mut BinaryHeap<Reverse<Turn>>)) {
        let at = pair as usize;
        let first = |pair: &Pair| pair.waiting.peek().map(|turn| turn.0);
        let (old, was) = (first(&self.pairs[at]), self.pairs[at].linked);
        change(&mut self.pairs[at].waiting);
        let new = first(&self.pairs[at]);
        let is = new.and_then(|_| self.nodes_of(pair));
        if (old, was) == (new, is) {
            return;
        }
        if let Some(old) = old {
            self.firsts.remove(&old);
            for node in was.into_iter().flatten() {
                self.nodes[node].firsts.remove(&old);
                self.stirred.insert(node);
            }
        }
        self.pairs[at].linked = is;
        if let Some(new) = new {
            self.firsts.insert(new);
            for node in is.into_iter().flatten() {
                // What stood first here has to wait now, so others may pass it.
                let behind = self.nodes[node].firsts.first().copied();
                let behind = behind.filter(|behind| new < *behind);
                if let Some(behind) = behind {
                    self.stirred.insert(self.other(behind, node));
                }
                self.nodes[node].firsts.insert(new);
                self.stirred.insert(node);
            }
        }
    }
}

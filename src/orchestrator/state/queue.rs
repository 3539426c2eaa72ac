//! Decides which sample is taken next, and which may run beside those that run. Pure.
//!
//! Serially the next sample is the one with the least rank, and it waits for its workers. On disjoint
//! nodes any number run side by side, as long as no two share a node; the rest of this page is
//! about those.
//!
//! A sample starts when its nodes are free, the lower rank before the higher one. It may overtake
//! one with a lower rank that it shares a node with, but only while that one would have to wait
//! in any case: as long as yet another one comes before it at its other node. So
//!
//! - the sample that comes first at both of its nodes is overtaken by nobody and starts as soon as
//!   they are free. That holds for the first of all, so there is always progress and no sample starves;
//! - a tournament, where each node meets each other one in rounds, stays a tournament when its
//!   samples end a little early or late: a node waits for its next partner rather than take one of
//!   a later round, which would tear all later rounds apart.
//!
//! A worker that is absent has no node; samples that need it wait, and delay nobody.
//!
//! A batch of cells that are measured at once waits as one entry, with all nodes of its paths instead of two.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap};

use super::sample::order::Rank;
use super::table::{CellIndex, NodeId, PairId, Table, WorkerId};
use crate::plan::Concurrency;

/// The samples that wait, at most one of each cell.
#[derive(Debug)]
pub(super) struct Queue {
    concurrency: Concurrency,
    pair_of: Table<CellIndex, PairId>,
    pairs: Table<PairId, Pair>,
    /// The pairs that each worker is an end of.
    pairs_by_worker: Table<WorkerId, Vec<PairId>>,
    /// Where each worker is, unless it is absent.
    node_of: Table<WorkerId, Option<NodeId>>,
    nodes: Table<NodeId, Node>,
    node_ids: HashMap<String, NodeId>,
    /// The first of each pair.
    firsts: BTreeSet<Rank>,
    /// Nodes where a sample may have become startable.
    changed_nodes: BTreeSet<NodeId>,
    /// Samples that reserve their nodes.
    running: usize,
}

/// Two of something, or any number. Nearly all are two, and there may be a million.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Few<T> {
    Two([T; 2]),
    Any(Box<[T]>),
}

impl<T> std::ops::Deref for Few<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match self {
            Self::Two(two) => two,
            Self::Any(any) => any,
        }
    }
}

/// Two workers, one by itself, or those of a batch, and what waits for them. Those of a pair never run side by side.
#[derive(Debug)]
struct Pair {
    ends: Few<WorkerId>,
    waiting: BinaryHeap<Reverse<Rank>>,
    /// The nodes whose `firsts` list the first of them.
    listed_at: Option<Few<NodeId>>,
}

#[derive(Debug, Default)]
struct Node {
    busy: bool,
    /// The first of each pair that needs this node and whose workers are both present.
    firsts: BTreeSet<Rank>,
}

/// The nodes that a sample or a batch reserves while it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ReservedNodes(Few<NodeId>);

impl Queue {
    /// For `workers` workers, all absent, and cells with their two ends.
    pub fn new(
        concurrency: Concurrency,
        workers: usize,
        ends: impl IntoIterator<Item = [WorkerId; 2]>,
    ) -> Self {
        let mut pairs = Table::default();
        let mut pairs_by_worker: Table<WorkerId, Vec<PairId>> =
            (0..workers).map(|_| Vec::new()).collect();
        let mut known: HashMap<[WorkerId; 2], PairId> = HashMap::new();
        let pair_of = ends
            .into_iter()
            .map(|mut ends| {
                ends.sort_unstable();
                *known.entry(ends).or_insert_with(|| {
                    let pair = pairs.push(Pair {
                        ends: Few::Two(ends),
                        waiting: BinaryHeap::new(),
                        listed_at: None,
                    });
                    pairs_by_worker[ends[0]].push(pair);
                    if ends[0] != ends[1] {
                        pairs_by_worker[ends[1]].push(pair);
                    }
                    pair
                })
            })
            .collect();
        Self {
            concurrency,
            pair_of,
            pairs,
            pairs_by_worker,
            node_of: (0..workers).map(|_| None).collect(),
            nodes: Table::default(),
            node_ids: HashMap::new(),
            firsts: BTreeSet::new(),
            changed_nodes: BTreeSet::new(),
            running: 0,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.firsts.is_empty()
    }

    /// Whether a waiting sample needs this worker.
    pub fn needs(&self, worker: WorkerId) -> bool {
        let mut pairs = self.pairs_by_worker[worker].iter();
        pairs.any(|pair| {
            let pair = &self.pairs[*pair];
            !pair.waiting.is_empty() && pair.ends.contains(&worker)
        })
    }

    /// Lets cells wait as one batch, for these workers at most. None of them waits yet.
    pub fn add_party(&mut self, cells: &[CellIndex], ends: impl IntoIterator<Item = WorkerId>) {
        let ends: Vec<WorkerId> = ends.into_iter().collect();
        let pair = self.pairs.push(Pair {
            ends: Few::Any(Box::default()),
            waiting: BinaryHeap::new(),
            listed_at: None,
        });
        for worker in ends {
            self.pairs_by_worker[worker].push(pair);
        }
        for cell in cells {
            self.pair_of[*cell] = pair;
        }
    }

    /// Adds the next sample of a batch, of which nothing waits, between these workers.
    pub fn push_party(&mut self, rank: Rank, ends: impl IntoIterator<Item = WorkerId>) {
        let pair = self.pair_of[rank.cell()];
        self.pairs[pair].ends = Few::Any(ends.into_iter().collect());
        self.push(rank);
    }

    /// The first of all that wait, startable or not.
    pub fn first(&self) -> Option<Rank> {
        self.firsts.first().copied()
    }

    /// Adds a sample.
    pub fn push(&mut self, rank: Rank) {
        let pair = self.pair_of[rank.cell()];
        self.change(pair, |waiting| waiting.push(Reverse(rank)));
    }

    /// Removes the first sample of a pair, which has not run.
    pub fn remove_first(&mut self, rank: Rank) {
        let pair = self.pair_of[rank.cell()];
        self.change(pair, |waiting| {
            if waiting.peek() == Some(&Reverse(rank)) {
                waiting.pop();
            }
        });
    }

    /// The worker is present, on this node.
    pub fn place_worker(&mut self, worker: WorkerId, node: &str) {
        let id = self.node_ids.get(node).copied().unwrap_or_else(|| {
            let id = self.nodes.push(Node::default());
            self.node_ids.insert(node.to_owned(), id);
            id
        });
        self.set_node(worker, Some(id));
    }

    /// The worker is absent from now on. Samples that run keep their nodes.
    pub fn remove_worker(&mut self, worker: WorkerId) {
        self.set_node(worker, None);
    }

    fn set_node(&mut self, worker: WorkerId, node: Option<NodeId>) {
        self.node_of[worker] = node;
        for at in 0..self.pairs_by_worker[worker].len() {
            let pair = self.pairs_by_worker[worker][at];
            self.change(pair, |_| {});
        }
    }

    /// Takes the sample that starts now, if there is one. It reserves its nodes until they are
    /// released.
    pub fn take(&mut self) -> Option<(Rank, ReservedNodes)> {
        let rank = match self.concurrency {
            Concurrency::Serial => self.first().filter(|_| self.running == 0),
            Concurrency::DisjointNodes => self.first_startable(),
        }?;
        let pair = self.pair_of[rank.cell()];
        let nodes = self.nodes_of(pair)?;
        for node in nodes.iter() {
            self.nodes[*node].busy = true;
        }
        self.running += 1;
        self.change(pair, |waiting| {
            waiting.pop();
        });
        Some((rank, ReservedNodes(nodes)))
    }

    /// Releases the nodes of a sample that has ended.
    pub fn release(&mut self, ReservedNodes(nodes): &ReservedNodes) {
        for node in nodes.iter() {
            self.nodes[*node].busy = false;
            self.changed_nodes.insert(*node);
        }
        self.running -= 1;
    }

    /// The first sample that may start at one of the nodes that have changed.
    fn first_startable(&mut self) -> Option<Rank> {
        let nodes = &self.nodes;
        self.changed_nodes.retain(|node| !nodes[*node].busy);
        let changed: Vec<NodeId> = self.changed_nodes.iter().copied().collect();
        let mut first = None;
        for node in changed {
            match self.candidate(node) {
                Some(rank) if first.is_none_or(|first| rank < first) => first = Some(rank),
                Some(_) => {}
                None => {
                    self.changed_nodes.remove(&node);
                }
            }
        }
        first
    }

    /// The sample that may start next at a free node.
    fn candidate(&self, node: NodeId) -> Option<Rank> {
        for rank in &self.nodes[node].firsts {
            let mut others = self.other_nodes(*rank, node);
            if others.all(|other| !self.nodes[other].busy && self.may_overtake(*rank, other)) {
                return Some(*rank);
            }
            // The node waits for it, if nothing else comes before it there.
            if self.comes_first_elsewhere(*rank, node) {
                return None;
            }
        }
        None
    }

    /// Whether all samples that come before it at this node have to wait in any case.
    fn may_overtake(&self, rank: Rank, node: NodeId) -> bool {
        let mut before = self.nodes[node].firsts.range(..rank);
        before.all(|before| !self.comes_first_elsewhere(*before, node))
    }

    /// Whether a sample that is listed at `node` is the first at all of its other nodes.
    fn comes_first_elsewhere(&self, rank: Rank, node: NodeId) -> bool {
        let mut others = self.other_nodes(rank, node);
        others.all(|other| self.nodes[other].firsts.first() == Some(&rank))
    }

    /// The other nodes of a sample that is listed at `node`; the same one when it needs only one.
    fn other_nodes(&self, rank: Rank, node: NodeId) -> impl Iterator<Item = NodeId> + use<'_> {
        let listed_at = self.pairs[self.pair_of[rank.cell()]].listed_at.as_deref();
        let listed_at = listed_at.unwrap_or_default();
        let is_alone = listed_at.iter().all(|other| *other == node);
        let others = listed_at
            .iter()
            .copied()
            .filter(move |other| *other != node);
        others.chain(is_alone.then_some(node))
    }

    /// Where the workers of a pair are, when all are present.
    fn nodes_of(&self, pair: PairId) -> Option<Few<NodeId>> {
        match &self.pairs[pair].ends {
            Few::Two([a, b]) => Some(Few::Two([self.node_of[*a]?, self.node_of[*b]?])),
            Few::Any(ends) => {
                let nodes = ends.iter().map(|worker| self.node_of[*worker]);
                let nodes: BTreeSet<NodeId> = nodes.collect::<Option<_>>()?;
                Some(Few::Any(nodes.into_iter().collect()))
            }
        }
    }

    /// Changes the samples that wait for a pair, and keeps the lists of first samples current.
    fn change(&mut self, pair: PairId, change: impl FnOnce(&mut BinaryHeap<Reverse<Rank>>)) {
        let first = |pair: &Pair| pair.waiting.peek().map(|rank| rank.0);
        let (old, was) = (first(&self.pairs[pair]), self.pairs[pair].listed_at.take());
        change(&mut self.pairs[pair].waiting);
        let new = first(&self.pairs[pair]);
        let is = new.and_then(|_| self.nodes_of(pair));
        if (old, &was) == (new, &is) {
            self.pairs[pair].listed_at = was;
            return;
        }
        if let Some(old) = old {
            self.firsts.remove(&old);
            for node in was.as_deref().unwrap_or_default() {
                self.nodes[*node].firsts.remove(&old);
                self.changed_nodes.insert(*node);
            }
        }
        self.pairs[pair].listed_at.clone_from(&is);
        if let Some(new) = new {
            self.firsts.insert(new);
            for node in is.as_deref().unwrap_or_default() {
                // The sample that was first here has to wait now, so others may overtake it.
                let behind = self.nodes[*node].firsts.first().copied();
                let behind = behind.filter(|behind| new < *behind);
                if let Some(behind) = behind {
                    let others: Vec<NodeId> = self.other_nodes(behind, *node).collect();
                    self.changed_nodes.extend(others);
                }
                self.nodes[*node].firsts.insert(new);
                self.changed_nodes.insert(*node);
            }
        }
    }
}

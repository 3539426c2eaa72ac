//! Batches: cells of a test that measures all of its paths at once.
//!
//! The queue has one entry for a batch. Its members that lack the same sample start together: their clients start on one go,
//! once no server of theirs is still starting. A member whose attempt fails does not stop the others, whose samples count; it
//! is tried again before the batch goes on, with the other members that failed and without those that did not. So all
//! members of a batch have the same number of samples before each go, or have failed.

use std::collections::{BTreeSet, HashMap};

use super::State;
use super::lane::{LaneId, Stage};
use super::progress::Next;
use super::queue::ReservedNodes;
use super::sample::order::Rank;
use super::table::{BatchId, CellIndex, Table, WorkerId};
use super::task::Tasks;
use crate::results::Outcome;

/// The batches of a run.
#[derive(Debug)]
pub(super) struct Batches {
    of: HashMap<CellIndex, BatchId>,
    batches: Table<BatchId, Batch>,
}

#[derive(Debug, Default)]
struct Batch {
    members: Vec<CellIndex>,
    /// Members whose attempts have no result yet.
    under_way: usize,
    /// Those of all members, until the last lane is closed. A worker may have come back on another node while the old
    /// one is still reserved.
    nodes: Vec<ReservedNodes>,
}

impl Batches {
    pub fn new(tasks: &Tasks) -> Self {
        let mut of = HashMap::new();
        let mut batches = Table::default();
        for members in tasks.together() {
            let cells = members.clone();
            let id = batches.push(Batch {
                members,
                ..Batch::default()
            });
            of.extend(cells.into_iter().map(|cell| (cell, id)));
        }
        Self { of, batches }
    }

    /// The batch of a cell, if it belongs to one.
    pub fn of(&self, cell: CellIndex) -> Option<BatchId> {
        self.of.get(&cell).copied()
    }

    /// How many cells are measured at once at most; 0 without batches.
    pub fn largest(&self) -> usize {
        let sizes = self.batches.iter().map(|(_, batch)| batch.members.len());
        sizes.max().unwrap_or_default()
    }
}

impl State {
    /// Queues the first sample of each batch.
    pub(super) fn queue_batches(&mut self) {
        for batch in self.batches.batches.ids() {
            let members = self.batches.batches[batch].members.clone();
            let ends: BTreeSet<WorkerId> =
                members.iter().flat_map(|cell| self.ends(*cell)).collect();
            self.queue.add_party(&members, ends);
            self.queue_batch(batch);
        }
    }

    /// Queues what comes next of a batch whose members are all without an attempt.
    fn queue_batch(&mut self, batch: BatchId) {
        let due = self.due(batch);
        let first = |cell: &&CellIndex| (!self.progress[**cell].was_tried(), **cell);
        let Some(leader) = due.iter().min_by_key(first).copied() else {
            return;
        };
        let ends: BTreeSet<WorkerId> = due.iter().flat_map(|cell| self.ends(*cell)).collect();
        let rank = self.order.rank(leader, &self.progress[leader]);
        self.queue.push_party(rank, ends);
    }

    /// The members that take the next sample of a batch: those with the fewest samples.
    fn due(&self, batch: BatchId) -> Vec<CellIndex> {
        let members = self.batches.batches[batch].members.iter().copied();
        let open = members.filter(|cell| !self.progress[*cell].ended());
        let fewest = open.clone().map(|cell| self.progress[cell].samples()).min();
        open.filter(|cell| Some(self.progress[*cell].samples()) == fewest)
            .collect()
    }

    /// The cells that are measured with this one, and the cell itself.
    pub(super) fn due_with(&self, cell: CellIndex) -> Vec<CellIndex> {
        match self.batches.of(cell) {
            Some(batch) => self.due(batch),
            None => vec![cell],
        }
    }

    /// Starts the servers of all members that are due.
    pub(super) fn start_batch(&mut self, batch: BatchId, nodes: ReservedNodes) {
        let mut under_way = 0;
        for cell in self.due(batch) {
            match self.start_next_attempt(cell, None) {
                Ok(is_started) => under_way += usize::from(is_started),
                Err(outcome) => self.end_cell(cell, outcome),
            }
        }
        let state = &mut self.batches.batches[batch];
        state.under_way = under_way;
        if under_way > 0 {
            state.nodes.push(nodes);
        } else {
            self.queue.release(&nodes);
            self.queue_batch(batch);
        }
    }

    /// Ends the members that are due and need no attempt or wait for a worker that will not come. Returns whether there
    /// were any.
    pub(super) fn end_hopeless(&mut self, batch: BatchId, rank: Rank) -> bool {
        let due = self.due(batch).into_iter();
        let ends = due.filter_map(|cell| {
            let given_up = self.absent(cell).find(|id| self.workers[*id].given_up);
            match (self.next_for(cell), given_up) {
                (Next::End(outcome), _) => Some((cell, outcome)),
                (_, Some(worker)) => Some((cell, Outcome::Failed(self.absence(worker)))),
                (_, None) => None,
            }
        });
        let ends: Vec<(CellIndex, Outcome)> = ends.collect();
        if ends.is_empty() {
            return false;
        }
        self.queue.remove_first(rank);
        for (cell, outcome) in ends {
            self.end_cell(cell, outcome);
        }
        self.queue_batch(batch);
        true
    }

    /// The clients of a batch start once none of its servers is still starting.
    pub(super) fn start_ready_batches(&mut self) {
        if self.batches.of.is_empty() {
            return;
        }
        let (mut ready, mut starting) = (Vec::new(), BTreeSet::new());
        for (id, lane) in &self.lanes {
            let (Some(batch), Some(attempt)) = (self.batches.of(lane.cell), lane.running()) else {
                continue;
            };
            match attempt.stage {
                Stage::Ready => ready.push((batch, *id)),
                Stage::Starting => drop(starting.insert(batch)),
                Stage::Copying | Stage::Loading | Stage::Measuring { .. } | Stage::Unloading(_) => {
                }
            }
        }
        let ready = ready.into_iter();
        let ready = ready.filter(|(batch, _)| !starting.contains(batch));
        let ready: Vec<LaneId> = ready.map(|(_, id)| id).collect();
        self.start_clients(&ready);
    }

    /// An attempt of a member has its result. After the last one the batch is queued again.
    pub(super) fn resolve_in_batch(&mut self, cell: CellIndex) {
        let Some(batch) = self.batches.of(cell) else {
            return;
        };
        let state = &mut self.batches.batches[batch];
        state.under_way = state.under_way.saturating_sub(1);
        if state.under_way == 0 {
            self.end_go(batch);
            self.queue_batch(batch);
        }
    }

    /// Takes the nodes of a cell's batch, once no lane of the batch is left.
    pub(super) fn nodes_of_batch_without_lane(&mut self, cell: CellIndex) -> Vec<ReservedNodes> {
        let Some(batch) = self.batches.of(cell) else {
            return Vec::new();
        };
        let mut lanes = self.lanes.values();
        if lanes.any(|lane| self.batches.of(lane.cell) == Some(batch)) {
            return Vec::new();
        }
        std::mem::take(&mut self.batches.batches[batch].nodes)
    }
}

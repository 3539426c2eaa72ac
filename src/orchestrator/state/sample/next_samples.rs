//! Which samples start now, and which cells end without one.

use super::super::progress::Next;
use super::super::table::CellIndex;
use super::super::{Phase, State};
use crate::results::Outcome;

impl State {
    /// Starts all samples that can start now; ends cells that need no attempt or can have none.
    pub(in super::super) fn start_samples(&mut self) {
        if self.begin_policy_checks() || self.must_wait_for_path_check() {
            return;
        }
        loop {
            while self.strays.is_empty()
                && let Some((rank, nodes)) = self.queue.take()
            {
                let cell = rank.cell();
                if let Some(batch) = self.batches.of(cell) {
                    self.start_batch(batch, nodes);
                    continue;
                }
                if let Next::Attempt { .. } = self.next_for(cell)
                    && let Some(worker) = self.absent_for_loads(cell)
                {
                    self.queue.release(&nodes);
                    if self.workers[worker].given_up {
                        let outcome = Outcome::Failed(self.absence(worker));
                        self.end_cell(cell, outcome);
                        continue;
                    }
                    // A cell with loads runs by itself, so that nothing is under way.
                    self.queue.push(rank);
                    return self.await_workers_of(cell);
                }
                let nodes_of_lane = Some(nodes.clone());
                if let Err(outcome) = self.start_next_attempt(cell, nodes_of_lane) {
                    self.end_cell(cell, outcome);
                    self.queue.release(&nodes);
                }
            }
            if !self.lanes.is_empty() {
                self.phase = Phase::Running;
                return;
            }
            let Some(rank) = self.queue.first() else {
                return self.finish();
            };
            let cell = rank.cell();
            if let Some(batch) = self.batches.of(cell) {
                if self.end_hopeless(batch, rank) {
                    continue;
                }
                return self.await_workers_of(cell);
            }
            let given_up = self.absent(cell).find(|id| self.workers[*id].given_up);
            let outcome = match (self.next_for(cell), given_up) {
                (Next::End(outcome), _) => outcome,
                (_, Some(worker)) => Outcome::Failed(self.absence(worker)),
                (_, None) => return self.await_workers_of(cell),
            };
            self.queue.remove_first(rank);
            self.end_cell(cell, outcome);
        }
    }

    fn await_workers_of(&mut self, cell: CellIndex) {
        if !matches!(self.phase, Phase::AwaitingReturn { cell: now, .. } if now == cell) {
            let timer = self.set_timer(self.limits.reconnect);
            self.phase = Phase::AwaitingReturn { cell, timer };
        }
    }
}

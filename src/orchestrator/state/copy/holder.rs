//! The copy of the journal: which worker holds it, how far it is, and when records are copied.
//!
//! An event is acknowledged to watchers once the holder has it. Records are copied between samples only: while a client
//! runs on the holder's node, they wait. A client starts only when the copy has all events, so that each sample
//! is safe before the next one runs. When the holder leaves, another worker becomes the holder.

use std::collections::BTreeSet;

use super::super::lane::Stage;
use super::super::message::{Command, Session};
use super::super::table::WorkerId;
use super::super::{Phase, State};
use super::claim::HeldJournal;
use super::epoch::Epoch;
use crate::plan::Concurrency;

/// What the state is told of the journal that it continues.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// Of this orchestrator.
    pub epoch: Epoch,
    /// The journal that it continues; copies of it need only what follows.
    pub base: HeldJournal,
    /// The number of the next event.
    pub next_seq: u64,
    /// The node that this orchestrator is on; a worker on another one holds the copy, if there is one.
    pub node: Option<String>,
    /// Whether a worker holds a copy at all.
    pub has_copies: bool,
}

/// The copy of the journal.
#[derive(Debug)]
pub(in super::super) struct Copies {
    ledger: Ledger,
    holder: Option<Holder>,
    /// Sessions of workers that cannot hold it.
    unfit: BTreeSet<Session>,
    /// Watchers may have the events before this one.
    acknowledged: u64,
    /// The workers that were there at the beginning are known: without a holder among them there is none.
    is_settled: bool,
    /// A worker has held a copy, of this orchestrator or of an earlier one.
    has_had_holder: bool,
    /// Something has happened that may change who holds the copy, or which clients wait for it.
    is_changed: bool,
}

#[derive(Clone, Copy, Debug)]
struct Holder {
    worker: WorkerId,
    session: Session,
    /// It has the records before this one.
    held: u64,
    /// It was sent the records before this one.
    sent: u64,
}

impl Copies {
    pub fn new(ledger: Ledger) -> Self {
        Self {
            // What an earlier part of the run had was acknowledged or may be.
            acknowledged: ledger.base.next_seq,
            is_settled: !ledger.has_copies,
            // More than the run's start: a worker has joined an earlier orchestrator.
            has_had_holder: ledger.base.epoch > Epoch::default() && ledger.base.next_seq > 1,
            is_changed: true,
            ledger,
            holder: None,
            unfit: BTreeSet::new(),
        }
    }

    pub fn epoch(&self) -> Epoch {
        self.ledger.epoch
    }

    /// Takes note of a worker that has come or gone, or of a client that has started.
    pub fn set_changed(&mut self) {
        self.is_changed = true;
    }

    /// Counts an event.
    pub fn add_event(&mut self) {
        self.ledger.next_seq += 1;
    }

    /// Whether the holder has all events, or there is none.
    pub fn is_current(&self) -> bool {
        self.holder
            .is_none_or(|holder| holder.held >= self.ledger.next_seq)
    }

    /// The first record that a worker with this copy lacks.
    fn first_lacking(&self, copy: HeldJournal) -> u64 {
        let Ledger { epoch, base, .. } = self.ledger;
        let continues_base = copy.epoch == base.epoch && copy.next_seq <= base.next_seq;
        if copy.epoch == epoch || continues_base {
            copy.next_seq.min(self.ledger.next_seq)
        } else {
            0
        }
    }
}

impl State {
    /// Watchers may have the events before this one.
    #[must_use]
    pub fn acknowledged(&self) -> u64 {
        self.copies.acknowledged
    }

    /// The number of the next event.
    #[must_use]
    pub fn next_seq(&self) -> u64 {
        self.copies.ledger.next_seq
    }

    /// To be called once, after the workers have joined that were there before the beginning.
    pub fn settle_copies(&mut self) -> Vec<Command> {
        self.copies.is_settled = true;
        self.copies.is_changed = true;
        self.advance_copy();
        std::mem::take(&mut self.commands)
    }

    /// The name of the worker that holds the copy.
    #[must_use]
    pub fn holder(&self) -> Option<&str> {
        let holder = self.copies.holder?;
        Some(&self.workers[holder.worker].name)
    }

    /// Whether a worker should hold a copy and none does.
    #[must_use]
    pub fn lacks_holder(&self) -> bool {
        let Copies {
            ledger,
            holder,
            is_settled,
            ..
        } = &self.copies;
        ledger.has_copies && *is_settled && holder.is_none()
    }

    /// Whether all workers are gone for a reason that nobody has told, after one of them held a copy: they may have
    /// joined another orchestrator.
    pub(in super::super) fn is_isolated(&self) -> bool {
        let Copies {
            ledger,
            has_had_holder,
            ..
        } = &self.copies;
        let mut workers = self.workers.iter();
        let all_are_gone =
            workers.all(|(_, worker)| worker.present.is_none() && worker.end.is_none());
        ledger.has_copies && *has_had_holder && all_are_gone
    }

    /// What releases the holder, which is kept after the run's end until somebody has collected the records.
    pub fn release_holder(&mut self) -> Vec<Command> {
        self.copies.ledger.has_copies = false;
        if let (Phase::Ended, Some(holder)) = (&self.phase, self.copies.holder.take()) {
            self.send(holder.session, super::super::Order::Goodbye);
        }
        std::mem::take(&mut self.commands)
    }

    /// Whether a worker that joins after the run's end has the whole journal, and somebody may still need it.
    pub(in super::super) fn keeps_holder(
        &mut self,
        worker: WorkerId,
        session: Session,
        copy: Option<HeldJournal>,
    ) -> bool {
        let Ledger {
            next_seq,
            has_copies,
            ..
        } = self.copies.ledger;
        let is_whole = copy.is_some_and(|copy| copy.complete && copy.next_seq == next_seq);
        if is_whole && has_copies {
            self.copies.holder = Some(Holder {
                worker,
                session,
                held: next_seq,
                sent: next_seq,
            });
        }
        is_whole && has_copies
    }

    pub(in super::super) fn is_holder(&self, session: Session) -> bool {
        let holder = self.copies.holder;
        holder.is_some_and(|holder| holder.session == session)
    }

    /// Records are on the holder's disk; `None` when it cannot write them.
    pub(in super::super) fn held(&mut self, session: Session, held: Option<u64>) {
        let next_seq = self.copies.ledger.next_seq;
        let Some(holder) = self.copies.holder.as_mut() else {
            return;
        };
        if holder.session != session {
            return;
        }
        match held {
            Some(held) if held > holder.held && held <= holder.sent.min(next_seq) => {
                holder.held = held;
                let worker = holder.worker;
                self.copies.is_changed = true;
                self.renew_copy_timers();
                // It may become the holder again after another one.
                let epoch = self.copies.ledger.epoch;
                if let Some(present) = self.workers[worker].present.as_mut() {
                    present.place.claim.copy = Some(HeldJournal {
                        epoch,
                        next_seq: held,
                        complete: false,
                    });
                }
            }
            Some(_) => {}
            None => self.reject_holder(),
        }
    }

    /// Takes another holder: this one does not do its work.
    pub(in super::super) fn reject_holder(&mut self) {
        if let Some(holder) = self.copies.holder.take() {
            self.copies.unfit.insert(holder.session);
            self.copies.is_changed = true;
        }
    }

    /// Chooses the holder, acknowledges what it has, copies what may be copied, and starts the clients that waited for
    /// it.
    pub(in super::super) fn advance_copy(&mut self) {
        if let Phase::Ended = self.phase {
            return;
        }
        let is_changed = std::mem::take(&mut self.copies.is_changed);
        if is_changed && self.copies.ledger.has_copies && self.copies.is_settled {
            self.choose_holder();
        }
        let Some(holder) = self.copies.holder else {
            if !self.copies.is_settled {
                return;
            }
            self.copies.acknowledged = self.copies.ledger.next_seq;
            if is_changed {
                self.start_waiting_clients();
            }
            return self.close_when_copied();
        };
        self.copies.acknowledged = self.copies.acknowledged.max(holder.held);
        if self.copies.is_current() {
            if is_changed {
                self.start_waiting_clients();
            }
            self.close_when_copied();
        } else if self.is_measuring_at(holder.worker) {
            // It could be long until the copy has all events.
            if is_changed {
                self.start_waiting_clients();
            }
        } else if holder.held == holder.sent {
            let through = self.copies.ledger.next_seq;
            if let Some(holder) = self.copies.holder.as_mut() {
                holder.sent = through;
            }
            self.commands.push(Command::Copy {
                session: holder.session,
                from: holder.held,
                through,
            });
        }
    }

    /// Keeps the holder while it is present, unless it is on the orchestrator's node and another one is not.
    fn choose_holder(&mut self) {
        let current = self.copies.holder.filter(|holder| {
            let present = self.workers[holder.worker].present.as_ref();
            present.is_some_and(|present| present.session == holder.session)
        });
        let candidates = self.workers.iter().filter_map(|(worker, state)| {
            let present = state.present.as_ref()?;
            let copy = present.place.claim.copy?;
            if self.copies.unfit.contains(&present.session) {
                return None;
            }
            let is_elsewhere = self.copies.ledger.node.as_ref() != Some(&present.place.node);
            let is_current = current.is_some_and(|holder| holder.worker == worker);
            let lacking_from = self.copies.first_lacking(copy);
            // What is known by one copy only is not overwritten while another worker can hold this one.
            let overwrites = copy.next_seq > 0 && lacking_from == 0;
            let rank = (is_elsewhere, is_current, !overwrites, lacking_from);
            Some((
                rank,
                std::cmp::Reverse(worker),
                present.session,
                lacking_from,
            ))
        });
        let best = candidates.max();
        self.copies.has_had_holder |= best.is_some();
        self.copies.holder =
            best.map(|(_, std::cmp::Reverse(worker), session, from)| {
                match current.filter(|holder| holder.worker == worker) {
                    Some(current) => current,
                    None => Holder {
                        worker,
                        session,
                        held: from,
                        sent: from,
                    },
                }
            });
    }

    /// Whether copying to this worker would disturb a sample.
    pub(in super::super) fn is_measuring_at(&self, worker: WorkerId) -> bool {
        let node_of = |worker: WorkerId| {
            let present = self.workers[worker].present.as_ref();
            present.map(|present| present.place.node.as_str())
        };
        let node = node_of(worker);
        // A client that outlives its session may run on, and nobody knows whether its worker comes back on that node.
        let may_be_at = |end: WorkerId| node_of(end).is_none() || node_of(end) == node;
        let is_serial = self.tasks.plan().concurrency == Concurrency::Serial;
        self.lanes.values().any(|lane| {
            let measures = lane
                .running()
                .is_some_and(|attempt| matches!(attempt.stage, Stage::Measuring { .. }));
            measures && (is_serial || self.ends(lane.cell).into_iter().any(may_be_at))
        })
    }

    /// Whether a client has to wait until the copy has all events.
    pub(in super::super) fn must_copy_first(&self) -> bool {
        self.copies
            .holder
            .is_some_and(|holder| !self.copies.is_current() && !self.is_measuring_at(holder.worker))
    }
}

//! How an orchestrator begins: it finds out whether the run has an earlier part, and takes the newest copy of
//! its journal.
//!
//! ```text
//! Gathering ─▶ (Fetching ─▶) Begun
//! ```
//!
//! Each worker says in its Hello which epoch it has obeyed and what it holds. Within an epoch, a copy that has more
//! records is a continuation of one that has fewer. So the newest copy is known once all workers that the run needs have
//! joined. A worker that stays away is waited for only until the deadline: then the newest copy of those that are
//! there counts. A copy with the run's end is the newest in any case.

use std::collections::{BTreeMap, BTreeSet};

use super::super::message::Session;
use super::claim::{Claim, HeldJournal};
use super::epoch::Epoch;

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// For more workers, or for the deadline.
    Wait,
    /// Take the copy of this worker, as the orchestrator of this epoch.
    Fetch {
        worker: String,
        session: Session,
        epoch: Epoch,
        copy: HeldJournal,
    },
    /// Continue the journal on the own disk, or begin it.
    Begin { epoch: Epoch },
}

/// Who has joined, and what they hold.
#[derive(Debug)]
pub struct Succession {
    own: HeldJournal,
    expected: BTreeSet<String>,
    joined: BTreeMap<String, (Session, Claim)>,
    /// The greatest epoch that anybody has told of.
    greatest: Epoch,
    deadline_passed: bool,
    salt: u32,
}

impl Succession {
    /// `own` is the journal on the own disk. Until the deadline, the `expected` workers are waited for.
    #[must_use]
    pub fn new(own: HeldJournal, expected: impl IntoIterator<Item = String>, salt: u32) -> Self {
        Self {
            own,
            expected: expected.into_iter().collect(),
            joined: BTreeMap::new(),
            greatest: own.epoch,
            deadline_passed: false,
            salt,
        }
    }

    /// A worker has joined. A later session of the same worker replaces the earlier one.
    pub fn worker_joined(&mut self, worker: &str, session: Session, claim: Claim) {
        let copied = claim.copy.map_or(Epoch::default(), |copy| copy.epoch);
        self.greatest = self.greatest.max(claim.obeyed).max(copied);
        let newest = self.joined.get(worker).map(|(session, _)| *session);
        if newest < Some(session) {
            self.joined.insert(worker.to_owned(), (session, claim));
        }
    }

    /// A session has ended.
    pub fn worker_left(&mut self, session: Session) {
        self.joined.retain(|_, (other, _)| *other != session);
    }

    /// A worker will not come.
    pub fn worker_given_up(&mut self, worker: &str) {
        self.expected.remove(worker);
    }

    /// The copy in this session cannot be read.
    pub fn copy_failed(&mut self, session: Session) {
        for (other, claim) in self.joined.values_mut() {
            if *other == session {
                claim.copy = None;
            }
        }
    }

    /// The time to wait for workers is over.
    pub fn deadline_passed(&mut self) {
        self.deadline_passed = true;
    }

    /// The workers that are waited for, and those of them that are there.
    #[must_use]
    pub fn waiting(&self) -> (Vec<String>, Vec<String>) {
        let is_here = |worker: &&String| self.joined.contains_key(*worker);
        let joined = self.expected.iter().filter(is_here).cloned();
        (self.expected.iter().cloned().collect(), joined.collect())
    }

    /// Whether somebody has obeyed an orchestrator before this one.
    #[must_use]
    pub fn has_past(&self) -> bool {
        self.greatest > Epoch::default()
    }

    /// What to do next.
    #[must_use]
    pub fn step(&self) -> Step {
        let copies = self.joined.iter().filter_map(|(worker, (session, claim))| {
            let copy = claim.copy.filter(|copy| copy.next_seq > 0)?;
            Some((copy, worker, *session))
        });
        let newest = copies.max().filter(|(copy, ..)| *copy > self.own);
        let is_complete = newest.map_or(self.own, |(copy, ..)| copy).complete;
        let all_are_here = self
            .expected
            .iter()
            .all(|worker| self.joined.contains_key(worker));
        if !(is_complete || all_are_here || self.deadline_passed) {
            return Step::Wait;
        }
        let epoch = self.greatest.successor(self.salt);
        match newest {
            Some((copy, worker, session)) => Step::Fetch {
                worker: worker.clone(),
                session,
                epoch,
                copy,
            },
            None => Step::Begin { epoch },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn copy(epoch: u64, next_seq: u64) -> HeldJournal {
        HeldJournal {
            epoch: Epoch(epoch),
            next_seq,
            complete: false,
        }
    }

    fn claim(obeyed: u64, copy: Option<HeldJournal>) -> Claim {
        Claim {
            obeyed: Epoch(obeyed),
            copy,
        }
    }

    fn two_workers(own: HeldJournal) -> Succession {
        Succession::new(own, ["w1", "w2"].map(str::to_owned), 7)
    }

    #[test]
    fn a_first_orchestrator_begins_when_all_workers_are_there_or_late() {
        for is_late in [false, true] {
            let mut succession = two_workers(HeldJournal::default());
            succession.worker_joined("w1", Session(1), claim(0, Some(copy(0, 0))));
            assert_eq!(succession.step(), Step::Wait);
            if is_late {
                succession.deadline_passed();
            } else {
                succession.worker_joined("w2", Session(2), claim(0, None));
            }
            let epoch = Epoch::default().successor(7);
            assert_eq!(succession.step(), Step::Begin { epoch });
            assert!(!succession.has_past());
        }
    }

    #[test]
    fn the_newest_copy_is_taken_by_epoch_then_by_length() {
        let mut succession = two_workers(HeldJournal::default());
        succession.worker_joined("w1", Session(1), claim(5, Some(copy(5, 40))));
        succession.worker_joined("w2", Session(2), claim(4, Some(copy(4, 90))));
        let Step::Fetch { worker, epoch, .. } = succession.step() else {
            panic!("{succession:?}")
        };
        assert_eq!((worker.as_str(), epoch), ("w1", Epoch(5).successor(7)));
        succession.copy_failed(Session(1));
        assert!(matches!(succession.step(), Step::Fetch { worker, .. } if worker == "w2"));
        succession.worker_left(Session(2));
        assert_eq!(succession.step(), Step::Wait);
    }

    #[test]
    fn a_journal_of_its_own_counts_as_a_copy() {
        let own = copy(5, 40);
        for (theirs, is_newer) in [((5, 40), false), ((5, 41), true), ((6, 1), true)] {
            let mut succession = two_workers(own);
            succession.worker_joined(
                "w1",
                Session(1),
                claim(theirs.0, Some(copy(theirs.0, theirs.1))),
            );
            succession.worker_given_up("w2");
            let fetches = matches!(succession.step(), Step::Fetch { .. });
            assert_eq!(fetches, is_newer, "{theirs:?}");
        }
    }

    #[test]
    fn a_complete_copy_is_taken_at_once() {
        let mut succession = two_workers(HeldJournal::default());
        let complete = HeldJournal {
            complete: true,
            ..copy(5, 40)
        };
        succession.worker_joined("w1", Session(1), claim(5, Some(complete)));
        assert!(matches!(succession.step(), Step::Fetch { .. }));
        assert_eq!(
            two_workers(complete).step(),
            Step::Begin {
                epoch: Epoch(5).successor(7)
            }
        );
    }
}

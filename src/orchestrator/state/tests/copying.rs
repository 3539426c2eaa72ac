//! The copy of the journal in the world: the holder appends what it is sent, and events are acknowledged once it has
//! them.

use super::super::message::{Input, Session};
use super::world::World;
use crate::plan::Concurrency;

impl World {
    /// Watchers get what the holder has; what there is, where no worker holds anything.
    pub(super) fn check_acknowledged(&mut self, before: u64) {
        let acknowledged = self.state.acknowledged();
        let written = self.journal_before.len() + self.journal.len();
        assert_eq!(self.state.next_seq(), written as u64);
        assert!(before <= acknowledged && acknowledged <= self.state.next_seq());
        let acknowledged = usize::try_from(acknowledged).unwrap();
        match self.state.holder() {
            Some(holder) => {
                let has = self.copies[holder].events.len();
                // The pod may be another one by now.
                let is_there = self.believed.get(holder) == self.sessions.get(holder);
                if is_there && acknowledged > usize::try_from(before).unwrap() {
                    assert!(has >= acknowledged, "{holder} has {has} of {acknowledged}");
                    self.held = acknowledged;
                }
            }
            None => assert_eq!(acknowledged, written),
        }
    }

    /// The holder appends what it is sent, and says so.
    pub(super) fn copy(&mut self, session: Session, from: u64, through: u64) {
        let Some((&worker, _)) = self.sessions.iter().find(|(_, living)| **living == session)
        else {
            return;
        };
        if self.deaf.contains(&session) {
            return;
        }
        let node = &self.places[&session].node;
        for (process, _, start) in &self.clients {
            let is_told_to_stop = self.stopped.contains(&(process.session, process.step));
            let is_lost = !self.is_believed(process.session);
            let is_serial = self.policy.concurrency == Concurrency::Serial;
            let disturbs = is_serial || self.loads[start].contains(node);
            assert!(
                is_told_to_stop || is_lost || !disturbs,
                "copies while a sample runs: {:?}",
                self.clients
            );
        }
        let events = self.whole_journal();
        let range = usize::try_from(from).unwrap()..usize::try_from(through).unwrap();
        let copy = self.copies.get_mut(worker).unwrap();
        if copy.epoch == self.state.epoch() {
            // An answer may have been lost.
            assert!(
                range.start <= copy.events.len(),
                "a gap in the copy of {worker}"
            );
            copy.events.truncate(range.start);
        } else if from == 0 {
            copy.events.clear();
        }
        assert_eq!(
            copy.events.len(),
            range.start,
            "a gap in the copy of {worker}"
        );
        copy.events.extend_from_slice(&events[range]);
        copy.obeyed = self.state.epoch();
        copy.epoch = self.state.epoch();
        assert!(
            copy.events == events[..copy.events.len()],
            "another journal"
        );
        self.mail.push(Input::Held {
            session,
            held: Ok(through),
        });
    }
}

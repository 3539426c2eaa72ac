//! A measurement that waits for what its server's end observed.
//!
//! The client's end says its observation together with the result, the server's end when its server
//! has ended, which is to come in any case before the next sample. Whatever happens until then, the
//! measurement is published: with the server's observation, or without.

use super::output::add_observed;
use super::{Phase, Process, State};
use crate::plan::Via;
use crate::results::observed::End;
use crate::results::{Circumstances, EventKind, Sample, doubts};
use crate::rpc::pb::Observed;

/// A measurement that waits for what its server's end observed.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) task: usize,
    pub(super) server: Process,
    pub(super) circumstances: Circumstances,
    /// Without doubts so far.
    pub(super) sample: Sample,
    pub(super) raw: Option<Vec<u8>>,
}

impl State {
    pub(super) fn hold(&mut self, measured: Held) {
        if let Phase::Clearing { held, .. } = &mut self.phase {
            *held = Some(Box::new(measured));
        }
    }

    /// Publishes the measurement that is held, if there is one.
    pub(super) fn release(&mut self, observed: Option<Observed>) {
        if let Phase::Clearing { held, .. } = &mut self.phase
            && let Some(held) = held.take()
        {
            self.publish(*held, observed);
        }
    }

    /// Says what was measured, with all that there is to doubt, and ends the cell if it was the last.
    pub(super) fn publish(&mut self, measured: Held, observed: Option<Observed>) {
        let Held {
            task,
            circumstances,
            mut sample,
            raw,
            ..
        } = measured;
        add_observed(&mut sample.metrics, End::Server, observed);
        sample.doubts = doubts::of(&sample.params, &sample.metrics, &circumstances);
        self.emit_of(task, EventKind::Sample(sample), raw);
        self.settle(task);
    }

    /// What the plan and both ends say of a task's surroundings.
    pub(super) fn circumstances(&self, task: usize) -> Circumstances {
        let task = &self.tasks[task];
        let circumstances = task.circumstances.clone();
        let (Some(from), Some(to)) = (self.present(&task.from), self.present(&task.to)) else {
            return circumstances;
        };
        let (from, to) = (&from.place, &to.place);
        Circumstances {
            loopback: task.via == Via::Host && from.node == to.node,
            ..circumstances
        }
        .seen(&from.environment, &to.environment)
    }
}

//! A measurement that waits for what its server's end observed.
//!
//! The client's end says its observation together with the result, the server's end when its server
//! has ended, which is to come in any case before the next sample. Whatever happens until then, the
//! measurement is published: with the server's observation, or without.

use super::State;
use super::lane::{Life, Process};
use super::outcome::{add_observed, carried};
use crate::plan::Via;
use crate::results::host_metrics::End;
use crate::results::warnings::Interfaces;
use crate::results::{Circumstances, EventKind, Sample, warnings};
use crate::rpc::pb::Observed;

/// A measurement that waits for what its server's end observed.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) task: usize,
    pub(super) server: Process,
    pub(super) circumstances: Circumstances,
    /// Without the warnings that follow from both ends' observations.
    pub(super) sample: Sample,
    pub(super) raw: Option<Vec<u8>>,
    /// Bytes that all interfaces of the client's end carried.
    pub(super) carried_bytes: Option<u64>,
}

impl State {
    pub(super) fn hold(&mut self, at: usize, measured: Held) {
        if let Life::Clearing { held, .. } = &mut self.lanes[at].life {
            *held = Some(Box::new(measured));
        }
    }

    /// Publishes the measurement that a lane holds, if there is one.
    pub(super) fn release(&mut self, at: usize, observed: Option<Observed>) {
        if let Life::Clearing { held, .. } = &mut self.lanes[at].life
            && let Some(held) = held.take()
        {
            self.publish(*held, observed);
        }
    }

    /// Publishes the sample with all its warnings, and ends the cell if it was the last.
    /// What the interfaces contradict was not measured, where all traffic crosses them.
    pub(super) fn publish(&mut self, measured: Held, observed: Option<Observed>) {
        let Held {
            task,
            circumstances,
            mut sample,
            raw,
            carried_bytes,
            ..
        } = measured;
        let at_server = observed.as_ref().and_then(carried);
        add_observed(&mut sample.metrics, End::Server, observed);
        let contradiction = warnings::contradiction(&sample.metrics, End::Client, carried_bytes)
            .or_else(|| warnings::contradiction(&sample.metrics, End::Server, at_server));
        let event = match contradiction {
            Some(contradiction) if circumstances.interfaces == Interfaces::CarryAll => {
                EventKind::AttemptFailed {
                    cell: sample.cell,
                    sample: sample.sample,
                    attempt: sample.attempt,
                    failure: warnings::contradicted(&sample.tool, &contradiction),
                    raw: sample.raw,
                    raw_cut_bytes: sample.raw_cut_bytes,
                }
            }
            contradiction => {
                sample.warnings.extend(contradiction);
                let found =
                    warnings::find_warnings(&sample.params, &sample.metrics, &circumstances);
                sample.warnings.extend(found);
                EventKind::Sample(sample)
            }
        };
        self.emit_of(task, event, raw);
        self.settle(task);
    }

    /// What the plan and both ends say of a task's surroundings.
    pub(super) fn circumstances(&self, task: usize) -> Circumstances {
        let ends = self.ends(task);
        let task = self.tasks.at(task);
        let circumstances = task.circumstances();
        let [Some(to), Some(from)] = ends.map(|at| self.workers[at].present.as_ref()) else {
            return circumstances;
        };
        let (from, to) = (&from.place, &to.place);
        Circumstances {
            loopback: task.path.via == Via::Host && from.node == to.node,
            ..circumstances
        }
        .seen(&from.environment, &to.environment)
    }
}

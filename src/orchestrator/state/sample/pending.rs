//! A sample that waits for the observation of its server's end.
//!
//! The client's end reports its observation together with the result. The server's end reports when
//! its server has ended, which must happen before the next sample anyway. Whatever happens until
//! then, the sample is published: with the server's observation, or without.

use super::super::State;
use super::super::lane::{LaneId, LanePhase, PendingSample};
use super::super::message::Command;
use super::super::table::CellIndex;
use super::outcome::{add_observation, add_packet_rate};
use crate::plan::Via;
use crate::results::environment::host_metrics::{End, Observation};
use crate::results::warnings::Interfaces;
use crate::results::{Circumstances, EventKind, warnings};

impl State {
    /// Publishes all samples that still wait for an observation. The caller is about to leave the
    /// run to a successor, and may hand no further input than [`super::message::Input::Held`] to this state.
    pub fn publish_pending(&mut self) -> Vec<Command> {
        self.is_stopping = true;
        for lane in self.lane_ids() {
            self.publish_pending_in(lane, None);
        }
        self.advance_copy();
        std::mem::take(&mut self.commands)
    }

    pub(in super::super) fn set_pending(&mut self, lane: LaneId, sample: PendingSample) {
        if let Some(lane) = self.lanes.get_mut(&lane)
            && let LanePhase::Stopping { pending, .. } = &mut lane.phase
        {
            *pending = Some(Box::new(sample));
        }
    }

    /// Publishes the pending sample of a lane, if it has one.
    pub(in super::super) fn publish_pending_in(
        &mut self,
        lane: LaneId,
        observed: Option<Observation>,
    ) {
        if let Some(lane) = self.lanes.get_mut(&lane)
            && let LanePhase::Stopping { pending, .. } = &mut lane.phase
            && let Some(sample) = pending.take()
        {
            self.publish(*sample, observed);
        }
    }

    /// Publishes the sample with all its warnings, and ends the cell if it was the last.
    /// A result that the interfaces contradict is a failure where all traffic crosses them.
    pub(in super::super) fn publish(
        &mut self,
        pending: PendingSample,
        observed: Option<Observation>,
    ) {
        let PendingSample {
            cell,
            circumstances,
            mut sample,
            raw,
            carried_bytes,
            ..
        } = pending;
        let at_server = observed.as_ref().and_then(|seen| seen.carried_bytes);
        add_observation(&mut sample.metrics, End::Server, observed);
        let direction = sample.params.direction();
        add_packet_rate(&mut sample.metrics, direction, &circumstances);
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
                self.note_that_path_works(cell);
                EventKind::Sample(sample)
            }
        };
        self.emit_for_cell(cell, event, raw);
        self.queue_or_end(cell);
    }

    /// The conditions of a cell, by the plan and by both ends.
    pub(in super::super) fn circumstances(&self, cell: CellIndex) -> Circumstances {
        let ends = self.ends(cell);
        let task = self.tasks.at(cell);
        let circumstances = task.circumstances();
        let [Some(to), Some(from)] = ends.map(|worker| self.workers[worker].present.as_ref())
        else {
            return circumstances;
        };
        let (from, to) = (&from.place, &to.place);
        let crosses_link =
            from.node != to.node && from.environment.emulated && to.environment.emulated;
        let link = self.tasks.plan().local.links.rate;
        Circumstances {
            loopback: task.path.via == Via::Host && from.node == to.node,
            link_bps: link.filter(|_| crosses_link).map(|rate| rate.0 as f64),
            ..circumstances
        }
        .seen(&from.environment, &to.environment)
    }
}

//! What workers do when full segments are exchanged before the first sample. On some of the paths they vanish.

use super::super::message::{Input, LostSegment, Process, Target};
use super::cells::WORKERS;
use super::world::World;
use crate::catalog::Direction;
use crate::results::Sample;
use crate::results::warnings::{MtuEvidence, VanishedSegment, Warning};
use crate::tools::{Ended, How};

/// The payload of a full segment.
pub(super) const SEGMENT: u32 = 1448;

/// Whether large packets vanish from one worker to another.
pub(super) fn is_black_hole(from: usize, to: usize) -> bool {
    (from + 2 * to) % 3 == 1
}

impl World {
    /// Accepts connections, unless something else listens on the port.
    pub(super) fn accept(&mut self, process: Process, port: u16) {
        let in_use = process.session.0.is_multiple_of(5);
        let accepting = if in_use {
            Err(format!("port {port} is in use"))
        } else {
            self.acceptors.push((process, port));
            Ok(())
        };
        self.answer(process, Input::Accepting(process, accepting));
    }

    pub(super) fn end_acceptor(&mut self, process: Process) {
        let before = self.acceptors.len();
        self.acceptors.retain(|(other, _)| *other != process);
        if self.acceptors.len() < before {
            let ended = Input::ServerEnded {
                process,
                ended: Ended::silent(How::Stopped),
                observed: None,
            };
            self.answer(process, ended);
        }
    }

    pub(super) fn test_segments(&mut self, process: Process, targets: &[Target]) {
        let beside = self
            .clients
            .iter()
            .find(|(client, ..)| self.is_alive(client.session));
        assert_eq!(beside, None, "beside a sample");
        let from = self.worker_of(process.session);
        let lost = targets.iter().enumerate().filter_map(|(nth, target)| {
            let address = Some(&target.address);
            let waits = !target.connect_within.is_zero();
            let mut places = self.places.values();
            let is_cluster_ip = places.any(|place| address == place.cluster_ip.as_ref());
            assert_eq!(waits, is_cluster_ip, "{target:?}");
            let is_its = |name: &&str| {
                let place = self.believed.get(*name);
                let place = place.and_then(|session| self.places.get(session));
                place.is_some_and(|place| {
                    address == Some(&place.pod_ip) || address == place.cluster_ip.as_ref()
                })
            };
            // Its worker may have come back since.
            let to = WORKERS.iter().position(is_its)?;
            is_black_hole(from, to).then_some(LostSegment {
                target: nth,
                segment: VanishedSegment {
                    direction: Direction::Forward,
                    payload_bytes: SEGMENT,
                },
            })
        });
        let answer = Input::SegmentsTested(process, lost.collect());
        self.answer(process, answer);
    }

    /// A sample has the warning on no other path than those on which segments vanish.
    pub(super) fn check_black_hole(&self, sample: &Sample) {
        let path: usize = sample.path.trim_start_matches('p').parse().unwrap();
        let warning = Warning::MtuBlackHole {
            direction: Direction::Forward,
            evidence: MtuEvidence::VanishedPayloadBytes(SEGMENT),
        };
        if sample.warnings.contains(&warning) {
            let spec = &self.specs[path];
            assert!(
                is_black_hole(spec.from, spec.to),
                "another path's black hole"
            );
        }
    }
}

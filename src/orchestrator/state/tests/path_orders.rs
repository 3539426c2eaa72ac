//! What workers do when paths are tested before the first sample. On some of them full segments vanish, and some are silent.

use super::super::message::{Input, LostSegment, PathFindings, Process, Target, Unreached};
use super::cells::WORKERS;
use super::world::World;
use crate::catalog::Direction;
use crate::connectivity::Answer;
use crate::results::Sample;
use crate::results::warnings::{MtuEvidence, VanishedSegment, Warning};
use crate::tools::{Ended, How};

/// The payload of a full segment.
pub(super) const SEGMENT: u32 = 1448;

/// Whether large packets vanish from one worker to another.
pub(super) fn is_black_hole(from: usize, to: usize) -> bool {
    (from + 2 * to) % 3 == 1
}

/// Whether a worker gets no answer from another one.
pub(super) fn is_silent(from: usize, to: usize) -> bool {
    !is_black_hole(from, to) && (2 * from + to) % 5 == 2
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

    pub(super) fn test_paths(&mut self, process: Process, targets: &[Target]) {
        let beside = self
            .clients
            .iter()
            .find(|(client, ..)| self.is_alive(client.session));
        assert_eq!(beside, None, "beside a sample");
        let from = self.worker_of(process.session);
        let mut findings = PathFindings::default();
        for (nth, target) in targets.iter().enumerate() {
            let address = Some(&target.address);
            let mut places = self.places.values();
            let by_service = places.find(|place| address == place.cluster_ip.as_ref());
            let behind = by_service.map(|place| &place.pod_ip);
            assert_eq!(target.pod_address.as_ref(), behind, "{target:?}");
            let is_its = |name: &&str| {
                let place = self.believed.get(*name);
                let place = place.and_then(|session| self.places.get(session));
                place.is_some_and(|place| {
                    address == Some(&place.pod_ip) || address == place.cluster_ip.as_ref()
                })
            };
            // Its worker may have come back since.
            let Some(to) = WORKERS.iter().position(is_its) else {
                continue;
            };
            if is_black_hole(from, to) {
                findings.lost.push(LostSegment {
                    target: nth,
                    segment: VanishedSegment {
                        direction: Direction::Forward,
                        payload_bytes: SEGMENT,
                    },
                });
            }
            if is_silent(from, to) {
                let silence = |ip: &String| (ip.parse().unwrap(), Answer::TimedOut);
                findings.unreached.push(Unreached {
                    target: nth,
                    address: silence(&target.address),
                    pod_address: target.pod_address.as_ref().map(silence),
                });
            } else {
                findings.reached.push(nth);
            }
        }
        self.answer(process, Input::PathsTested(process, findings));
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

    /// No other path is said to be silent than those that are.
    pub(super) fn check_silent_path(&self, path: &str) {
        let path: usize = path.trim_start_matches('p').parse().unwrap();
        let spec = &self.specs[path];
        assert!(is_silent(spec.from, spec.to), "another path's silence");
    }
}

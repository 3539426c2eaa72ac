//! Plain lines about a run's progress, for a pod's log.

use std::collections::HashSet;

use crate::diag::printable;
use crate::plan::Plan;
use crate::results::{EventKind, Outcome};
use crate::tools::CellMeans;

/// What a line about progress needs to know.
#[derive(Debug, Default)]
pub(super) struct Lines {
    means: CellMeans,
    /// Warnings that were given: once for each worker and address.
    warned: HashSet<String>,
}

impl Lines {
    pub fn for_run(plan: &Plan) -> Self {
        Self {
            means: CellMeans::for_plan(plan),
            warned: HashSet::new(),
        }
    }

    /// Takes note of an event of an earlier part of the run, which has its line already.
    pub fn learn(&mut self, event: &EventKind) {
        match event {
            EventKind::Sample(sample) => self.means.add(&sample.cell, &sample.metrics),
            EventKind::CellEnded { cell, .. } => self.means.end(cell),
            _ => {}
        }
    }

    /// The line for an event, if it deserves one. `count` is of the cells that have ended, and of
    /// all. Text of others is on it, never on lines of its own: [`count_in`] reads the log.
    pub fn line(&mut self, event: &EventKind, count: (usize, usize)) -> Option<String> {
        let text = self.text(event, count)?;
        Some(printable::lines(&text).into_owned())
    }

    fn text(&mut self, event: &EventKind, count: (usize, usize)) -> Option<String> {
        match event {
            EventKind::WorkerJoined {
                worker,
                node,
                pod_ip,
                ..
            } => {
                let node = printable::line(node);
                let joined = format!("worker `{worker}` joined from {pod_ip} on node {node}");
                let warning = event.address_warning();
                let warning = warning.filter(|warning| self.warned.insert(warning.clone()));
                Some(match warning {
                    Some(warning) => format!("{joined}\nwarning: {warning}"),
                    None => joined,
                })
            }
            EventKind::WorkerLeft { worker } => Some(format!("worker `{worker}` left")),
            EventKind::AttemptFailed {
                cell,
                sample,
                attempt,
                failure,
                ..
            } => Some(format!(
                "{}: sample {sample}, attempt {attempt} failed: {}",
                cell.0,
                printable::line(&self.means.headlines().failure(cell.test(), failure))
            )),
            EventKind::Sample(_) => {
                self.learn(event);
                None
            }
            EventKind::CellEnded { cell, outcome } => {
                let said = match outcome {
                    Outcome::Measured {
                        samples,
                        found: Some(found),
                        ..
                    } => format!("found {} by {samples} samples", found.in_words()),
                    Outcome::Measured {
                        reached: Some(false),
                        ..
                    } => self.means.say(cell, "bound not reached"),
                    Outcome::Measured { .. } => self.means.say(cell, ""),
                    Outcome::Failed(failure) => {
                        let why = self.means.headlines().failure(cell.test(), failure);
                        format!("failed: {}", printable::line(&why))
                    }
                    Outcome::Skipped { reason } => format!("skipped: {}", printable::line(reason)),
                };
                self.learn(event);
                Some(format!("[{}/{}] {}: {said}", count.0, count.1, cell.0))
            }
            EventKind::RunEnded { cancelled: true } => Some(format!(
                "cancelled: {} of {} cells have ended",
                count.0, count.1
            )),
            EventKind::RunEnded { cancelled: false } => {
                Some(format!("all {} cells have ended", count.1))
            }
            EventKind::RunStarted { .. } | EventKind::SampleStarted { .. } => None,
        }
    }
}

/// How far a run is, by the last lines of its log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// Cells that have ended, and all.
    pub ended: usize,
    pub total: usize,
    pub cancelled: bool,
}

/// The newest count that a log tells of.
#[must_use]
pub fn count_in(log: &str) -> Option<Count> {
    log.lines().rev().find_map(|line| {
        let of_cell = || {
            let (count, _) = line.strip_prefix('[')?.split_once("] ")?;
            Some((count.split_once('/')?, false))
        };
        let of_cancel = || {
            let count = line.strip_prefix("cancelled: ")?;
            let count = count.strip_suffix(" cells have ended")?;
            Some((count.split_once(" of ")?, true))
        };
        let of_end = || {
            let count = line.strip_prefix("all ")?;
            let count = count.strip_suffix(" cells have ended")?;
            Some(((count, count), false))
        };
        let ((ended, total), cancelled) = of_cell().or_else(of_cancel).or_else(of_end)?;
        Some(Count {
            ended: ended.parse().ok()?,
            total: total.parse().ok()?,
            cancelled,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_address_than_the_announced_one_is_said_once() {
        let joined = |worker: &str, peer: Option<&str>| EventKind::WorkerJoined {
            worker: worker.to_owned(),
            node: "n1".to_owned(),
            pod_ip: "10.0.0.1".to_owned(),
            cluster_ip: None,
            peer_ip: peer.map(str::to_owned),
            environment: crate::results::WorkerEnvironment::default(),
        };
        let mut lines = Lines::default();
        let mut warns = |worker, peer| {
            let line = lines.line(&joined(worker, peer), (0, 1)).unwrap();
            assert!(line.starts_with("worker `w"), "{line}");
            line.contains("\nwarning: worker `w")
        };
        assert!(!warns("w1", None));
        assert!(warns("w1", Some("10.9.9.9")));
        assert!(!warns("w1", Some("10.9.9.9")));
        assert!(warns("w2", Some("10.9.9.9")));
    }

    #[test]
    fn words_of_a_tool_neither_count_nor_command() {
        let mut lines = Lines::default();
        let failed = EventKind::AttemptFailed {
            cell: crate::schedule::CellId("iperf3/hairpin/mss=96".to_owned()),
            sample: 1,
            attempt: 1,
            failure: crate::tools::Failure {
                cause: crate::tools::Cause::ToolError,
                words: "x\n[9/118] y\r\n::error::z\u{1b}[2J".to_owned(),
            },
            raw: None,
            raw_cut_bytes: 0,
        };
        let line = lines.line(&failed, (7, 118)).unwrap();
        assert!(
            printable::is_safe(&line) && !line.contains('\n'),
            "{line:?}"
        );
        assert_eq!(count_in(&line), None);
    }

    #[test]
    fn a_log_tells_how_far_the_run_is() {
        let cell = crate::schedule::CellId("iperf3/hairpin/mss=96".to_owned());
        let reason = "why".to_owned();
        let outcome = Outcome::Skipped { reason };
        let ended = EventKind::CellEnded { cell, outcome };
        let mut lines = Lines::default();
        let mut log = "worker `w1` joined from 10.0.0.1 on node n1\n".to_owned();
        assert_eq!(count_in(&log), None);
        let count = |ended, cancelled| {
            let total = 118;
            Some(Count {
                ended,
                total,
                cancelled,
            })
        };
        log += &lines.line(&ended, (7, 118)).unwrap();
        log += "\nworker `w1` left\n";
        assert_eq!(count_in(&log), count(7, false));
        let cut = EventKind::RunEnded { cancelled: true };
        let cut = lines.line(&cut, (7, 118)).unwrap();
        assert_eq!(
            count_in(&format!("{log}{cut}\nALL\nMAXIMUM,\nEND\n")),
            count(7, true)
        );
        let end = EventKind::RunEnded { cancelled: false };
        let end = lines.line(&end, (118, 118)).unwrap();
        assert_eq!(count_in(&format!("{log}{end}\n")), count(118, false));
    }
}

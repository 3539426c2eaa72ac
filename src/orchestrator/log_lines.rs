//! Plain lines about a run's progress, for a pod's log.

use std::collections::HashSet;

use crate::diag::printable;
use crate::plan::Plan;
use crate::results::warnings::OffloadNote;
use crate::results::{EventKind, Outcome, Progress};
use crate::tools::CellMeans;

/// What a line about progress needs to know.
#[derive(Debug, Default)]
pub(super) struct Lines {
    means: CellMeans,
    /// Warnings that were given: once for each worker and address.
    warned: HashSet<String>,
    offloads: OffloadNote,
    /// The cells that had ended at the last record.
    recorded: usize,
}

/// Fewer cells than this end between two records, which must be among the last lines of a log.
const RECORD_AFTER: usize = 100;

impl Lines {
    pub fn for_run(plan: &Plan) -> Self {
        Self {
            means: CellMeans::for_plan(plan),
            warned: HashSet::new(),
            offloads: OffloadNote::for_tests(&plan.tests),
            recorded: 0,
        }
    }

    /// The record of how far the run is: after the first cell, after each percent of the cells, and at
    /// the end. `count` is of the cells that have ended, and of all.
    pub fn record(&mut self, event: &EventKind, count: (usize, usize)) -> Option<String> {
        let (ended, total) = count;
        let since = ended.saturating_sub(self.recorded);
        let is_due = self.recorded == 0 || since >= RECORD_AFTER || since * 100 >= total;
        let cancelled = match event {
            EventKind::CellEnded { .. } if is_due => false,
            EventKind::RunEnded { cancelled } => *cancelled,
            _ => return None,
        };
        self.recorded = ended;
        let progress = Progress {
            ended,
            total,
            cancelled,
        };
        progress.to_line().ok()
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
    /// all. Text of others is on it, never on lines of its own: those may be records.
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
                let warnings = warning.into_iter().chain(self.offloads.on(event));
                Some(warnings.fold(joined, |lines, warning| {
                    format!("{lines}\nwarning: {warning}")
                }))
            }
            EventKind::WorkerLeft { worker } => Some(format!("worker `{worker}` left")),
            EventKind::PathUnreachable { .. } => {
                let warning = event.path_warning()?;
                Some(format!("warning: {}", printable::line(&warning)))
            }
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
                    } => format!("found {} by {samples} samples", found.to_text()),
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
            EventKind::Mark(mark) => Some(mark.to_text()),
            EventKind::LoadSample { .. }
            | EventKind::RunStarted { .. }
            | EventKind::SampleStarted { .. } => None,
        }
    }
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
            other_pod_ip: None,
            other_cluster_ip: None,
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
                note: String::new(),
            },
            raw: None,
            raw_cut_bytes: 0,
        };
        let line = lines.line(&failed, (7, 118)).unwrap();
        assert!(
            printable::is_safe(&line) && !line.contains('\n'),
            "{line:?}"
        );
        assert_eq!(Progress::from_log(&line), None);
    }

    #[test]
    fn records_say_how_far_the_run_is_and_are_few() {
        let cell = crate::schedule::CellId("iperf3/hairpin/mss=96".to_owned());
        let reason = "why".to_owned();
        let outcome = Outcome::Skipped { reason };
        let ended = EventKind::CellEnded { cell, outcome };
        let cut = EventKind::RunEnded { cancelled: true };
        for total in [3, 118, 1000, 100_000] {
            let mut lines = Lines::default();
            let mut log = "worker `w1` joined from 10.0.0.1 on node n1\n".to_owned();
            let mut records = 0;
            for count in 1..=total {
                if let Some(record) = lines.record(&ended, (count, total)) {
                    log += &(record + "\n");
                    records += 1;
                }
                let newest = Progress::from_log(&log).unwrap();
                assert!(
                    (count - newest.ended) * 100 < total.max(100) && count - newest.ended < 100
                );
                assert_eq!((newest.total, newest.cancelled), (total, false));
            }
            assert!(records <= total.div_ceil(100).max(100) + 1 && records >= total.min(50));
            log += &lines.record(&cut, (total, total)).unwrap();
            assert!(Progress::from_log(&log).unwrap().cancelled);
        }
    }
}

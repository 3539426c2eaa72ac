//! Plain lines about a run's progress, for a pod's log.

use std::collections::HashMap;

use crate::results::{EventKind, Outcome};
use crate::schedule::CellId;
use crate::tools::{Metrics, name};

/// What a line about progress needs to know.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// The last headlines of the cells under way.
    figures: HashMap<CellId, String>,
}

impl Lines {
    /// The line for an event, if it deserves one. `count` is of the cells that have ended, and of
    /// all.
    pub fn of(&mut self, event: &EventKind, count: (usize, usize)) -> Option<String> {
        match event {
            EventKind::WorkerJoined {
                worker,
                node,
                pod_ip,
                ..
            } => Some(format!(
                "worker `{worker}` joined from {pod_ip} on node {node}"
            )),
            EventKind::WorkerLeft { worker } => Some(format!("worker `{worker}` left")),
            EventKind::AttemptFailed {
                cell,
                sample,
                attempt,
                failure,
                ..
            } => Some(format!(
                "{}: sample {sample}, attempt {attempt} failed: {failure}",
                cell.0
            )),
            EventKind::Sample(sample) => {
                let figure = figure(&sample.metrics).unwrap_or_default();
                self.figures.insert(sample.cell.clone(), figure);
                None
            }
            EventKind::CellEnded { cell, outcome } => {
                let figure = self.figures.remove(cell).unwrap_or_default();
                let said = match outcome {
                    Outcome::Measured {
                        samples,
                        found: Some(found),
                        ..
                    } => format!("found {} by {samples} samples", found.in_words()),
                    Outcome::Measured { samples: 1, .. } => figure,
                    Outcome::Measured {
                        samples, reached, ..
                    } => {
                        let bound = match reached {
                            Some(false) => ", bound not reached",
                            Some(true) | None => "",
                        };
                        format!("{figure} (the last of {samples} samples{bound})")
                    }
                    Outcome::Failed(failure) => format!("failed: {failure}"),
                    Outcome::Skipped { reason } => format!("skipped: {reason}"),
                };
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

/// The figure that a person looks for first.
fn figure(metrics: &Metrics) -> Option<String> {
    let of = |name, show: fn(f64) -> String| metrics.get(name).map(show);
    of(name::THROUGHPUT_BPS, |bps| match bps {
        bps if bps >= 1e9 => format!("{:.2} Gbit/s", bps / 1e9),
        bps => format!("{:.2} Mbit/s", bps / 1e6),
    })
    .or_else(|| of(name::LATENCY_MEAN_US, |us| format!("{us:.1} us")))
    .or_else(|| {
        of(name::TRANSACTIONS_PER_S, |n| {
            format!("{n:.0} transactions/s")
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_for_people() {
        let mut metrics = Metrics::default();
        assert_eq!(figure(&metrics), None);
        metrics.set(name::TRANSACTIONS_PER_S, 1234.5);
        assert_eq!(figure(&metrics).as_deref(), Some("1234 transactions/s"));
        metrics.set(name::THROUGHPUT_BPS, 9.5e8);
        assert_eq!(figure(&metrics).as_deref(), Some("950.00 Mbit/s"));
        metrics.set(name::THROUGHPUT_BPS, 1.25e9);
        assert_eq!(figure(&metrics).as_deref(), Some("1.25 Gbit/s"));
    }
}

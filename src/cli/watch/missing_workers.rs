//! Workers that do not join the orchestrator, and what they say about it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::future::join_all;
use tokio::time::{Instant, timeout};

use super::diagnosis::Diagnosis;
use super::sink::Sink;
use crate::cluster::Cluster;
use crate::diag::count;
use crate::report::Report;
use crate::results::{Event, EventKind};
use crate::rpc::pb::Record;

/// How long after the start of the pods missing workers are asked about. A worker joins within a second.
const LOOKS_AFTER: [Duration; 3] = [
    Duration::from_millis(2500),
    Duration::from_secs(15),
    Duration::from_secs(60),
];
/// For the logs of one look.
const LOGS_WITHIN: Duration = Duration::from_secs(2);
/// Workers whose logs are read in one look; more often fail for the same reason.
const MOST_LOGS: usize = 3;

/// Which workers have joined, and when to ask about the others.
#[derive(Debug)]
pub(super) struct MissingWorkers {
    since: Instant,
    looks: usize,
    /// All workers of the plan; empty before it is known.
    expected: BTreeSet<String>,
    present: BTreeSet<String>,
    /// What was said about each.
    said: BTreeMap<String, String>,
    /// What was found out about the network.
    explained: BTreeSet<String>,
}

impl MissingWorkers {
    pub(super) fn since(since: Instant) -> Self {
        Self {
            since,
            looks: 0,
            expected: BTreeSet::new(),
            present: BTreeSet::new(),
            said: BTreeMap::new(),
            explained: BTreeSet::new(),
        }
    }

    /// Takes note of a record.
    pub(super) fn take(&mut self, record: &Record) {
        if let Some(gathering) = &record.gathering {
            let joined: BTreeSet<String> = gathering.joined.iter().cloned().collect();
            if !self.present.is_subset(&joined) {
                // Another orchestrator, which all workers have to find.
                (self.since, self.looks) = (Instant::now(), 0);
            }
            self.expected = gathering.expected.iter().cloned().collect();
            self.present = joined;
            return;
        }
        // Most records are of samples, and a worker may leave and join in any of the others.
        let is_over = self.looks == LOOKS_AFTER.len();
        if is_over
            || !["\"run_started\"", "\"worker_"]
                .iter()
                .any(|kind| record.line.contains(kind))
        {
            return;
        }
        let Ok(event) = serde_json::from_str::<Event>(&record.line) else {
            return;
        };
        match event.kind {
            EventKind::RunStarted { plan, only, .. } => {
                if let Ok((mut plan, schedule)) = Report::planned(&plan, only.as_deref()) {
                    plan.retain_variants(&schedule.variants());
                    self.expected = plan.workers.into_keys().collect();
                }
            }
            EventKind::WorkerJoined { worker, .. } => drop(self.present.insert(worker)),
            EventKind::WorkerLeft { worker } => drop(self.present.remove(&worker)),
            _ => {}
        }
    }

    /// When to look for missing workers next.
    pub(super) fn next_look(&self) -> Option<Instant> {
        LOOKS_AFTER.get(self.looks).map(|after| self.since + *after)
    }

    /// Says which workers are missing, each with the last line of its log and what it reaches of the
    /// orchestrator. Says nothing twice.
    pub(super) async fn look<C: Cluster + Sync>(
        &mut self,
        diagnosis: Diagnosis<'_, C>,
        sink: &dyn Sink,
    ) {
        self.looks += 1;
        let missing: Vec<String> = self.expected.difference(&self.present).cloned().collect();
        if missing.is_empty() {
            return;
        }
        let asked = missing.get(..MOST_LOGS).unwrap_or(&missing);
        let present: Vec<String> = self.present.iter().cloned().collect();
        let (logs, explained) = tokio::join!(
            join_all(asked.iter().map(|worker| last_words(diagnosis, worker))),
            diagnosis.explain(asked, &present),
        );
        for (worker, last_words) in asked.iter().zip(logs) {
            if self.said.get(worker) == Some(&last_words) {
                continue;
            }
            let after = self.since.elapsed().as_secs();
            sink.say(&format!(
                "worker `{worker}` has not joined the orchestrator after {after} s: {last_words}"
            ));
            self.said.insert(worker.clone(), last_words);
        }
        for sentence in explained {
            if self.explained.insert(sentence.clone()) {
                sink.say(&sentence);
            }
        }
        let more = missing.len().saturating_sub(MOST_LOGS);
        if more > 0 && self.looks == 1 {
            let have = if more == 1 { "has" } else { "have" };
            sink.say(&format!(
                "{} {have} not joined either",
                count(more, "more worker")
            ));
        }
    }
}

/// The last line that a worker has printed.
async fn last_words<C: Cluster + Sync>(diagnosis: Diagnosis<'_, C>, worker: &str) -> String {
    let pod = diagnosis.pod(worker);
    match timeout(LOGS_WITHIN, diagnosis.cluster.logs(&pod)).await {
        Ok(Ok(log)) => last_line(&log),
        Ok(Err(error)) => format!("its log cannot be read: {error}"),
        Err(_) => "its log cannot be read in time".to_owned(),
    }
}

/// The last line of a log; of a line of JSON its error.
fn last_line(log: &str) -> String {
    let mut lines = log.lines().rev().map(str::trim);
    let Some(last) = lines.find(|line| !line.is_empty()) else {
        return "its log is empty".to_owned();
    };
    let record: Option<serde_json::Value> = serde_json::from_str(last).ok();
    let field = |name: &str| record.as_ref()?.get(name)?.as_str();
    match (field("message"), field("error")) {
        (Some(message), Some(error)) => format!("{message}: {error}"),
        _ => last.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_is_text_also_where_it_is_json() {
        assert_eq!(last_line(" \n\n"), "its log is empty");
        assert_eq!(last_line("a\nb c \n\n"), "b c");
        assert_eq!(
            last_line("a\n{\"message\": \"m\", \"error\": \"e\"}\n"),
            "m: e"
        );
        for line in [
            "{\"message\": \"m\"}",
            "{",
            "3",
            "{\"message\": 1, \"error\": \"e\"}",
        ] {
            assert_eq!(last_line(line), line);
        }
    }
}

//! How far a run is: a record on a line of its own in the orchestrator's log.

use serde::{Deserialize, Serialize};

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Cells that have ended.
    pub ended: usize,
    /// All cells.
    pub total: usize,
    /// The run was cancelled.
    pub cancelled: bool,
}

/// A record of a log, which has text for people on its other lines.
#[derive(Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
enum Record {
    Progress(Progress),
}

impl Progress {
    /// The record as a line without its end: `{"record":"progress","ended":7,…}`.
    ///
    /// # Errors
    /// Never: there are no maps with other keys than strings.
    pub fn to_line(self) -> serde_json::Result<String> {
        serde_json::to_string(&Record::Progress(self))
    }

    /// The last `count` lines of a log that are text for people.
    #[must_use]
    pub fn last_text_lines(log: &str, count: usize) -> Vec<String> {
        let is_text = |line: &&str| serde_json::from_str::<Record>(line).is_err();
        let last = log.lines().rev().filter(is_text).take(count);
        let mut lines: Vec<String> = last.map(str::to_owned).collect();
        lines.reverse();
        lines
    }

    /// The newest record of a log.
    #[must_use]
    pub fn from_log(log: &str) -> Option<Progress> {
        log.lines().rev().find_map(|line| {
            let Record::Progress(progress) = serde_json::from_str(line).ok()?;
            Some(progress)
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_newest_record_of_a_log_is_read_whatever_else_is_in_it(
            records in prop::collection::vec((0..1000usize, 0..1000usize, any::<bool>()), 0..4),
            other in "[^\\n]{0,40}|\\{\"record\":\"other\"\\}|\\[7/9\\] x",
        ) {
            let records: Vec<Progress> = records
                .into_iter()
                .map(|(ended, total, cancelled)| Progress { ended, total, cancelled })
                .collect();
            let lines = records.iter().map(|record| format!("{}\n{other}\n", record.to_line().unwrap()));
            let log: String = lines.collect();
            prop_assert_eq!(Progress::from_log(&log), records.last().copied());
            let other = other.strip_suffix('\r').unwrap_or(&other);
            let text = vec![other.to_owned(); records.len().min(2)];
            prop_assert_eq!(Progress::last_text_lines(&log, 2), text);
        }
    }
}

//! Marks: moments at which something was done while the samples of a test ran.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::schedule::Params;

/// A moment at which something was done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    /// The name of the test.
    pub test: String,
    /// `None` in a plan without variants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    #[serde(default, skip_serializing_if = "Params::is_empty")]
    pub params: Params,
    /// The number of the samples that ran.
    pub sample: u32,
    /// Counts the entries of the test's `during:` from 0.
    pub entry: u32,
    pub edge: Edge,
    /// By the orchestrator's clock.
    pub happened: Timestamp,
    /// Counted from the go. Less than 0 only within the uncertainty.
    pub offset_s: f64,
    /// Half the round trip between the command line and the orchestrator: it happened within so much before or after.
    pub uncertainty_s: f64,
    /// Of a command that has ended by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// What was done, for people.
    pub text: String,
}

/// Which moment of what was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Edge {
    Begin,
    End,
    /// It has no duration.
    Moment,
}

impl Mark {
    /// A line for people: what was done, and when after the go.
    #[must_use]
    pub fn to_text(&self) -> String {
        let Self {
            test,
            sample,
            offset_s,
            uncertainty_s,
            ..
        } = self;
        let uncertainty_ms = uncertainty_s * 1e3;
        format!(
            "{test}, sample {sample}, {offset_s:.3} s (± {uncertainty_ms:.1} ms): {}",
            self.what()
        )
    }

    /// What was done, and how it ended.
    #[must_use]
    pub fn what(&self) -> String {
        let edge = match self.edge {
            Edge::Begin => "begin of ",
            Edge::End => "end of ",
            Edge::Moment => "",
        };
        let code = match self.exit_code {
            Some(0) | None => String::new(),
            Some(code) => format!(", exit code {code}"),
        };
        format!("{edge}{}{code}", self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_says_what_was_done_and_when() {
        let mark = Mark {
            test: "outage".to_owned(),
            variant: None,
            params: Params::default(),
            sample: 2,
            entry: 0,
            edge: Edge::End,
            happened: Timestamp::UNIX_EPOCH,
            offset_s: 5.0125,
            uncertainty_s: 0.0004,
            exit_code: Some(1),
            text: "kubectl get nodes".to_owned(),
        };
        assert_eq!(
            mark.to_text(),
            "outage, sample 2, 5.013 s (± 0.4 ms): end of kubectl get nodes, exit code 1"
        );
        let line = serde_json::to_string(&mark).unwrap();
        assert_eq!(serde_json::from_str::<Mark>(&line).unwrap(), mark);
    }
}

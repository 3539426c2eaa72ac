//! What is done while the samples of a test run.

use serde::Serialize;

use super::choice::Choice;
use super::fault::Fault;
use super::units::Duration;
use crate::diag::Passage;

/// Something that is done in every repetition of a test. A plan writes it as a mapping with `at` and `run`, or with `by`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct During {
    /// When, counted from the go. `None` where a person decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Duration>,
    /// How long a fault is on. `None` for all else.
    #[serde(rename = "for", skip_serializing_if = "Option::is_none")]
    pub lasts: Option<Duration>,
    #[serde(flatten)]
    pub what: Deed,
    /// Where the plan says so.
    #[serde(skip)]
    pub written: Passage,
}

/// What is done.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// The command line starts this program with these arguments.
    Run(Vec<String>),
    /// A person does something, and says when.
    By(By),
    /// The local cluster breaks something.
    #[serde(untagged)]
    Fault(Fault),
}

/// Who does it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    Hand,
}

impl Choice for By {
    const ALL: &'static [(Self, &'static str)] = &[(
        Self::Hand,
        "A person: each press of Enter on the terminal of the run sets a mark.",
    )];
}

impl During {
    /// The key that says what is done.
    #[must_use]
    pub fn key(&self) -> &'static str {
        match &self.what {
            Deed::Run(_) => "run",
            Deed::By(By::Hand) => "by",
            Deed::Fault(fault) => fault.key(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_written_as_a_plan_has_it() {
        let written = |during: &During| serde_json::to_string(during).unwrap();
        let run = During {
            at: Some(Duration(std::time::Duration::from_secs(5))),
            lasts: None,
            what: Deed::Run(vec!["kubectl".to_owned(), "get".to_owned()]),
            written: Passage::default(),
        };
        assert_eq!(written(&run), r#"{"at":"5s","run":["kubectl","get"]}"#);
        let by_hand = During {
            at: None,
            lasts: None,
            what: Deed::By(By::Hand),
            written: Passage::default(),
        };
        assert_eq!(written(&by_hand), r#"{"by":"hand"}"#);
        let freeze = During {
            lasts: Some(Duration(std::time::Duration::from_millis(200))),
            what: Deed::Fault(Fault::Freeze("w1".to_owned())),
            ..run
        };
        assert_eq!(
            written(&freeze),
            r#"{"at":"5s","for":"200ms","freeze":"w1"}"#
        );
    }
}

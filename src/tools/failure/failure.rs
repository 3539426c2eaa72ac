//! A sample or cell without a measurement.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::cause::{Cause, Speaker};
use crate::tools::output::tool_text::trimmed;

/// A sample or cell that has no measurement: the cause, and a text about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    pub cause: Cause,
    /// What the tool or the kernel printed, or netplan's sentence about it: one or a few lines. See
    /// [`Failure::text`].
    pub words: String,
    /// What netplan knows beside that, as a sentence without its full stop; often empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// `connection refused: unable to connect to server: Connection refused`.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.cause)?;
        match self.words_and_note() {
            text if text.is_empty() => Ok(()),
            text => write!(f, ": {text}"),
        }
    }
}

impl Failure {
    /// A failure with a text of netplan's, or of the tool where the cause says so; cut to a readable
    /// length.
    #[must_use]
    pub fn new(cause: Cause, words: &str) -> Self {
        Self {
            cause,
            words: trimmed(words),
            note: String::new(),
        }
    }

    /// A failure with a text that is the tool's own, whatever its cause.
    #[must_use]
    pub fn from_tool_text(tool: &str, cause: Cause, words: &str) -> Self {
        match cause.speaker() {
            Speaker::Netplan if !words.is_empty() => {
                Self::new(cause, &format!("{tool} said: {words}"))
            }
            Speaker::Netplan | Speaker::Tool => Self::new(cause, words),
        }
    }

    /// The text, its words quoted where they are this tool's own: `iperf3 said: “…”; and a note`. Empty when there is none.
    #[must_use]
    pub fn text(&self, tool: &str) -> String {
        if self.words.is_empty() || self.speaker(tool) == Speaker::Netplan {
            return self.words_and_note().into_owned();
        }
        let words = format!("{tool} said: “{}”", self.words);
        joined(&words, &self.note).into_owned()
    }

    /// The text without quotation marks, for programs.
    #[must_use]
    pub fn words_and_note(&self) -> Cow<'_, str> {
        joined(&self.words, &self.note)
    }

    /// Cause and text on one line: `connection refused: iperf3 said: “unable to connect”`.
    #[must_use]
    pub fn sentence(&self, tool: &str) -> String {
        let words = self.text(tool);
        if words.is_empty() {
            self.cause.to_string()
        } else {
            format!("{}: {words}", self.cause)
        }
    }

    /// Where the tool printed nothing, the text is a sentence of netplan, which begins with its subject:
    /// `iperf3 exited with 1`, or a worker.
    fn speaker(&self, tool: &str) -> Speaker {
        let behind = self.words.strip_prefix(tool).unwrap_or_default();
        if behind.starts_with([' ', '\'']) || self.words.starts_with("worker `") {
            Speaker::Netplan
        } else {
            self.cause.speaker()
        }
    }
}

fn joined<'a>(words: &'a str, note: &'a str) -> Cow<'a, str> {
    match (words, note) {
        (text, "") | ("", text) => Cow::Borrowed(text),
        (words, note) => Cow::Owned(format!("{words}; {note}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_netplans() {
        let mut failure = Failure::new(Cause::Refused, "no luck");
        failure.note = "before the first sample, nothing answered".to_owned();
        assert_eq!(
            failure.sentence("iperf3"),
            "connection refused: iperf3 said: “no luck”; before the first sample, nothing answered"
        );
        assert_eq!(
            failure.to_string(),
            "connection refused: no luck; before the first sample, nothing answered"
        );
        failure.words.clear();
        assert_eq!(failure.text("iperf3"), failure.note);
    }

    #[test]
    fn only_a_tools_own_words_are_quoted() {
        for (cause, words, shown) in [
            (Cause::Refused, "no luck", "iperf3 said: “no luck”"),
            (
                Cause::ToolError,
                "iperf3: no luck",
                "iperf3 said: “iperf3: no luck”",
            ),
            (
                Cause::ToolError,
                "iperf3 exited with 1, without a word",
                "iperf3 exited with 1, without a word",
            ),
            (
                Cause::NoRoute,
                "worker `w` has no cluster IP",
                "worker `w` has no cluster IP",
            ),
            (Cause::WorkerLost, "it left", "it left"),
            (Cause::Refused, "", ""),
        ] {
            assert_eq!(Failure::new(cause, words).text("iperf3"), shown);
        }
        let killed = Failure::from_tool_text("iperf3", Cause::Killed, "interrupt");
        assert_eq!(killed.sentence("iperf3"), "killed: iperf3 said: interrupt");
        assert_eq!(Failure::new(Cause::Killed, "").sentence("iperf3"), "killed");
    }
}

//! A sample or cell without a measurement.

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
}

/// `connection refused: unable to connect to server: Connection refused`.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.cause)?;
        if self.words.is_empty() {
            return Ok(());
        }
        write!(f, ": {}", self.words)
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

    /// The text, quoted where it is this tool's own: `iperf3 said: “…”`. Empty when there is none.
    #[must_use]
    pub fn text(&self, tool: &str) -> String {
        if self.words.is_empty() || self.speaker(tool) == Speaker::Netplan {
            self.words.clone()
        } else {
            format!("{tool} said: “{}”", self.words)
        }
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

#[cfg(test)]
mod tests {
    use super::*;

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

//! The failures that the end of a process shows, for every tool.

use super::process_end::{Ended, How};
use super::tool_text::cut_note;
use crate::tools::failure::{Cause, Failure};

/// The failure of a process that did not end by itself, whatever it printed; `said` is the useful part
/// of that. `None` when it ended by itself.
pub(in crate::tools) fn aborted(name: &str, ended: &Ended, said: &str) -> Option<Failure> {
    let (cause, why) = match &ended.how {
        How::Code(_) => return None,
        How::Signal(signal) => match crash(*signal) {
            Some(word) => (
                Cause::Crashed,
                format!("{name} crashed: signal {signal} ({word}) ended it"),
            ),
            None => (Cause::Killed, format!("signal {signal} ended {name}")),
        },
        How::Deadline => (Cause::Timeout, format!("{name} was killed at its deadline")),
        How::Stopped => (Cause::Killed, format!("{name} was stopped with the run")),
        How::NotFound(why) => (
            Cause::ToolMissing,
            or(why, &format!("`{name}` was not found")),
        ),
        How::NotStarted(why) => (
            Cause::ToolError,
            or(why, &format!("`{name}` could not be started")),
        ),
    };
    let words = if said.is_empty() {
        why
    } else {
        format!("{why}; it had said: {said}")
    };
    Some(Failure::new(cause, &words))
}

/// The name of a signal that the kernel or the C library sends to a program that made a mistake;
/// `None` for one that somebody else sends. These numbers are the same on all architectures of Linux
/// that netplan is built for.
fn crash(signal: i32) -> Option<&'static str> {
    match signal {
        4 => Some("SIGILL"),
        6 => Some("SIGABRT"),
        7 => Some("SIGBUS"),
        8 => Some("SIGFPE"),
        11 => Some("SIGSEGV"),
        31 => Some("SIGSYS"),
        _ => None,
    }
}

/// The failure of a process that ended by itself without a result; `said` is the tool's error message,
/// if any.
pub(in crate::tools) fn without_result(
    name: &str,
    ended: &Ended,
    said: &str,
    known: &[(&[&str], Cause)],
) -> Failure {
    if let Some(cause) = known_cause(said, known) {
        return Failure::from_tool_text(name, cause, said);
    }
    match ended.how {
        How::Code(0) => Failure::from_tool_text(name, Cause::Unparsable, said),
        How::Code(code) if said.is_empty() => Failure::new(
            Cause::UnexplainedError,
            &format!(
                "{name} exited with {code}, without a word{}",
                cut_note(ended)
            ),
        ),
        _ => Failure::new(Cause::ToolError, said),
    }
}

/// The first known cause all of whose needles are in the text; case does not matter.
pub(in crate::tools) fn known_cause(text: &str, known: &[(&[&str], Cause)]) -> Option<Cause> {
    let text = text.to_lowercase();
    known
        .iter()
        .find(|(needles, _)| needles.iter().all(|needle| text.contains(needle)))
        .map(|(_, cause)| *cause)
}

fn or(words: &str, otherwise: &str) -> String {
    if words.trim().is_empty() {
        otherwise
    } else {
        words
    }
    .to_owned()
}

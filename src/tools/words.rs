//! The tools' own words: which of all that a tool printed is worth a person's time.

use super::{Cause, Ended, Failure, How, is_cut_mark};

/// Words longer than this are cut, in characters.
const MOST: usize = 400;
/// So many of the last lines are kept.
const LINES: usize = 3;

/// One or a few lines, without control characters, of a length that fits under a table.
pub(super) fn trimmed(words: &str) -> String {
    let lines: Vec<&str> = words
        .lines()
        .map(str::trim)
        .filter(|l| !l.is_empty())
        .collect();
    let clean: String = lines
        .join("\n")
        .chars()
        .map(|c| match c {
            '\t' => ' ',
            c => c,
        })
        .filter(|c| *c == '\n' || !c.is_control())
        .collect();
    if clean.chars().count() <= MOST {
        return clean;
    }
    let mut cut: String = clean.chars().take(MOST - 1).collect();
    cut.push('…');
    cut
}

/// The last lines that say something, of the first stream that has any. `noise` tells lines to
/// leave out.
pub(super) fn last_lines(streams: &[&[u8]], noise: impl Fn(&str) -> bool) -> String {
    for stream in streams {
        // The end is what counts, and a stream can be megabytes long.
        let tail = &stream[stream.len().saturating_sub(8192)..];
        let text = String::from_utf8_lossy(tail);
        let lines: Vec<&str> = spoken(&text).filter(|line| !noise(line)).collect();
        if !lines.is_empty() {
            return lines[lines.len().saturating_sub(LINES)..].join("\n");
        }
    }
    String::new()
}

/// The first lines that say something, of standard error if it has any, else of standard output.
#[must_use]
pub fn first_lines(ended: &Ended) -> String {
    [&ended.stderr, &ended.stdout]
        .into_iter()
        .map(|stream| {
            let text = String::from_utf8_lossy(stream);
            let lines: Vec<&str> = spoken(&text).take(LINES + 1).collect();
            trimmed(&lines.join("\n"))
        })
        .find(|said| !said.is_empty())
        .unwrap_or_default()
}

/// The lines of a text with anything to read, but for marks of what was left out.
fn spoken(text: &str) -> impl Iterator<Item = &str> {
    let is_read = |line: &&str| line.chars().any(|c| !c.is_control() && !c.is_whitespace());
    text.lines()
        .map(str::trim)
        .filter(is_read)
        .filter(|line| !is_cut_mark(line))
}

/// What to add to words about output that could not be read: how much of it is missing.
#[must_use]
pub fn cut_note(ended: &Ended) -> String {
    match ended.cut.bytes() {
        0 => String::new(),
        bytes => format!("; it printed so much that {bytes} bytes in the middle were not kept"),
    }
}

/// The failures that a process's end alone decides, whatever it printed; `said` is what it printed
/// of use. `None` when it ended by itself.
pub(super) fn cut_short(name: &str, ended: &Ended, said: &str) -> Option<Failure> {
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

/// A failure for output that is not a result; `said` is the tool's word on an error, if any.
pub(super) fn failed(name: &str, ended: &Ended, said: &str, known: &[(&[&str], Cause)]) -> Failure {
    if let Some(cause) = cause_of(said, known) {
        return Failure::said(name, cause, said);
    }
    match ended.how {
        How::Code(0) => Failure::said(name, Cause::Unparsable, said),
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

/// The first cause all of whose needles stand in the words; case does not matter.
pub(super) fn cause_of(words: &str, known: &[(&[&str], Cause)]) -> Option<Cause> {
    let words = words.to_lowercase();
    known
        .iter()
        .find(|(needles, _)| needles.iter().all(|needle| words.contains(needle)))
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

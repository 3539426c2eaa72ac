//! What a tool printed: the few lines that people need.

use super::process_end::{Ended, is_cut_mark};

/// A longer text is cut, in characters.
const MAX_CHARS: usize = 400;
/// How many of the last lines are kept.
const LINES: usize = 3;

/// One or a few lines, without control characters, short enough for a note under a table.
pub(in crate::tools) fn trimmed(words: &str) -> String {
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
    if clean.chars().count() <= MAX_CHARS {
        return clean;
    }
    let mut cut: String = clean.chars().take(MAX_CHARS - 1).collect();
    cut.push('…');
    cut
}

/// The last lines with text, of the first stream that has any. `noise` says which lines to leave out.
pub(in crate::tools) fn last_lines(streams: &[&[u8]], noise: impl Fn(&str) -> bool) -> String {
    for stream in streams {
        // The end is what counts, and a stream can be megabytes long.
        let tail = &stream[stream.len().saturating_sub(8192)..];
        let text = String::from_utf8_lossy(tail);
        let lines: Vec<&str> = lines_with_text(&text).filter(|line| !noise(line)).collect();
        if !lines.is_empty() {
            return lines[lines.len().saturating_sub(LINES)..].join("\n");
        }
    }
    String::new()
}

/// The first lines with text, of standard error if it has any, else of standard output.
#[must_use]
pub fn first_lines(ended: &Ended) -> String {
    [&ended.stderr, &ended.stdout]
        .into_iter()
        .map(|stream| {
            let text = String::from_utf8_lossy(stream);
            let lines: Vec<&str> = lines_with_text(&text).take(LINES + 1).collect();
            trimmed(&lines.join("\n"))
        })
        .find(|said| !said.is_empty())
        .unwrap_or_default()
}

/// The lines with anything to read, without the marks of what was left out.
fn lines_with_text(text: &str) -> impl Iterator<Item = &str> {
    let is_readable = |line: &&str| line.chars().any(|c| !c.is_control() && !c.is_whitespace());
    text.lines()
        .map(str::trim)
        .filter(is_readable)
        .filter(|line| !is_cut_mark(line))
}

/// What to add to a text about output that could not be read: how much of it is missing.
#[must_use]
pub fn cut_note(ended: &Ended) -> String {
    match ended.cut.bytes() {
        0 => String::new(),
        bytes => format!("; it printed so much that {bytes} bytes in the middle were not kept"),
    }
}

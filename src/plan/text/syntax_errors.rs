//! Texts that are not YAML: what is wrong with them.

use granit_parser::{ErrorKind, ScanError};

use super::tree::too_deep;
use crate::diag::{Place, Problem, quote};

/// What the scanner could not read, in the words of a person who wrote it. `place` makes the
/// place of a range of the text.
pub fn problem(text: &str, error: &ScanError, place: impl Fn(usize, usize) -> Place) -> Problem {
    let written = text.trim_end();
    let last = written.char_indices().next_back().map_or(0, |(at, _)| at);
    let at = error.marker().byte_offset().unwrap_or(0).min(last);
    let (before, after) = text.split_at_checked(at).unwrap_or((text, ""));
    let width = after.chars().next().map_or(0, char::len_utf8);
    let here = place(at, at + width);
    if let ErrorKind::TabNotAllowed
    | ErrorKind::TabInBlockIndentation
    | ErrorKind::TabInIndentation
    | ErrorKind::TabAtBlockScalarStart = error.kind()
    {
        let line = before.rfind('\n').map_or(0, |newline| newline + 1);
        let tab = text[line..].find('\t').map_or(at, |tab| line + tab);
        let problem = Problem::new(place(tab, tab + 1), "a tab cannot indent in YAML");
        return problem.help("indent with spaces");
    }
    if before.ends_with('$') && after.starts_with('{') {
        let problem = Problem::new(here, "within brackets or braces a variable needs quotes");
        return problem.help("write `'${NAME}'`");
    }
    let (what, help) = match error.kind() {
        ErrorKind::UnknownAnchor => (
            "this alias has no anchor before it".to_owned(),
            "write `&name` before the value that `*name` repeats; put quotes around a text \
             that starts with `*`",
        ),
        ErrorKind::RecursionLimitExceeded => return too_deep(here),
        ErrorKind::UnclosedFlowCollection { open } => (
            format!("`{open}` is never closed"),
            "close it, or look for an extra bracket before this point",
        ),
        ErrorKind::MismatchedFlowCollectionEnd { open, close } => (
            format!("the `{open}` that starts here is closed by `{close}`"),
            "a list is `[…]`, a mapping `{…}`",
        ),
        ErrorKind::UnexpectedEofFlowSequence | ErrorKind::ExpectedFlowSequenceSeparator => (
            "`,` or `]` is required here".to_owned(),
            "put `,` between items, and close the list that starts with `[`",
        ),
        ErrorKind::UnexpectedEofFlowMapping
        | ErrorKind::UnexpectedEofImplicitFlowMapping
        | ErrorKind::ExpectedFlowMappingSeparator => (
            "`,` or `}` is required here".to_owned(),
            "put `,` between entries, and close the mapping that starts with `{`",
        ),
        ErrorKind::UnclosedQuotedScalar => (
            "a quote is never closed".to_owned(),
            "end the text with the quote that it starts with",
        ),
        ErrorKind::InvalidColonPlacement => (
            "`:` is not allowed here".to_owned(),
            "close each `[` and `{` before this point; put quotes around a text with `:` in it",
        ),
        ErrorKind::MappingValueNotAllowed if !has_key_before(before) => (
            "a key is not allowed here".to_owned(),
            "it is indented more than the keys beside it: indent it as they are, or remove the value \
             of the key above it",
        ),
        ErrorKind::MappingValueNotAllowed => (
            "a second `: ` in one line".to_owned(),
            "put quotes around a text with `: ` in it, or give the key a line of its own",
        ),
        ErrorKind::ExpectedBlockMappingKey
        | ErrorKind::ExpectedBlockSequenceEntry
        | ErrorKind::InvalidIndentation
        | ErrorKind::MappingKeyNotAllowed => (
            "nothing is allowed here".to_owned(),
            "indent all keys of a mapping, and all `-` of a list, by the same number of spaces; \
             write a colon and a space after each key",
        ),
        ErrorKind::SimpleKeyExpected | ErrorKind::InvalidSimpleKey => (
            "a key without a colon and a space after it".to_owned(),
            "write `key: value`; indent a text of several lines more than its key",
        ),
        ErrorKind::UnknownQuotedScalarEscape => (
            "an escape in these quotes is unknown".to_owned(),
            "in double quotes a `\\` starts an escape: use single quotes for a text with `\\`",
        ),
        ErrorKind::InvalidBlockScalarHeader => (
            "`>` and `|` start a text of several lines, which begins on the next one".to_owned(),
            "put quotes around a text that starts with it, e.g. `'>= 9 Gbit/s'`",
        ),
        ErrorKind::UnexpectedCharacter { character } => (
            format!("{} cannot start a value", quote(&character.to_string())),
            "put quotes around a text that starts with it",
        ),
        _ => (
            format!("this is not YAML: {}", error.info()),
            "from here on the plan could not be read; there may be more problems behind it",
        ),
    };
    Problem::new(here, what).help(help)
}

/// Whether there is a key already on the line that a text ends in.
fn has_key_before(text: &str) -> bool {
    text.lines()
        .next_back()
        .is_some_and(|line| line.contains(": "))
}

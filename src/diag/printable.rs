//! Text of others made safe to show.
//!
//! Tools, plans, nodes, logs, API servers, file names and the environment yield text that may hold
//! escape sequences of terminals, controls that reorder what a person reads, or lines that a CI
//! server obeys. Every place that writes to a terminal, a log or a document passes such text through
//! this module. A character that is not shown as itself is written as Rust writes it: `\u{1b}`.

use std::borrow::Cow;

/// Whether a character must not be shown as itself. Line feed and tab are fine.
///
/// These are the control characters of ASCII and Latin-1 (Unicode's Cc), the bidirectional controls
/// (UAX #9), separators and formatting characters that are invisible, and noncharacters; XML 1.0
/// forbids two of them.
#[must_use]
pub fn is_unsafe(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        '\u{61c}' // Arabic letter mark
        | '\u{200b}' // zero width space
        | '\u{200e}'..='\u{200f}' // left-to-right and right-to-left marks
        | '\u{2028}'..='\u{202e}' // line and paragraph separators; embeddings and overrides
        | '\u{2060}'..='\u{206f}' // word joiner, invisible operators, isolates, deprecated controls
        | '\u{fdd0}'..='\u{fdef}' // noncharacters
        | '\u{feff}' // byte order mark
        | '\u{fff9}'..='\u{fffb}' // interlinear annotations
        | '\u{e0000}'..='\u{e007f}' // tags
        => true,
        c => c.is_control() || u32::from(c) & 0xfffe == 0xfffe,
    }
}

/// Whether a text may be shown as it is: [`lines`] changes nothing of it.
#[must_use]
pub fn is_safe(text: &str) -> bool {
    // Most text is plain ASCII, where a look at each byte is enough.
    let plain = |byte: u8| matches!(byte, b'\n' | b'\t' | b' '..=b'~');
    (text.bytes().all(plain) || !text.contains(is_unsafe)) && !has_command(text)
}

/// A text of any number of lines: unsafe characters are escaped, and no line of it starts a command
/// of a CI server. `\r\n` ends a line, too.
#[must_use]
pub fn lines(text: &str) -> Cow<'_, str> {
    if is_safe(text) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(escape(text, false))
    }
}

/// A text on one line: what breaks lines becomes a space, and all else is as in [`lines`].
#[must_use]
pub fn line(text: &str) -> Cow<'_, str> {
    if !text.contains(breaks_line) {
        return lines(text);
    }
    let parts = text.split(breaks_line).map(str::trim);
    let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
    Cow::Owned(lines(&parts.join(" ")).into_owned())
}

/// A text with colours of our own: as [`lines`], but escape sequences that set colours and styles stay.
#[must_use]
pub fn styled(text: &str) -> Cow<'_, str> {
    if is_safe(text) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(escape(text, true))
    }
}

fn breaks_line(c: char) -> bool {
    matches!(c, '\n'..='\r' | '\t' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// What a CI server takes for a command: GitHub Actions `::` at the start of a line, after blanks,
/// and GitHub Actions and Azure Pipelines `##[` and `##vso[` anywhere
/// (github.com/actions/runner, `ActionCommand.cs`).
fn has_command(text: &str) -> bool {
    let starts = |line: &str| line.trim_start().starts_with("::");
    (text.contains("::") && text.split('\n').any(starts))
        || text
            .match_indices('#')
            .any(|(at, _)| is_hash_command(&text[at..]))
}

/// Whether a text starts with a command that a CI server finds anywhere in a line: `##`, a word or
/// none, and `[`.
#[must_use]
pub fn is_hash_command(text: &str) -> bool {
    let word = text.strip_prefix("##");
    word.is_some_and(|word| {
        word.trim_start_matches(|c: char| c.is_ascii_alphanumeric())
            .starts_with('[')
    })
}

/// The escape sequence at the start of a text that sets colours or styles: `ESC [ numbers m`.
fn style(text: &str) -> Option<&str> {
    let rest = text.strip_prefix("\u{1b}[")?;
    let numbers = rest
        .bytes()
        .take_while(|b| matches!(b, b'0'..=b'9' | b';' | b':'));
    let end = numbers.count();
    rest.as_bytes().get(end).filter(|end| **end == b'm')?;
    text.get(..end + 3)
}

fn escape(text: &str, keeps_styles: bool) -> String {
    let mut safe = String::with_capacity(text.len() + text.len() / 8);
    let mut rest = text;
    // Only blanks, and styles, so far in the line.
    let mut at_start = true;
    while let Some(c) = rest.chars().next() {
        let taken = if let Some(style) = style(rest).filter(|_| keeps_styles) {
            safe.push_str(style);
            style.len()
        } else if at_start && rest.starts_with("::") {
            safe.push_str("\\u{3a}:");
            at_start = false;
            2
        } else if is_hash_command(rest) {
            safe.push_str("#\\u{23}");
            at_start = false;
            2
        } else if c == '\n' || rest.starts_with("\r\n") {
            safe.push('\n');
            at_start = true;
            if c == '\n' { 1 } else { 2 }
        } else {
            if is_unsafe(c) {
                safe.extend(c.escape_default());
                at_start = false;
            } else {
                safe.push(c);
                at_start &= c.is_whitespace();
            }
            c.len_utf8()
        };
        rest = rest.get(taken..).unwrap_or_default();
    }
    safe
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Text as the worst source has it.
    pub(crate) fn hostile() -> impl Strategy<Value = String> {
        let part = prop_oneof![
            any::<String>(),
            "[ -~\\n\\r\\t\\x1b\u{85}\u{9b}\u{202e}\u{2028}\u{feff}\u{fffe}\u{1ffff}]{0,8}",
            prop::sample::select(vec![
                "::error file=a,line=1::x",
                "\n  ::warning::y",
                "##[error]",
                "###[group]",
                "##vso[x]",
                "\u{1b}[31m",
                "\u{1b}]0;title\u{7}",
                "\u{9b}2J",
                "=1+1",
                "-1",
                "@SUM(A1)",
                "\t=x",
                "\r\n",
                "]]>",
                "<a>",
                "%0A",
                "&",
                "\u{2066}",
            ])
            .prop_map(str::to_owned),
        ];
        prop::collection::vec(part, 0..6).prop_map(|parts| parts.concat())
    }

    #[test]
    fn text_of_people_stays_as_it_is() {
        for text in [
            "",
            "iperf3: 9.41 Gbit/s",
            "a\n\tb\n",
            "Zürich → Köln, 北京, שלום, नमस्ते, 👩‍💻",
            "a::b",
            "std::io",
            "# x",
            "##",
            "#[derive]",
            "50 %",
        ] {
            assert!(is_safe(text), "{text:?}");
            assert_eq!(lines(text), text);
        }
    }

    #[test]
    fn what_commands_is_escaped() {
        for (text, shown) in [
            ("\u{1b}[2Jx", "\\u{1b}[2Jx"),
            ("a\u{202e}b", "a\\u{202e}b"),
            ("a\r\nb\rc", "a\nb\\rc"),
            ("::error::x\n \t::y", "\\u{3a}:error::x\n \t\\u{3a}:y"),
            ("a ##[error]b", "a #\\u{23}[error]b"),
            ("##vso[x]", "#\\u{23}vso[x]"),
            ("bad\u{fffe}\u{ffff}\u{85}", "bad\\u{fffe}\\u{ffff}\\u{85}"),
        ] {
            assert_eq!(lines(text), shown);
        }
        assert_eq!(line("a\r\n b\u{2028}\t::c"), "a b ::c");
        assert_eq!(line("\n::a\n"), "\\u{3a}:a");
        assert_eq!(
            styled("\u{1b}[1;31mx\u{1b}[0m\u{1b}[2J"),
            "\u{1b}[1;31mx\u{1b}[0m\\u{1b}[2J"
        );
        assert_eq!(styled("\u{1b}[1m::x"), "\u{1b}[1m\\u{3a}:x");
    }

    proptest! {
        #[test]
        fn any_text_becomes_safe_and_stays_it(text in hostile()) {
            let safe = lines(&text);
            prop_assert!(is_safe(&safe), "{:?}", safe);
            prop_assert_eq!(lines(&safe), &*safe);
            prop_assert_eq!(is_safe(&text), safe == text);
            let one = line(&text);
            prop_assert!(is_safe(&one) && !one.contains(['\n', '\t']), "{:?}", one);
            let coloured = styled(&text);
            prop_assert_eq!(styled(&coloured), &*coloured);
            let left: Vec<&str> = coloured.split('\u{1b}').skip(1).collect();
            let is_style = |rest: &&str| style(&format!("\u{1b}{rest}")).is_some();
            prop_assert!(left.iter().all(is_style), "{:?}", coloured);
        }
    }
}

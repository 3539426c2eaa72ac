//! Text of others inside Markdown: it stays text.
//!
//! It makes no markup (`CommonMark` 0.31, GFM 0.29), no link, no HTML, and it mentions nobody: GitHub looks for
//! `@name`, `#1`, `GH-1` and addresses in the text after Markdown is read, where a backslash is gone already. A zero
//! width space, written as a character reference, separates them; GitHub shows the same text.

use crate::diag::printable;

/// What separates the parts of a mention or an address.
const SEPARATOR: &str = "&#8203;";

/// Text for the inside of a paragraph, a table's cell or a list's item, on one line.
pub fn inline(text: &str) -> String {
    escape(text, Place::Markdown)
}

/// Text between HTML tags, on one line.
pub fn html(text: &str) -> String {
    escape(text, Place::Html)
}

/// The escaped text of a paragraph, such that its start begins no other block: no list, rule or table.
pub fn start_of_block(escaped: &str) -> String {
    let text = escaped.trim_start();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = text.split_at(digits);
    if text.starts_with(['+', '-', '=', ':']) {
        format!("\\{text}")
    } else if digits > 0 && rest.starts_with(['.', ')']) {
        format!("{number}\\{rest}")
    } else {
        text.to_owned()
    }
}

/// A block of text as it is, line for line. The fence is longer than any in the text.
pub fn code_block(lines: &[String]) -> String {
    let lines: Vec<_> = lines.iter().map(|line| printable::line(line)).collect();
    let runs = lines.iter().flat_map(|line| line.split(|c| c != '`'));
    let fence = "`".repeat(runs.map(str::len).max().unwrap_or(0).max(2) + 1);
    format!("{fence}text\n{}\n{fence}\n", lines.join("\n"))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Markdown,
    Html,
}

fn escape(text: &str, place: Place) -> String {
    let text = printable::line(text);
    let mut escaped = String::with_capacity(text.len() + text.len() / 8);
    // It may follow another text that ends with `:` or `www`.
    if text.starts_with("//") || text.starts_with('.') {
        escaped.push_str(SEPARATOR);
    }
    let mut before = None;
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        let after = rest.as_str();
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\u{a0}' => escaped.push(' '),
            '\\' | '`' | '*' | '[' | ']' | '|' | '~' | '$' | '#' if place == Place::Markdown => {
                escaped.extend(['\\', c]);
            }
            // Between letters it is not markup, and names are full of it.
            '_' if place == Place::Markdown && !is_inside_word(before, after) => {
                escaped.push_str("\\_");
            }
            c => escaped.push(c),
        }
        let next = after.chars().next();
        let ends_part = match c {
            '@' => true,
            '#' | '-' => {
                next.is_some_and(|next| next.is_ascii_digit()) && is_reference(c, &escaped)
            }
            ':' => after.starts_with("//"),
            'w' | 'W' => next == Some('.') && ends_with(&escaped, "www"),
            _ => false,
        };
        if ends_part {
            escaped.push_str(SEPARATOR);
        }
        before = Some(c);
    }
    escaped
}

fn is_inside_word(before: Option<char>, after: &str) -> bool {
    let is_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    is_word(before) && is_word(after.chars().next())
}

/// `#1` or `GH-1`.
fn is_reference(sign: char, so_far: &str) -> bool {
    sign == '#' || ends_with(so_far, "gh-")
}

fn ends_with(text: &str, end: &str) -> bool {
    let start = text.len().saturating_sub(end.len());
    text.get(start..)
        .is_some_and(|last| last.eq_ignore_ascii_case(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_makes_no_markup_no_link_and_mentions_nobody() {
        for (text, written) in [
            (
                "iperf3-tcp/remote-pod: 9.4 ±0.2",
                "iperf3-tcp/remote-pod: 9.4 ±0.2",
            ),
            ("lost_percent _a_", "lost_percent \\_a\\_"),
            ("a|b `c` *d* ~e~", "a\\|b \\`c\\` \\*d\\* \\~e\\~"),
            ("[a](http://x)", "\\[a\\](http:&#8203;//x)"),
            ("www.x.org", "www&#8203;.x.org"),
            ("//x.org", "&#8203;//x.org"),
            (".x.org", "&#8203;.x.org"),
            ("@team a@b.org", "@&#8203;team a@&#8203;b.org"),
            (
                "fixes #12 GH-7 o/r#8",
                "fixes \\#&#8203;12 GH-&#8203;7 o/r\\#&#8203;8",
            ),
            ("<b>&amp;", "&lt;b&gt;&amp;amp;"),
            ("two\nlines\u{1b}[m", "two lines\\\\u{1b}\\[m"),
        ] {
            assert_eq!(inline(text), written);
        }
        assert_eq!(html("a_b <x> @y #1"), "a_b &lt;x&gt; @&#8203;y #&#8203;1");
    }

    #[test]
    fn the_start_of_a_paragraph_begins_nothing_else() {
        for (text, written) in [
            ("- a", "\\- a"),
            ("1. a", "1\\. a"),
            ("12) a", "12\\) a"),
            ("===", "\\==="),
            ("    code", "code"),
            ("1.5 Gbit/s", "1\\.5 Gbit/s"),
            ("plain", "plain"),
        ] {
            assert_eq!(start_of_block(text), written);
        }
    }

    #[test]
    fn a_fence_is_longer_than_any_in_the_text() {
        let lines = ["````".to_owned(), "a\nb".to_owned()];
        assert_eq!(code_block(&lines), "`````text\n````\na b\n`````\n");
    }
}

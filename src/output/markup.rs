//! Text of others in HTML and SVG.

use crate::diag::printable;

/// Escaped text, for elements and double-quoted attributes. What is not safe to show is escaped; lines stay lines.
pub fn escape_lines(text: &str) -> String {
    escape(&printable::lines(text))
}

/// As [`escape_lines`], on one line.
pub fn escape_line(text: &str) -> String {
    escape(&printable::line(text))
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_no_markup() {
        assert_eq!(
            escape_line("<a b=\"&'\">\u{202e}\n"),
            "&lt;a b=&quot;&amp;&#39;&quot;&gt;\\u{202e}"
        );
        assert_eq!(escape_lines("a\n  b"), "a\n  b");
    }
}

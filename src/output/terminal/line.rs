//! A line of text with styles.

use anstyle::{AnsiColor, Style};

use crate::diag::printable;
use crate::report::document::Meaning;

/// A line of runs of text, each with its meaning.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    runs: Vec<(Meaning, String)>,
}

impl Line {
    /// A line of one run.
    pub fn new(meaning: Meaning, text: &str) -> Line {
        let mut line = Line::default();
        line.push(meaning, text);
        line
    }

    /// Adds text to the end.
    pub fn push(&mut self, meaning: Meaning, text: &str) {
        match self.runs.last_mut() {
            _ if text.is_empty() => {}
            Some((last, run)) if *last == meaning => run.push_str(text),
            _ => self.runs.push((meaning, text.to_owned())),
        }
    }

    /// Adds spaces to the end.
    pub fn pad(&mut self, spaces: usize) {
        self.push(Meaning::Plain, &" ".repeat(spaces));
    }

    /// Adds another line to the end.
    pub fn append(&mut self, other: &Line) {
        for (meaning, text) in &other.runs {
            self.push(*meaning, text);
        }
    }

    /// Takes all text.
    pub fn clear(&mut self) {
        self.runs.clear();
    }

    pub fn runs(&self) -> &[(Meaning, String)] {
        &self.runs
    }

    /// The number of characters.
    pub fn width(&self) -> usize {
        self.runs.iter().map(|(_, text)| text.chars().count()).sum()
    }

    /// The text without meanings.
    pub fn text(&self) -> String {
        self.runs.iter().map(|(_, text)| text.as_str()).collect()
    }

    /// Writes the line and its end, safe to show; with `colour` as ANSI escapes say.
    pub fn write(&self, page: &mut String, colour: bool) {
        let text = self.text();
        let safe = printable::line(&text);
        if safe != text {
            // What is unsafe only as a whole has no parts that can be told apart.
            let meaning = self
                .runs
                .first()
                .map_or(Meaning::Plain, |(first, _)| *first);
            paint(page, meaning, &safe, colour);
        } else if colour {
            for (meaning, text) in &self.runs {
                paint(page, *meaning, text, true);
            }
        } else {
            page.push_str(&text);
        }
        page.push('\n');
    }
}

fn paint(page: &mut String, meaning: Meaning, text: &str, colour: bool) {
    match style(meaning).filter(|_| colour) {
        Some(style) => page.extend([
            &style.render().to_string(),
            text,
            &style.render_reset().to_string(),
        ]),
        None => page.push_str(text),
    }
}

fn style(meaning: Meaning) -> Option<Style> {
    match meaning {
        Meaning::Plain => None,
        Meaning::Strong => Some(Style::new().bold()),
        Meaning::Dim => Some(Style::new().dimmed()),
        Meaning::Good => Some(AnsiColor::Green.on_default()),
        Meaning::Failed => Some(AnsiColor::Red.on_default()),
        Meaning::Skipped | Meaning::Warning => Some(AnsiColor::Yellow.on_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_those_of_meanings_and_unsafe_lines_are_escaped_as_a_whole() {
        let mut line = Line::new(Meaning::Failed, "✗1");
        line.pad(1);
        line.push(Meaning::Plain, "timeout");
        let shown = |line: &Line, colour| {
            let mut page = String::new();
            line.write(&mut page, colour);
            page
        };
        assert_eq!(shown(&line, false), "✗1 timeout\n");
        assert_eq!(shown(&line, true), "\u{1b}[31m✗1\u{1b}[0m timeout\n");
        // A command of a CI server from two parts.
        let mut line = Line::new(Meaning::Plain, ":");
        line.push(Meaning::Good, ":error::x");
        assert_eq!(shown(&line, true), "\\u{3a}:error::x\n");
    }
}

//! Breaks text into lines.

use super::line::Line;
use crate::diag::printable;
use crate::report::document::{Meaning, Span, TIE};

/// Breaks text at spaces into lines of at most `width` characters; a longer word stays whole. Each line
/// but the first begins with `indent` spaces. Unsafe characters are escaped.
pub fn wrap<'a>(
    spans: impl IntoIterator<Item = &'a Span>,
    width: usize,
    indent: usize,
) -> Vec<Line> {
    let mut lines = Lines {
        done: Vec::new(),
        line: Line::default(),
        is_empty: true,
        width,
        indent,
    };
    let mut word = Line::default();
    for span in spans {
        let text = printable::lines(&span.text);
        let mut parts = text.split(|c: char| c.is_whitespace() && c != TIE);
        if let Some(first) = parts.next() {
            word.push(span.meaning, &first.replace(TIE, " "));
        }
        for part in parts {
            lines.put(&word);
            word.clear();
            word.push(span.meaning, &part.replace(TIE, " "));
        }
    }
    lines.put(&word);
    if !lines.is_empty {
        lines.done.push(lines.line);
    }
    lines.done
}

/// The lines so far.
struct Lines {
    done: Vec<Line>,
    line: Line,
    /// The line has no word yet.
    is_empty: bool,
    width: usize,
    indent: usize,
}

impl Lines {
    /// Adds a word, on a new line if it does not fit.
    fn put(&mut self, word: &Line) {
        let Some((meaning, _)) = word.runs().first() else {
            return;
        };
        if !self.is_empty && self.line.width() + 1 + word.width() > self.width {
            self.done.push(std::mem::take(&mut self.line));
            self.line.pad(self.indent);
            self.is_empty = true;
        }
        if !self.is_empty {
            let last = self.line.runs().last();
            let is_same_meaning = last.is_some_and(|(last, _)| last == meaning);
            self.line.push(
                if is_same_meaning {
                    *meaning
                } else {
                    Meaning::Plain
                },
                " ",
            );
        }
        self.line.append(word);
        self.is_empty = false;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MEANINGS: [Meaning; 3] = [Meaning::Plain, Meaning::Good, Meaning::Failed];

    proptest! {
        #[test]
        fn wrapping_keeps_every_word_and_the_width(
            spans in prop::collection::vec(("([a-z]{1,10} ?){0,5}", 0..3usize), 0..12),
            width in 65usize..100,
            indent in 0usize..4,
        ) {
            let spans: Vec<Span> = spans.iter().map(|(text, meaning)| Span::new(MEANINGS[*meaning], text)).collect();
            let lines = wrap(&spans, width, indent);
            let texts: Vec<String> = lines.iter().map(Line::text).collect();
            prop_assert!(texts.iter().all(|line| !line.trim().is_empty()));
            // Spans that touch make one word, which may be longer than any line.
            let whole: String = spans.iter().map(|span| span.text.as_str()).collect();
            let words: Vec<&str> = whole.split_whitespace().collect();
            let longest = words.iter().map(|word| word.len() + indent).max().unwrap_or(0);
            prop_assert!(texts.iter().all(|line| line.chars().count() <= width.max(longest)));
            let back: Vec<&str> = texts.iter().flat_map(|line| line.split_whitespace()).collect();
            prop_assert_eq!(back, words);
            // Each letter keeps its meaning.
            let letters = |runs: &mut dyn Iterator<Item = (Meaning, String)>| -> Vec<(Meaning, char)> {
                runs.flat_map(|(meaning, text)| text.chars().map(move |c| (meaning, c)).collect::<Vec<_>>())
                    .filter(|(_, c)| !c.is_whitespace())
                    .collect()
            };
            prop_assert_eq!(
                letters(&mut lines.iter().flat_map(|line| line.runs().to_vec())),
                letters(&mut spans.iter().map(|span| (span.meaning, span.text.clone())))
            );
        }
    }
}

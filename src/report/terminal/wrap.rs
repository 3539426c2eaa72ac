//! Breaks text into lines.

use crate::diag::printable;

/// Stands for a space at which [`wrap`] does not break.
pub const TIE: char = '\u{a0}';

/// Breaks text at spaces into lines of at most `width` characters; a longer word stays whole. Each
/// line but the first begins with `indent`. Unsafe characters are escaped.
pub fn wrap(text: &str, width: usize, indent: &str) -> Vec<String> {
    let text = printable::lines(text);
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut empty = true;
    let words = text.split(|c: char| c.is_whitespace() && c != TIE);
    for word in words.filter(|word| !word.is_empty()) {
        if !empty && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(std::mem::replace(&mut line, indent.to_owned()));
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(&word.replace(TIE, " "));
        empty = false;
    }
    if !empty {
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn wrapping_keeps_every_word_and_the_width(
            words in prop::collection::vec("[a-z]{1,10}", 0..30),
            width in 20usize..100,
        ) {
            let lines = wrap(&words.join(" "), width, "  ");
            prop_assert!(lines.iter().all(|line| line.chars().count() <= width));
            let back: Vec<String> =
                lines.iter().flat_map(|l| l.split_whitespace()).map(str::to_owned).collect();
            prop_assert_eq!(back, words);
        }
    }
}

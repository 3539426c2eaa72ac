//! How reports write counts, lists and times, and break lines.

use crate::diag::printable;

/// `1 cell`, `3 cells`.
#[must_use]
pub fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// `w1, w2 and w3`.
pub fn list(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// A span of time for people: `850 ms`, `12.3 s`, `6 min 2 s`, `1 h 4 min`.
#[must_use]
pub fn elapsed(seconds: f64) -> String {
    let seconds = seconds.max(0.0);
    if seconds < 0.9995 {
        return format!("{:.0} ms", seconds * 1e3);
    }
    if seconds < 59.95 {
        return format!("{seconds:.1} s");
    }
    let whole = std::time::Duration::from_secs_f64(seconds.min(1e15).round()).as_secs();
    match (whole / 3600, whole / 60 % 60, whole % 60) {
        (0, m, s) => format!("{m} min {s} s"),
        (h, m, _) => format!("{h} h {m} min"),
    }
}

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

    #[test]
    fn times_read_well() {
        let said = [0.0, 0.85, 0.9996, 12.34, 59.96, 362.0, 3840.0].map(elapsed);
        assert_eq!(
            said,
            [
                "0 ms",
                "850 ms",
                "1.0 s",
                "12.3 s",
                "1 min 0 s",
                "6 min 2 s",
                "1 h 4 min"
            ]
        );
    }

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

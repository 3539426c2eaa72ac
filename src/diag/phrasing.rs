//! Phrases for messages: quotations, suggestions, choices, counts, lists, times.

use super::printable::is_unsafe;

/// Longer quotations of a text are cut in messages.
const LONGEST_QUOTE: usize = 60;

/// A text in backticks, for a message: on one line, without unsafe characters, not too long.
#[must_use]
pub fn quote(text: &str) -> String {
    let mut quoted = String::from("`");
    for (count, c) in text.chars().enumerate() {
        if count == LONGEST_QUOTE {
            quoted.push('…');
            break;
        }
        if is_unsafe(c) || matches!(c, '\n' | '\t') {
            quoted.extend(c.escape_default());
        } else {
            quoted.push(c);
        }
    }
    quoted.push('`');
    quoted
}

/// The text as one word of a shell's command line.
#[must_use]
pub fn shell_word(text: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+=:,@%".contains(c);
    if text.chars().all(is_plain) && !text.is_empty() {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// The candidate that a misspelt word most likely means, if any is near enough.
#[must_use]
pub fn did_you_mean<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    if word.len() > 64 {
        return None;
    }
    let plain = |text: &str| text.to_lowercase().replace(['-', ' ', '.'], "_");
    let word = plain(word);
    candidates
        .into_iter()
        .filter(|candidate| candidate.len().abs_diff(word.len()) <= word.len() / 2 + 1)
        .map(|candidate| {
            let other = plain(candidate);
            let distance = strsim::osa_distance(&word, &other);
            (distance, word.len().max(other.len()), candidate)
        })
        .filter(|(distance, length, _)| *distance <= (length / 3).max(1) && distance < length)
        .min_by_key(|(distance, ..)| *distance)
        .map(|(.., candidate)| candidate)
}

/// Words in backticks, separated by commas, the last by `and`.
#[must_use]
pub fn all_of<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    joined(words, "and")
}

/// Words in backticks, separated by commas, the last by `or`.
#[must_use]
pub fn one_of<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    joined(words, "or")
}

fn joined<'a>(words: impl IntoIterator<Item = &'a str>, conjunction: &str) -> String {
    let mut words: Vec<String> = words.into_iter().map(|word| format!("`{word}`")).collect();
    match words.pop() {
        None => String::new(),
        Some(last) if words.is_empty() => last,
        Some(last) => format!("{} {conjunction} {last}", words.join(", ")),
    }
}

/// Words in backticks, separated by commas, the last by `and`; of many only the first.
#[must_use]
pub fn some_of(words: &[&str]) -> String {
    const SOME: usize = 16;
    if words.len() <= SOME {
        let quoted: Vec<String> = words.iter().map(|word| quote(word)).collect();
        match quoted.split_last() {
            Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
            _ => quoted.concat(),
        }
    } else {
        let quoted: Vec<String> = words.iter().take(SOME).map(|word| quote(word)).collect();
        format!("{} and {} more", quoted.join(", "), words.len() - SOME)
    }
}

/// `1 cell`, `3 cells`.
#[must_use]
pub fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// `w1, w2 and w3`.
#[must_use]
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_suggested_and_far_ones_are_not() {
        let keys = ["duration", "warmup", "mss", "same_node_as"];
        assert_eq!(did_you_mean("duraton", keys), Some("duration"));
        assert_eq!(did_you_mean("same-node-as", keys), Some("same_node_as"));
        assert_eq!(did_you_mean("MSS", keys), Some("mss"));
        assert_eq!(did_you_mean("tools", keys), None);
        assert_eq!(did_you_mean("x", ["y"]), None);
    }

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
}

//! Takes the text below a help text apart: examples, exit codes, and all else. Pure.

/// The text below a help text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct AfterHelp {
    /// Lines as they are.
    pub examples: Vec<String>,
    /// Each code with its meaning.
    pub exit_codes: Vec<(String, String)>,
    /// What is said of exit codes besides.
    pub exit_note: Option<String>,
    /// Paragraphs.
    pub notes: Vec<String>,
}

impl AfterHelp {
    /// Reads paragraphs: one that begins with `Examples:` has an example a line, one that begins with
    /// `Exit codes:` has codes and meanings between semicolons.
    pub fn read(text: &str) -> Self {
        let mut read = Self::default();
        for paragraph in text.split("\n\n").map(str::trim_end) {
            let examples = paragraph.strip_prefix("Examples:\n");
            if let Some(lines) = examples.or_else(|| paragraph.strip_prefix("Example:\n")) {
                let lines = lines.lines();
                let lines = lines.map(|line| line.strip_prefix("  ").unwrap_or(line).to_owned());
                read.examples.extend(lines);
            } else if let Some(codes) = paragraph.strip_prefix("Exit codes: ") {
                read.exit_codes(&codes.replace('\n', " "));
            } else if !paragraph.is_empty() {
                read.notes.push(paragraph.replace('\n', " "));
            }
        }
        read
    }

    fn exit_codes(&mut self, text: &str) {
        let (codes, note) = match text.split_once(". ") {
            Some((codes, note)) => (codes, Some(note.to_owned())),
            None => (text.strip_suffix('.').unwrap_or(text), None),
        };
        let pair = |part: &str| {
            let (code, meaning) = part.trim().split_once(' ')?;
            let is_code = code.bytes().all(|byte| byte.is_ascii_digit());
            is_code.then(|| (code.to_owned(), meaning.to_owned()))
        };
        match codes.split(';').map(pair).collect() {
            Some(pairs) => {
                self.exit_codes = pairs;
                self.exit_note = note;
            }
            None => self.exit_note = Some(text.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_paragraph_goes_where_it_belongs() {
        let read = AfterHelp::read(
            "Examples:\n  netplan a   first\n  netplan b |\n    cat\n\nMore\nof it.\n\n\
             Exit codes: 0 all well; 3 some\nfailed (if so: 3); 130 interrupted.\nResults go out.",
        );
        assert_eq!(read.examples, ["netplan a   first", "netplan b |", "  cat"]);
        assert_eq!(read.notes, ["More of it."]);
        let code = |code: &str, meaning: &str| (code.to_owned(), meaning.to_owned());
        assert_eq!(
            read.exit_codes,
            [
                code("0", "all well"),
                code("3", "some failed (if so: 3)"),
                code("130", "interrupted")
            ]
        );
        assert_eq!(read.exit_note.as_deref(), Some("Results go out."));
        let other = AfterHelp::read("Exit codes: as those of `netplan run`.");
        assert_eq!(other.exit_codes, []);
        assert_eq!(
            other.exit_note.as_deref(),
            Some("as those of `netplan run`.")
        );
    }
}

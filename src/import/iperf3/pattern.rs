//! Which part of a file's path is the column, the run and the cell: `{column}/{run}/{cell}.json.gz`.

use regex::Regex;

use crate::diag::{Problem, all_of, quote};

/// The endings of a pattern that ends in a placeholder.
const ENDING: &str = r"\.json(?:\.gz)?";
/// More components than any folder of results has.
const MOST_COMPONENTS: usize = 16;
const PLACEHOLDERS: [&str; 3] = ["column", "run", "cell"];

/// Which part of a file's path is the column, the run and the cell.
#[derive(Clone, Debug)]
pub struct Pattern {
    text: String,
    regex: Regex,
    depth: usize,
}

/// What a path says of its file. Empty where the pattern does not have it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Match {
    pub column: String,
    pub run: String,
    pub cell: String,
}

impl Pattern {
    /// Reads a pattern: path components separated by `/`, in which `{column}`, `{run}` and `{cell}` match the part that
    /// they name, and `*` matches any text. Other characters match themselves. A pattern that ends in a placeholder is
    /// for names that continue with `.json` or `.json.gz`.
    ///
    /// # Errors
    /// Says what is wrong with the text.
    pub fn parse(text: &str) -> Result<Pattern, Problem> {
        let wrong = |what: String| {
            Problem::without_place(format!("the pattern {} {what}", quote(text)))
                .help("a pattern is, e.g., `{column}/{run}/{cell}.json.gz`, with `*` for any text")
        };
        let mut expression = String::from("^");
        let mut seen: Vec<&str> = Vec::new();
        // A text between two placeholders tells where the first one ends.
        let mut is_open = false;
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            let is_placeholder = matches!(c, '{' | '*');
            if is_placeholder && is_open {
                return Err(wrong(
                    "has two placeholders without a text between them".to_owned(),
                ));
            }
            is_open = is_placeholder;
            if c == '{' {
                let (name, after) = rest
                    .get(1..)
                    .and_then(|rest| rest.split_once('}'))
                    .ok_or_else(|| wrong("has a `{` without `}`".to_owned()))?;
                if !PLACEHOLDERS.contains(&name) {
                    let known = all_of(PLACEHOLDERS);
                    return Err(wrong(format!(
                        "has the unknown placeholder {}; there are {known}",
                        quote(name)
                    )));
                }
                if seen.contains(&name) {
                    return Err(wrong(format!("has `{{{name}}}` twice")));
                }
                seen.push(name);
                expression.extend(["(?<", name, ">[^/]+?)"]);
                rest = after;
                continue;
            }
            match c {
                '*' => expression += "[^/]*?",
                c => expression += &regex::escape(c.encode_utf8(&mut [0; 4])),
            }
            rest = rest.get(c.len_utf8()..).unwrap_or_default();
        }
        if !seen.contains(&"cell") {
            return Err(wrong("has no `{cell}`".to_owned()));
        }
        let depth = text.split('/').count();
        if depth > MOST_COMPONENTS || text.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return Err(wrong("is not a relative path".to_owned()));
        }
        if text.ends_with('}') {
            expression += ENDING;
        }
        expression.push('$');
        let regex = Regex::new(&expression).map_err(|error| wrong(format!("fails: {error}")))?;
        Ok(Pattern {
            text: text.to_owned(),
            regex,
            depth,
        })
    }

    /// The pattern for files in folders of this depth; 1 is a folder that has the files itself.
    #[must_use]
    pub fn for_depth(depth: usize) -> Option<&'static str> {
        match depth {
            1 => Some("{cell}"),
            2 => Some("{run}/{cell}"),
            3 => Some("{column}/{run}/{cell}"),
            _ => None,
        }
    }

    /// The pattern as it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// How many components a path has that matches.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// What a relative path says, with `/` between its components; `None` when it does not match.
    #[must_use]
    pub fn read(&self, path: &str) -> Option<Match> {
        let found = self.regex.captures(path)?;
        let part = |name| {
            let part = found.name(name);
            part.map(|part| part.as_str().to_owned())
                .unwrap_or_default()
        };
        Some(Match {
            column: part("column"),
            run: part("run"),
            cell: part("cell"),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(pattern: &str, path: &str) -> Option<[String; 3]> {
        let found = Pattern::parse(pattern).unwrap().read(path)?;
        Some([found.column, found.run, found.cell])
    }

    #[test]
    fn a_pattern_names_the_parts_of_a_path() {
        for (pattern, path, parts) in [
            (
                "{column}/{run}/{cell}.json.gz",
                "calico/1/dts.json.gz",
                ["calico", "1", "dts"],
            ),
            (
                "{column}/{run}/{cell}",
                "calico/1/dts.json",
                ["calico", "1", "dts"],
            ),
            ("{cell}", "a.b.json", ["", "", "a.b"]),
            ("{cell}.txt", "plain.txt", ["", "", "plain"]),
            (
                "run-{run}/*/{cell}-x.json",
                "run-7/any/tcp-x.json",
                ["", "7", "tcp"],
            ),
            ("{column}_{cell}_*.json", "a_tcp_8.json", ["a", "", "tcp"]),
        ] {
            assert_eq!(
                read(pattern, path),
                Some(parts.map(str::to_owned)),
                "{pattern}"
            );
        }
        for (pattern, path) in [
            ("{column}/{run}/{cell}.json.gz", "calico/1/dts.json"),
            ("{column}/{cell}", "a/b/c.json"),
            ("{cell}.json", ".json"),
            ("{cell}", "README.md"),
        ] {
            assert_eq!(read(pattern, path), None, "{pattern}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_pattern_is_said() {
        for (pattern, what) in [
            ("", "no `{cell}`"),
            ("{column}/{run}", "no `{cell}`"),
            ("{column}{cell}", "without a text between"),
            ("*{cell}", "without a text between"),
            ("{cell}/{cell}", "`{cell}` twice"),
            ("{node}/{cell}", "unknown placeholder `node`"),
            ("{cell", "without `}`"),
            ("/{cell}", "not a relative path"),
            ("../{cell}", "not a relative path"),
        ] {
            let problem = Pattern::parse(pattern).unwrap_err().to_string();
            assert!(problem.contains(what), "{problem}");
        }
    }

    proptest! {
        #[test]
        fn what_a_pattern_wrote_it_reads(
            column in "[^/\\n]{1,9}", run in "[^/\\n]{1,9}", cell in "[^/\\n]{1,9}",
        ) {
            let path = format!("{column}/{run}/{cell}.json");
            prop_assert_eq!(read("{column}/{run}/{cell}.json", &path), Some([column, run, cell]));
        }

        #[test]
        fn any_text_is_a_pattern_or_a_problem(text in "[{}*/a-z.]{0,20}|\\PC{0,20}", path in "\\PC{0,20}") {
            if let Ok(pattern) = Pattern::parse(&text) {
                let _ = pattern.read(&path);
            }
        }
    }
}

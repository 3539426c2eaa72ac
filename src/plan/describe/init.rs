//! The plan that `netplan init` writes: examples of all keys, each below its description.

use super::explain::{Explanation, explain};
use crate::diag::Problem;

/// The examples. A line `#: PATH` is replaced by the description of the key.
const EXAMPLES: &str = include_str!("init.yaml");
const MARK: &str = "#: ";
/// Of a line of a description, in characters.
const WIDTH: usize = 100;

/// A plan to start from, which shows all of the language in its comments.
///
/// # Errors
/// None: every path of the examples is one of the language.
pub fn init_text() -> Result<String, Problem> {
    let mut plan = String::new();
    for line in EXAMPLES.lines() {
        match line.split_once(MARK) {
            Some((indent, path)) => describe(&explain(path)?, indent, &mut plan),
            None => plan.extend([line, "\n"]),
        }
    }
    Ok(plan)
}

fn describe(key: &Explanation, indent: &str, plan: &mut String) {
    let mut text = key.text.first().cloned().unwrap_or_default();
    if let Some(range) = &key.range {
        text.extend([" Allowed: ", range, "."]);
    }
    if let Some(default) = &key.default {
        text.extend([" Default: ", default, "."]);
    }
    comment(&text, &format!("{indent}# "), "", plan);
    for (word, text) in key.words.iter().filter(|(_, text)| !text.is_empty()) {
        let text = format!("- `{word}`: {text}");
        comment(&text, &format!("{indent}# "), "  ", plan);
    }
}

/// Adds a paragraph whose lines begin with `start`, and those after the first with `hanging` too.
fn comment(paragraph: &str, start: &str, hanging: &str, plan: &mut String) {
    let mut line = start.to_owned();
    let mut is_empty = true;
    for word in paragraph.split_whitespace() {
        if !is_empty && line.chars().count() + 1 + word.chars().count() > WIDTH {
            plan.extend([&line, "\n"]);
            line = format!("{start}{hanging}");
            is_empty = true;
        }
        line.extend([if is_empty { "" } else { " " }, word]);
        is_empty = false;
    }
    plan.extend([&line, "\n"]);
}

//! The language as a page of Markdown, from the same source as the schema.

use super::explain::{Explanation, explain};
use crate::diag::Problem;

/// The text before the keys.
const HEAD: &str = "\
# The plan language

A plan is a YAML file. `netplan check PLAN` says what is wrong in it, `netplan check --resolved PLAN` what it means;
`netplan explain workers.count` prints one key of this page; `netplan init` writes a plan to start from.

This page and `plan.schema.json` are generated from the same source; do not edit them.
";

/// The reference page: the top, and a section for each mapping below it.
///
/// # Errors
/// None: every path comes from the language itself.
pub fn reference() -> Result<String, Problem> {
    let top = explain("")?;
    let mut page = HEAD.to_owned();
    table(&top, &mut page);
    let mut open: Vec<Explanation> = top.keys.into_iter().rev().collect();
    while let Some(brief) = open.pop() {
        let full = explain(&brief.path)?;
        if full.keys.is_empty() && full.words.is_empty() {
            continue;
        }
        page.extend(["\n## ", &full.path, "\n\n", &full.text.join(" "), "\n"]);
        table(&full, &mut page);
        // Timing is the same in `defaults` and `tests`; a range of one parameter as of another.
        let last = |path: &str| path.rsplit('.').next().map(str::to_owned);
        let is_range = full
            .keys
            .iter()
            .any(|key| last(&key.path).as_deref() == Some("step"));
        if brief.path != "defaults" && !is_range {
            open.extend(full.keys.into_iter().rev());
        }
    }
    Ok(page)
}

fn table(of: &Explanation, page: &mut String) {
    // A pipe would end the column.
    let cell = |text: &str| text.replace('|', "\\|");
    if !of.words.is_empty() {
        page.push_str("\n| word | means |\n|---|---|\n");
        for (word, text) in &of.words {
            page.extend(["| `", word, "` | ", &cell(text), " |\n"]);
        }
    }
    if !of.keys.is_empty() {
        page.push_str("\n| key | is | default | means |\n|---|---|---|---|\n");
        for key in &of.keys {
            let default = match &key.default {
                Some(default) => cell(default),
                None if key.required => "has to be there".to_owned(),
                None => String::new(),
            };
            let row = [
                "| `",
                &key.name,
                "` | ",
                &cell(&key.kind),
                " | ",
                &default,
                " | ",
                &cell(key.text.first().map_or("", String::as_str)),
                " |\n",
            ];
            page.extend(row);
        }
    }
}

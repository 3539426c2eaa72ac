//! Tables in Markdown, and the cells that others share with them.

use super::escape::{inline, start_of_block};
use crate::output::sparkline;
use crate::report::document::{Align, Cell, Meaning, Span, Table};

/// The caption, the rows, and below them what a list says of each row.
pub fn parts(table: &Table) -> Vec<String> {
    let mut parts = Vec::new();
    if !table.caption.is_empty() {
        let caption = Span::new(Meaning::Strong, &table.caption);
        parts.push(paragraph([&caption]) + "\n");
    }
    if !table.columns.is_empty() {
        parts.push(rows(table));
    }
    let mut details = String::new();
    for (at, paragraphs) in table.details.iter().enumerate() {
        let name = table.columns.first().and_then(|first| first.cells.get(at));
        let name = name.map_or_else(String::new, |name| inline(&name.value.text));
        for text in paragraphs {
            let text = format!("{name}: {}", spans(text));
            details.extend(["- ", &start_of_block(&text), "\n"]);
        }
    }
    if !details.is_empty() {
        parts.push(details);
    }
    parts
}

fn rows(table: &Table) -> String {
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let titles = table.columns.iter().map(|column| {
        let parts = [&column.name, &column.unit].map(|text| inline(text));
        parts.join(" ").trim().to_owned()
    });
    let rules = table.columns.iter().map(|column| match column.align {
        Align::Left => "---".to_owned(),
        Align::Right => "---:".to_owned(),
    });
    let mut text = line(titles.collect()) + &line(rules.collect());
    let count = table.columns.iter().map(|column| column.cells.len());
    for at in 0..count.max().unwrap_or(0) {
        let cells = table.columns.iter().map(|column| {
            let cell = column.cells.get(at);
            cell.map_or_else(String::new, self::cell)
        });
        text += &line(cells.collect());
    }
    text
}

fn cell(cell: &Cell) -> String {
    let value = span(&cell.value);
    let trend = sparkline::trend(&cell.trend);
    let [spread, count] = [&cell.spread, &cell.count].map(|text| inline(text));
    let parts = [value, trend, spread, count];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    let text = parts.join(" ") + &spans(&cell.marks);
    text.trim().to_owned()
}

/// Text in one flow that begins a block or an item of a list.
pub fn paragraph<'a>(spans: impl IntoIterator<Item = &'a Span>) -> String {
    start_of_block(&self::spans(spans))
}

/// Text in one flow.
pub fn spans<'a>(spans: impl IntoIterator<Item = &'a Span>) -> String {
    spans.into_iter().map(span).collect()
}

/// A text with its emphasis. Colour is left out: what it says, a sign or a word says too.
fn span(span: &Span) -> String {
    let text = inline(&span.text);
    // Emphasis has to begin and end beside a letter or a digit (CommonMark: delimiter runs).
    let is_word = text.starts_with(char::is_alphanumeric) && text.ends_with(char::is_alphanumeric);
    if span.meaning == Meaning::Strong && is_word {
        format!("**{text}**")
    } else {
        text
    }
}

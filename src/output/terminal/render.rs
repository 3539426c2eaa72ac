//! Blocks, one after the other.

use super::line::Line;
use super::table;
use super::wrap::wrap;
use crate::diag::printable;
use crate::output::sparkline;
use crate::report::document::{
    Block, Document, Fact, Level, Meaning, Note, Notes, Paragraph, Span,
};

/// Narrower than this is not tried; lines are then longer than the width.
const NARROWEST: usize = 40;
/// Spaces before the second and further lines of a paragraph.
const INDENT: usize = 2;

/// Draws a document `width` characters wide, with a newline at its end. With `colour` it has ANSI
/// escapes; what they say, a sign or a word says too.
#[must_use]
pub fn render(document: &Document, width: usize, colour: bool) -> String {
    let width = width.max(NARROWEST);
    let mut page = String::new();
    for part in parts(&document.blocks, width) {
        if !page.is_empty() {
            page.push('\n');
        }
        for line in part {
            line.write(&mut page, colour);
        }
    }
    page
}

/// The lines of each part; an empty line is between two parts.
fn parts(blocks: &[Block], width: usize) -> Vec<Vec<Line>> {
    let mut all = Vec::new();
    let mut blocks = blocks.iter().peekable();
    while let Some(block) = blocks.next() {
        all.extend(match block {
            Block::Heading { level, title } => {
                let is_text = |next: &&Block| matches!(next, Block::Text(_));
                let about = match blocks.next_if(is_text) {
                    Some(Block::Text(paragraphs)) => &**paragraphs,
                    _ => &[],
                };
                vec![heading(*level, title, about, width)]
            }
            Block::Text(paragraphs) => vec![text(paragraphs, width)],
            Block::Table(table) => table::parts(table, width),
            Block::Chart(chart) => {
                let lines = sparkline::lines(chart);
                let fitting = lines.iter().filter(|line| line.chars().count() <= width);
                vec![
                    fitting
                        .map(|line| Line::new(Meaning::Plain, line))
                        .collect(),
                ]
            }
            Block::Facts(facts) => vec![facts.iter().flat_map(|one| fact(one, width)).collect()],
            // Its figures are in the tables after it.
            Block::DotPlot(_) => Vec::new(),
            Block::Notes(all) => vec![notes(all, width)],
            Block::Code(text) => {
                let text = printable::lines(text);
                let lines = text.lines().map(|line| Line::new(Meaning::Plain, line));
                vec![lines.collect()]
            }
            Block::Fold(fold) => {
                let title = heading(Level::Section, &fold.title, &[], width);
                let below = parts(&fold.blocks, width);
                std::iter::once(title).chain(below).collect()
            }
        });
    }
    all.retain(|part| !part.is_empty());
    all
}

/// The text of a document's heading is below it; that of a section's on the same line.
fn heading(level: Level, title: &str, about: &[Paragraph], width: usize) -> Vec<Line> {
    match level {
        Level::Document => {
            let dim = Span::new(Meaning::Dim, title);
            let mut lines = wrap([&dim], width, INDENT);
            if let Some(first) = lines.first_mut() {
                *first = Line::new(Meaning::Strong, &first.text());
            }
            lines.extend(text(about, width));
            lines
        }
        Level::Section => {
            let mut first = vec![Span::new(Meaning::Strong, title)];
            let mut about = about.iter();
            if let Some(run_in) = about.next() {
                first.push(Span::plain(": "));
                first.extend(run_in.iter().cloned());
            }
            let mut lines = wrap(&first, width, INDENT);
            lines.extend(about.flat_map(|paragraph| wrap(paragraph, width, INDENT)));
            lines
        }
    }
}

fn text(paragraphs: &[Paragraph], width: usize) -> Vec<Line> {
    let lines = paragraphs
        .iter()
        .map(|paragraph| wrap(paragraph, width, INDENT));
    lines.flatten().collect()
}

fn fact(fact: &Fact, width: usize) -> Vec<Line> {
    let name = Span::plain(format!("{}: ", fact.name));
    wrap([&name].into_iter().chain(&fact.text), width, INDENT)
}

fn notes(notes: &Notes, width: usize) -> Vec<Line> {
    let title = Span::new(Meaning::Strong, &notes.title);
    let mut lines = wrap([&title], width, INDENT);
    lines.extend(notes.notes.iter().flat_map(|one| note(one, width)));
    lines
}

/// All lines of a note are indented to the text behind its mark.
fn note(note: &Note, width: usize) -> Vec<Line> {
    let indent = note.mark.text.chars().count() + 1;
    let space = Span::plain(" ");
    let head = [&note.mark, &space].into_iter().chain(&note.text);
    let mut lines = wrap(head, width, indent);
    let room = width.saturating_sub(indent);
    let details = note.details.iter().flat_map(|text| wrap(text, room, 0));
    let advice = note.advice.iter().flat_map(|advice| {
        let arrow = Span::new(advice.meaning, "→ ");
        wrap([&arrow, advice], room, INDENT)
    });
    lines.extend(details.chain(advice).map(|line| {
        let mut indented = Line::default();
        indented.pad(indent);
        indented.append(&line);
        indented
    }));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_and_code_are_lines_and_command_nothing() {
        let fact = Fact {
            name: "kernel".to_owned(),
            text: vec![Span::plain("Linux 6.1 \u{1b}[2J")],
        };
        let document = Document {
            blocks: vec![
                Block::Facts(vec![fact]),
                Block::Code("a:\n  b: \u{1b}[2J\n".to_owned()),
            ],
        };
        assert_eq!(
            render(&document, 80, false),
            "kernel: Linux 6.1 \\u{1b}[2J\n\na:\n  b: \\u{1b}[2J\n"
        );
    }
}

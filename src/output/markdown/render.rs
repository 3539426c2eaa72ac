//! Blocks, one after the other.

use super::escape::{code_block, html, inline, start_of_block};
use super::table::{self, paragraph, spans};
use crate::diag::printable;
use crate::output::sparkline;
use crate::report::document::{
    Block, Chart, Document, Fact, Fold, Level, Meaning, Note, Notes, Span,
};

/// Writes a document as GitHub-flavoured Markdown, with a newline at its end. Headings start at the second level, as a
/// comment or a job's summary has its own title. Charts are sparklines.
#[must_use]
pub fn render(document: &Document) -> String {
    blocks(&document.blocks)
}

/// The blocks, with an empty line between two.
fn blocks(blocks: &[Block]) -> String {
    let parts = blocks.iter().flat_map(block);
    parts.collect::<Vec<_>>().join("\n")
}

/// The parts of a block, each with a newline at its end.
fn block(block: &Block) -> Vec<String> {
    match block {
        Block::Heading { level, title } => {
            let sign = match level {
                Level::Document => "##",
                Level::Section => "###",
            };
            vec![format!("{sign} {}\n", inline(title))]
        }
        Block::Text(paragraphs) => {
            let paragraphs = paragraphs.iter().map(paragraph);
            let paragraphs = paragraphs.filter(|text| !text.is_empty());
            paragraphs.map(|text| text + "\n").collect()
        }
        Block::Table(table) => table::parts(table),
        Block::Facts(facts) => vec![facts.iter().map(fact).collect()],
        Block::Chart(chart) => self::chart(chart),
        // A table of its section has its figures.
        Block::DotPlot(_) => Vec::new(),
        Block::Notes(notes) => self::notes(notes),
        Block::Code(text) => {
            let text = printable::lines(text);
            vec![code_block(
                &text.lines().map(str::to_owned).collect::<Vec<_>>(),
            )]
        }
        Block::Fold(fold) => vec![self::fold(fold)],
    }
}

fn fact(fact: &Fact) -> String {
    format!("- {}: {}\n", inline(&fact.name), spans(&fact.text))
}

fn chart(chart: &Chart) -> Vec<String> {
    if chart.series.is_empty() {
        return Vec::new();
    }
    vec![code_block(&sparkline::lines(chart))]
}

fn notes(notes: &Notes) -> Vec<String> {
    let title = paragraph([&Span::new(Meaning::Strong, &notes.title)]);
    let list: String = notes.notes.iter().map(note).collect();
    let parts = [title, list].into_iter().filter(|part| !part.is_empty());
    parts
        .map(|part| part.trim_end().to_owned() + "\n")
        .collect()
}

/// An item, with its details and advice below it.
fn note(note: &Note) -> String {
    let head = format!("{} {}", spans([&note.mark]), spans(&note.text));
    let details = note.details.iter().map(spans);
    let advice = note
        .advice
        .iter()
        .map(|advice| format!("→ {}", spans([advice])));
    let below = details.chain(advice).filter(|text| !text.trim().is_empty());
    let mut item = format!("- {}\n", start_of_block(&head));
    for text in below {
        item.extend(["  - ", &start_of_block(&text), "\n"]);
    }
    item
}

/// The empty lines around its content let Markdown begin and end inside of the HTML.
fn fold(fold: &Fold) -> String {
    format!(
        "<details>\n<summary>{}</summary>\n\n{}\n</details>\n",
        html(&fold.title),
        blocks(&fold.blocks)
    )
}

//! A document as the template sees it.

use serde::Serialize;

use super::error::HtmlError;
use super::figure::Figure;
use super::span::{SpanView, id, spans};
use super::table::TableView;
use crate::report::document::{Block, Document, Fact, Level, Meaning, Note, Span};

/// A list has so many notes.
const MOST_NOTES: usize = 500;

/// A page.
#[derive(Debug, Default, Serialize)]
pub struct Page {
    title: String,
    texts: Vec<Vec<SpanView>>,
    facts: Vec<FactView>,
    sections: Vec<Section>,
}

#[derive(Debug, Default, Serialize)]
struct Section {
    id: String,
    title: String,
    blocks: Vec<BlockView>,
}

#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum BlockView {
    Text {
        paragraphs: Vec<Vec<SpanView>>,
    },
    Facts {
        facts: Vec<FactView>,
    },
    Figure {
        figure: Box<Figure>,
    },
    Table {
        table: TableView,
    },
    Fold {
        title: String,
        blocks: Vec<BlockView>,
    },
    Notes {
        title: String,
        notes: Vec<NoteView>,
    },
    Code {
        text: String,
    },
}

#[derive(Debug, Serialize)]
struct FactView {
    name: String,
    text: Vec<SpanView>,
}

#[derive(Debug, Serialize)]
struct NoteView {
    id: String,
    mark: Vec<SpanView>,
    text: Vec<SpanView>,
    details: Vec<Vec<SpanView>>,
    advice: Vec<SpanView>,
}

impl Page {
    /// The document's first heading is the page's; what is before the first section is in its head.
    pub fn new(document: &Document) -> Result<Page, HtmlError> {
        let mut page = Page::default();
        let mut numbers = Numbers::default();
        for block in &document.blocks {
            match block {
                Block::Heading {
                    level: Level::Document,
                    title,
                } => page.title.clone_from(title),
                Block::Heading {
                    level: Level::Section,
                    title,
                } => page.begin_section(title),
                Block::Text(paragraphs) if page.sections.is_empty() => {
                    page.texts.extend(paragraphs.iter().map(|text| spans(text)));
                }
                Block::Facts(facts) if page.sections.is_empty() => {
                    page.facts.extend(facts.iter().map(FactView::from));
                }
                block => {
                    if page.sections.is_empty() {
                        page.begin_section("");
                    }
                    if let Some(section) = page.sections.last_mut() {
                        let view = BlockView::new(block, &section.title, &mut numbers)?;
                        section.blocks.push(view);
                    }
                }
            }
        }
        Ok(page)
    }

    fn begin_section(&mut self, title: &str) {
        self.sections.push(Section {
            id: format!("section-{}", self.sections.len() + 1),
            title: title.to_owned(),
            blocks: Vec::new(),
        });
    }
}

/// The first notes, and how many more there are.
fn note_views(notes: &[Note]) -> Vec<NoteView> {
    let mut views: Vec<NoteView> = notes.iter().take(MOST_NOTES).map(NoteView::from).collect();
    if let Some(more @ 1..) = notes.len().checked_sub(MOST_NOTES) {
        let text = format!("and {more} more; `--format json` has all");
        views.push(NoteView::from(&Note {
            text: vec![Span::plain(text)],
            ..Note::default()
        }));
    }
    views
}

/// How many figures and tables the page has so far.
#[derive(Debug, Default)]
struct Numbers {
    figures: usize,
    tables: usize,
}

impl BlockView {
    /// `section` is the title of the block's section.
    fn new(block: &Block, section: &str, numbers: &mut Numbers) -> Result<BlockView, HtmlError> {
        Ok(match block {
            // Of a fold, which has no sections.
            Block::Heading { title, .. } => BlockView::Text {
                paragraphs: vec![spans(&[Span::new(Meaning::Strong, title)])],
            },
            Block::Text(paragraphs) => BlockView::Text {
                paragraphs: paragraphs.iter().map(|text| spans(text)).collect(),
            },
            Block::Facts(facts) => BlockView::Facts {
                facts: facts.iter().map(FactView::from).collect(),
            },
            Block::Chart(chart) => {
                numbers.figures += 1;
                let figure = Box::new(Figure::from_lines(chart, numbers.figures)?);
                BlockView::Figure { figure }
            }
            Block::DotPlot(plot) => {
                numbers.figures += 1;
                let figure = Box::new(Figure::from_dots(plot, numbers.figures)?);
                BlockView::Figure { figure }
            }
            Block::Table(table) => {
                numbers.tables += 1;
                let table = TableView::new(table, numbers.tables, section);
                BlockView::Table { table }
            }
            Block::Notes(notes) => BlockView::Notes {
                title: notes.title.clone(),
                notes: note_views(&notes.notes),
            },
            Block::Code(text) => BlockView::Code { text: text.clone() },
            Block::Fold(fold) => BlockView::Fold {
                title: fold.title.clone(),
                blocks: fold
                    .blocks
                    .iter()
                    .map(|block| BlockView::new(block, section, numbers))
                    .collect::<Result<_, _>>()?,
            },
        })
    }
}

impl From<&Fact> for FactView {
    fn from(fact: &Fact) -> FactView {
        FactView {
            name: fact.name.clone(),
            text: spans(&fact.text),
        }
    }
}

impl From<&Note> for NoteView {
    fn from(note: &Note) -> NoteView {
        NoteView {
            id: note.anchor.map(id).unwrap_or_default(),
            mark: vec![SpanView::from(&note.mark)],
            text: spans(&note.text),
            details: note.details.iter().map(|detail| spans(detail)).collect(),
            advice: note.advice.iter().map(SpanView::from).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_notes_is_bounded_and_says_how_many_more_there_are() {
        let texts = |count: usize| -> Vec<String> {
            let views = note_views(&vec![Note::default(); count]);
            let views = views.iter().map(serde_json::to_string);
            views.collect::<Result<_, _>>().unwrap()
        };
        assert_eq!(texts(MOST_NOTES).len(), MOST_NOTES);
        let more = texts(MOST_NOTES + 7);
        assert_eq!(more.len(), MOST_NOTES + 1);
        assert!(more[MOST_NOTES].contains("and 7 more; `--format json` has all"));
    }
}

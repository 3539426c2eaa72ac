//! The parts of a document: what is shown and what it means. How it looks is up to a renderer.

use super::chart::{Chart, DotPlot};

/// A page of blocks, from top to bottom.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Document {
    pub blocks: Vec<Block>,
}

/// A part of a document that is set apart from the next one.
#[derive(Clone, Debug, PartialEq)]
pub enum Block {
    /// The [`Block::Text`] after it belongs to it.
    Heading {
        level: Level,
        title: String,
    },
    Text(Vec<Paragraph>),
    /// Names and their values, e.g. `kernel` and `Linux 6.1`.
    Facts(Vec<Fact>),
    Table(Table),
    /// A table of the same section has its figures.
    Chart(Chart),
    /// As [`Block::Chart`].
    DotPlot(DotPlot),
    Notes(Notes),
    /// Lines to read as they are, e.g. a plan.
    Code(String),
    Fold(Fold),
}

/// A name and its value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fact {
    pub name: String,
    pub text: Paragraph,
}

/// Blocks that a reader can open: details below a title. A renderer that cannot fold shows them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fold {
    pub title: String,
    pub blocks: Vec<Block>,
}

/// Whose heading it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Document,
    Section,
}

/// Text in one flow. [`TIE`] is a space at which no line breaks.
pub type Paragraph = Vec<Span>;

/// A space at which no line breaks.
pub const TIE: char = '\u{a0}';

/// Text of one meaning.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Span {
    pub text: String,
    pub meaning: Meaning,
    /// The note that explains it.
    pub link: Option<Anchor>,
}

/// What a text means beyond its words. Its words or signs say so, too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Meaning {
    #[default]
    Plain,
    /// The name of what follows.
    Strong,
    /// Less important than the rest.
    Dim,
    Good,
    Failed,
    Skipped,
    Warning,
}

/// What a span can refer to, by its number in the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Anchor {
    /// Why cells have no figure.
    Reason(usize),
    /// What speaks against figures.
    Warning(usize),
}

/// Rows of cells under titles.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    pub kind: TableKind,
    /// What tells it from the other tables of its section; may be empty.
    pub caption: String,
    /// All with as many cells.
    pub columns: Vec<Column>,
    /// The first so many columns say what a row is; a renderer repeats them when it splits the table.
    pub keys: usize,
    /// Paragraphs below each row; empty when no row has any.
    pub details: Vec<Vec<Paragraph>>,
}

/// What a table is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TableKind {
    /// Figures to compare down and across.
    #[default]
    Figures,
    /// A list of things with their properties.
    List,
}

/// A column, its title and its cells from top to bottom.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Column {
    /// May break at hyphens; may be empty.
    pub name: String,
    /// Of all figures in it; may be empty.
    pub unit: String,
    pub align: Align,
    pub cells: Vec<Cell>,
}

/// Where the text of a column is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Align {
    /// As usual for words.
    #[default]
    Left,
    /// As usual for figures.
    Right,
}

/// A figure with what belongs to it, or a text. A renderer puts equal parts below each other.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cell {
    pub value: Span,
    /// How sure the value is, e.g. `±100`; empty for a single sample.
    pub spread: String,
    /// Of samples, e.g. `×7`; empty where all cells have as many.
    pub count: String,
    /// Signs that notes explain, or the figure's own unit.
    pub marks: Vec<Span>,
    /// Values in the order of time, drawn small behind the value; None is a gap. May be empty.
    pub trend: Vec<Option<f64>>,
}

/// Notes that follow each other closely.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Notes {
    /// May be empty.
    pub title: String,
    pub notes: Vec<Note>,
}

/// A remark behind a mark.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Note {
    /// Where links to it lead.
    pub anchor: Option<Anchor>,
    pub mark: Span,
    pub text: Paragraph,
    /// Paragraphs below the text.
    pub details: Vec<Paragraph>,
    /// What to make of it, or to do about it.
    pub advice: Option<Span>,
}

impl Span {
    #[must_use]
    pub fn new(meaning: Meaning, text: impl Into<String>) -> Span {
        Span {
            text: text.into(),
            meaning,
            link: None,
        }
    }

    #[must_use]
    pub fn plain(text: impl Into<String>) -> Span {
        Span::new(Meaning::Plain, text)
    }

    /// The same with a link.
    #[must_use]
    pub fn to(self, anchor: Anchor) -> Span {
        Span {
            link: Some(anchor),
            ..self
        }
    }
}

impl From<Span> for Cell {
    fn from(value: Span) -> Cell {
        Cell {
            value,
            ..Cell::default()
        }
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Cell {
        Span::plain(text).into()
    }
}

impl Column {
    /// A column of words.
    #[must_use]
    pub fn words(name: &str, cells: impl IntoIterator<Item = String>) -> Column {
        Column {
            name: name.to_owned(),
            cells: cells.into_iter().map(Cell::from).collect(),
            ..Column::default()
        }
    }

    /// A column of figures.
    #[must_use]
    pub fn figures(
        name: &str,
        unit: &str,
        cells: impl IntoIterator<Item = impl Into<Cell>>,
    ) -> Column {
        Column {
            name: name.to_owned(),
            unit: unit.to_owned(),
            align: Align::Right,
            cells: cells.into_iter().map(Into::into).collect(),
        }
    }
}

impl Block {
    /// A text of one paragraph.
    #[must_use]
    pub fn paragraph(meaning: Meaning, text: impl Into<String>) -> Block {
        Block::Text(vec![vec![Span::new(meaning, text)]])
    }
}

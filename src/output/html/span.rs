//! Text with a meaning.

use serde::Serialize;

use crate::report::document::{Anchor, Meaning, Span};

/// A text with its class in the style sheet, and where it leads.
#[derive(Debug, Serialize)]
pub struct SpanView {
    text: String,
    class: &'static str,
    href: String,
}

/// The texts of a paragraph.
pub fn spans(paragraph: &[Span]) -> Vec<SpanView> {
    paragraph.iter().map(SpanView::from).collect()
}

/// The id of a note.
pub fn id(anchor: Anchor) -> String {
    match anchor {
        Anchor::Reason(number) => format!("reason-{number}"),
        Anchor::Warning(number) => format!("warning-{number}"),
    }
}

impl From<&Span> for SpanView {
    fn from(span: &Span) -> SpanView {
        SpanView {
            text: span.text.clone(),
            class: match span.meaning {
                Meaning::Plain => "",
                Meaning::Strong => "strong",
                Meaning::Dim => "dim",
                Meaning::Good => "good",
                Meaning::Failed => "failed",
                Meaning::Skipped => "skipped",
                Meaning::Warning => "warning",
            },
            href: span.link.map(id).unwrap_or_default(),
        }
    }
}

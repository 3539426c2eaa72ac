//! A chart as a file of its own.

use super::canvas::Size;
use super::{dot_plot, line_chart};
use crate::output::markup::escape_line;
use crate::report::document::{Block, Document};

/// The charts' style, for both themes.
pub const STYLE: &str = include_str!("../../../templates/page/chart.css");

/// Makes a file of a drawn chart: with its style, a background, and a name for people who do not see it.
#[must_use]
pub fn file(chart: &str, title: &str) -> String {
    let title = escape_line(title);
    let Some((element, rest)) = chart.split_once('>') else {
        return String::new();
    };
    format!(
        "{element} role=\"img\" aria-label=\"{title}\" font-family=\"system-ui, sans-serif\"><title>{title}</title>\
         <style>{STYLE}</style><rect class=\"paper\" x=\"-16\" y=\"-16\" width=\"100%\" height=\"100%\" fill=\"#fff\"/>{rest}\n"
    )
}

/// The first chart of a document as a file; None if the document has no chart.
#[must_use]
pub fn from_document(document: &Document) -> Option<String> {
    document.blocks.iter().find_map(|block| match block {
        Block::Chart(chart) => Some(file(
            &line_chart::line_chart(chart, Size::File, "chart"),
            &chart.finding,
        )),
        Block::DotPlot(plot) => Some(file(&dot_plot::dot_plot(plot, Size::File), &plot.finding)),
        _ => None,
    })
}

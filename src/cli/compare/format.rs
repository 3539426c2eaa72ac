//! The formats that comparisons are printed in.

use anyhow::Context;
use clap::ValueEnum;

use crate::cli::terminal::printer;
use crate::compare::Comparison;
use crate::output::comparison::{github, json, junit};
use crate::output::{html, markdown, terminal};
use crate::report::document::Document;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Tables for people
    #[default]
    Table,
    /// GitHub-flavoured Markdown, for a comment on a pull request
    Markdown,
    /// Everything, as one JSON document; docs/compare.schema.json describes it
    Json,
    /// JUnit XML: a case for each test, path and metric that decides, and for each lost cell
    Junit,
    /// A page with charts: one HTML file that needs nothing else
    Html,
    /// GitHub's workflow commands: annotations for what is slower, undecided or lost
    Github,
}

impl Format {
    /// Prints the comparison.
    pub fn print(self, comparison: &Comparison) -> anyhow::Result<()> {
        match self {
            Self::Table => {
                let (width, colour) = (printer::width(), printer::colour_stdout());
                let document = Document::from_comparison(comparison);
                printer::results(&terminal::render(&document, width, colour))
            }
            Self::Markdown => {
                let text = markdown::render(&Document::from_comparison(comparison));
                printer::document(|stdout| stdout.write_all(text.as_bytes()))
            }
            Self::Json => {
                let text = json::render(comparison).context("cannot write JSON")?;
                printer::document(|stdout| stdout.write_all(text.as_bytes()))
            }
            Self::Junit => {
                let xml = junit::render(comparison).context("cannot write JUnit XML")?;
                printer::results(&xml)
            }
            Self::Html => {
                let html = html::render(&Document::page_from_comparison(comparison))?;
                printer::document(|stdout| stdout.write_all(html.as_bytes()))
            }
            Self::Github => {
                let commands = github::render(comparison);
                printer::document(|stdout| stdout.write_all(commands.as_bytes()))
            }
        }
    }
}

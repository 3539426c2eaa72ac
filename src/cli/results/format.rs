//! The formats that results are printed in.

use anyhow::Context;
use clap::ValueEnum;

use super::exit_policy::VerdictArgs;
use crate::cli::terminal::printer;
use crate::output::ci::{github, junit};
use crate::output::csv::nptest::Dialect;
use crate::output::csv::{nptest as nptest_csv, samples as samples_csv};
use crate::output::exports::{bmf, openmetrics, perfdash};
use crate::output::{html, json, markdown, svg, terminal};
use crate::report::Report;
use crate::report::document::Document;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Format {
    /// Tables for people
    #[default]
    Table,
    /// The tables as GitHub-flavoured Markdown, for a comment or a job's summary
    Markdown,
    /// nptest's CSV
    Csv,
    /// nptest's CSV as its fork writes it: `;` for `,` and a closing line
    CsvFork,
    /// Tidy CSV: a row a sample
    Samples,
    /// Everything, as one JSON document
    Json,
    /// JUnit XML: a case for each expectation, and for each cell without one
    Junit,
    /// A page with charts: one HTML file that needs nothing else
    Html,
    /// The first chart, as SVG
    Svg,
    /// GitHub's workflow commands: annotations for what fell short, failed or has a warning
    Github,
    /// A gauge for each metric, test and path, for Prometheus' textfile collector or push gateway
    Openmetrics,
    /// What perfdash of kubernetes/perf-tests draws
    Perfdash,
    /// Bencher Metric Format: each cell's metrics with their 95 % intervals
    Bmf,
}

impl Format {
    /// Prints the report.
    pub fn print(self, report: &Report, verdict: VerdictArgs) -> anyhow::Result<()> {
        let strict = verdict.undecided_fails();
        match self {
            Self::Table => {
                let (width, colour) = (printer::width(), printer::colour_stdout());
                let document = Document::from_report(report);
                printer::results(&terminal::render(&document, width, colour))
            }
            Self::Markdown => {
                let text = markdown::render(&Document::from_report(report));
                printer::document(|stdout| stdout.write_all(text.as_bytes()))
            }
            Self::Csv => printer::results(&nptest_csv::render(report, Dialect::Nptest)),
            Self::CsvFork => printer::results(&nptest_csv::render(report, Dialect::Fork)),
            Self::Samples => printer::document(|stdout| samples_csv::write(report, stdout)),
            Self::Json => printer::document(|stdout| json::write(report, stdout)),
            Self::Html => {
                let html = html::render(&Document::page_from_report(report))?;
                printer::document(|stdout| stdout.write_all(html.as_bytes()))
            }
            Self::Svg => {
                let page = Document::page_from_report(report);
                let svg = svg::from_document(&page).context(
                    "this run has no chart: nothing was measured; `--format table` says why",
                )?;
                printer::document(|stdout| stdout.write_all(svg.as_bytes()))
            }
            Self::Junit => {
                let xml = junit::render(report, strict).context("cannot write JUnit XML")?;
                printer::results(&xml)
            }
            Self::Github => {
                let commands = github::render(report, strict);
                printer::document(|stdout| stdout.write_all(commands.as_bytes()))
            }
            Self::Openmetrics => {
                let text = openmetrics::render(report);
                printer::document(|stdout| stdout.write_all(text.as_bytes()))
            }
            Self::Perfdash => printer::document(|stdout| perfdash::write(report, stdout)),
            Self::Bmf => printer::document(|stdout| bmf::write(report, stdout)),
        }
    }
}

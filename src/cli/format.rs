//! The formats that results are printed in.

use anyhow::Context;
use clap::ValueEnum;

use super::printer;
use super::verdict::VerdictArgs;
use crate::report::nptest_csv::Dialect;
use crate::report::{Report, github, json, junit, nptest_csv, samples_csv, table};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Tables for people
    #[default]
    Table,
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
    /// GitHub's workflow commands: annotations for what fell short, failed or is in doubt
    Github,
}

impl Format {
    pub fn render(self, report: &Report, verdict: VerdictArgs) -> anyhow::Result<String> {
        let strict = verdict.undecided_fails();
        Ok(match self {
            Self::Table => table::render(report, printer::width(), printer::colour_stdout()),
            Self::Csv => nptest_csv::render(report, Dialect::Nptest),
            Self::CsvFork => nptest_csv::render(report, Dialect::Fork),
            Self::Samples => {
                let bytes = samples_csv::render(report).context("cannot write the samples")?;
                String::from_utf8(bytes).context("the samples are no text")?
            }
            Self::Json => json::render(report).context("cannot write the report as JSON")?,
            Self::Junit => junit::render(report, strict).context("cannot write JUnit XML")?,
            Self::Github => github::render(report, strict),
        })
    }
}

//! The formats that results are printed in.

use anyhow::Context;
use clap::ValueEnum;

use crate::report::nptest_csv::Dialect;
use crate::report::{Report, json, nptest_csv, samples_csv, table};

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
}

impl Format {
    pub fn render(self, report: &Report, width: usize, colour: bool) -> anyhow::Result<String> {
        Ok(match self {
            Self::Table => table::render(report, width, colour),
            Self::Csv => nptest_csv::render(report, Dialect::Nptest),
            Self::CsvFork => nptest_csv::render(report, Dialect::Fork),
            Self::Samples => {
                let bytes = samples_csv::render(report).context("cannot write the samples")?;
                String::from_utf8(bytes).context("the samples are no text")?
            }
            Self::Json => json::render(report).context("cannot write the report as JSON")?,
        })
    }
}

//! `summary.json`: one value for each path, test and metric of a run. `netplan history` reads nothing else.

use std::fs;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::environment::Configuration;
use super::environment::MachineKey;
use super::journal;
use super::run_dir::{RunDir, RunDirError, file};
use crate::diag::json;
use crate::files;

/// The version of this document, in it as `version`. A file of another version is written anew.
pub const VERSION: u32 = 1;

/// A larger file is not a summary: a value takes some 200 bytes.
const LARGEST_BYTES: u64 = 64 << 20;

/// A run in short.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunSummary {
    pub version: u32,
    /// The run's id.
    pub run: String,
    /// The plan's name.
    pub plan: String,
    /// Time of the first event.
    pub started: Timestamp,
    /// Length of the journal that this was made from: a journal that has grown needs another summary.
    pub journal_bytes: u64,
    pub machine: MachineKey,
    pub configuration: Configuration,
    pub series: Vec<SeriesValue>,
}

/// A metric of a test on a path, over all cells: one point of a series over runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SeriesValue {
    pub test: String,
    pub path: String,
    /// The plain path, for the ratio to it; none for the metric itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relative_to: Option<String>,
    /// As journals write it, with its unit.
    pub metric: String,
    /// It is the headline metric of its test.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_headline: bool,
    /// A hash of what was measured: tool and options, duration, path, placement and the cells' parameters. Values
    /// of different setups are not comparable.
    pub setup: String,
    /// How many cells the path has in the test.
    pub cells: usize,
    /// How many of them have a value. The value below is comparable if all have.
    pub measured: usize,
    /// Mean over the measured cells of the cells' means, in the metric's unit.
    pub mean: f64,
    /// Mean of the natural logarithms of the cells' means, or of the ratios of them; none where a mean is 0 or
    /// less.
    pub mean_log: Option<f64>,
}

impl SeriesValue {
    /// Every cell has a value.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.measured == self.cells
    }
}

impl RunDir {
    /// The length of the journal in bytes; 0 if it cannot be read.
    #[must_use]
    pub fn journal_bytes(&self) -> u64 {
        fs::metadata(self.file(journal::FILE_NAME)).map_or(0, |it| it.len())
    }

    /// What `summary.json` says; none if there is none that this version reads, or if the journal has grown
    /// since.
    #[must_use]
    pub fn summary(&self) -> Option<RunSummary> {
        let text = files::read_regular(&self.file(file::SUMMARY), LARGEST_BYTES).ok()?;
        let summary: RunSummary = serde_json::from_slice(&text).ok()?;
        let is_current =
            summary.version == VERSION && summary.journal_bytes == self.journal_bytes();
        is_current.then_some(summary)
    }

    /// Writes `summary.json`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_summary(&self, summary: &RunSummary) -> Result<(), RunDirError> {
        let text = json::to_string(summary).map_err(|error| RunDirError::Write {
            path: self.file(file::SUMMARY),
            source: error.into(),
        })?;
        self.write(file::SUMMARY, text + "\n")
    }
}

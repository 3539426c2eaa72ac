//! Figures: a metric over a cell's samples, with its interval.

use std::collections::HashMap;

use super::fold::{CellReport, CellState, Report};
use crate::results::Sample;
use crate::schedule::{CellId, Param, Params};
use crate::statistics::{self, ALPHA, Interval, Pairs, Ratio, Summary, stopping_rule};

/// A metric of a cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figure {
    pub summary: Summary,
    /// The mean's 95 % interval; None of a single sample.
    pub interval: Option<Interval>,
}

impl Report {
    /// The figure of the cell's headline metric: that of `result.csv` and of tables. `None` unless the cell
    /// was measured at least in part.
    #[must_use]
    pub fn headline(&self, cell: &CellReport) -> Option<Figure> {
        let (_, test, _) = self.row(cell.row)?;
        self.figure(cell, &test.tool.headline())
    }

    /// A metric over the samples of a measured cell.
    #[must_use]
    pub fn figure(&self, cell: &CellReport, metric: &str) -> Option<Figure> {
        Some(self.figure_from(cell, cell.measured(metric)?))
    }

    /// As [`Report::figure`], of a value that is computed from each sample.
    pub(super) fn figure_of(
        &self,
        cell: &CellReport,
        value: impl Fn(&Sample) -> Option<f64>,
    ) -> Option<Figure> {
        Some(self.figure_from(cell, cell.summary_of(value)?))
    }

    /// All metrics over the samples of a measured cell, sorted by name.
    pub fn figures<'a>(&self, cell: &'a CellReport) -> impl Iterator<Item = (&'a str, Figure)> {
        cell.all_measured()
            .into_iter()
            .map(|(metric, summary)| (metric, self.figure_from(cell, summary)))
    }

    fn figure_from(&self, cell: &CellReport, summary: Summary) -> Figure {
        Figure {
            summary,
            interval: summary.interval(self.alpha(cell, &summary)),
        }
    }

    /// The level of a mean's interval: stricter where the samples decided when to stop.
    fn alpha(&self, cell: &CellReport, summary: &Summary) -> f64 {
        self.row(cell.row)
            .map_or(ALPHA, |(row, ..)| self.alpha_of(row.test, summary.count))
    }

    /// The level of the interval of a ratio over so many rounds of a test, an index into the plan's: stricter where the
    /// rounds decided when to stop.
    #[must_use]
    pub fn alpha_of(&self, test: usize, rounds: usize) -> f64 {
        self.plan.tests.get(test).map_or(ALPHA, |test| {
            stopping_rule::alpha(&test.timing.repeat, rounds)
        })
    }

    /// The 95 % interval of the ratio of a variant to the base in a test, an index into the plan's.
    #[must_use]
    pub fn ratio_interval(&self, test: usize, pairs: &Pairs) -> Option<Interval> {
        let log = pairs
            .difference
            .interval(self.alpha_of(test, pairs.rounds))?;
        Some(Interval {
            low: log.low.exp(),
            high: log.high.exp(),
        })
    }

    /// Which of the cell's samples are outliers in the headline metric, by position. All false unless the
    /// cell was measured at least in part.
    #[must_use]
    pub fn outliers(&self, cell: &CellReport) -> Vec<bool> {
        match (self.row(cell.row), &cell.state) {
            // The probes of a search are at rates of their own.
            (Some((_, test, _)), CellState::Measured | CellState::Partial)
                if test.find.is_none() =>
            {
                let metric = test.tool.headline();
                let values = cell.samples.iter().map(|s| s.metrics.get(&metric));
                let values: Vec<f64> = values.map(|v| v.unwrap_or(f64::NAN)).collect();
                statistics::outliers(&values)
            }
            _ => vec![false; cell.samples.len()],
        }
    }

    /// The ratio of a metric's means in two cells, with its 95 % interval.
    pub(super) fn ratio(&self, of: &CellReport, to: &CellReport, metric: &str) -> Option<Ratio> {
        let means = (of.measured(metric)?, to.measured(metric)?);
        let alpha = self.alpha(of, &means.0).min(self.alpha(to, &means.1));
        statistics::ratio(&means.0, &means.1, alpha)
    }
}

/// Finds the cell of the same test with the same parameters on another path, and the same cell under another
/// variant.
pub(super) struct Peers<'a> {
    by_path: HashMap<Key<'a>, &'a CellReport>,
    /// Empty in a plan without variants.
    by_id: HashMap<&'a CellId, &'a CellReport>,
}

/// Indices of the plan's test and path, and the parameters.
type Key<'a> = (usize, usize, &'a [(Param, u64)]);

impl<'a> Peers<'a> {
    pub fn new(report: &'a Report) -> Peers<'a> {
        let key = |cell: &'a CellReport| {
            let row = report.schedule.rows.get(cell.row)?;
            Some(((row.test, row.path, &*cell.params.0), cell))
        };
        let cells = report.cells.iter();
        let with_variants = cells.filter(|_| !report.plan.variants.is_empty());
        Peers {
            by_path: report.cells.iter().filter_map(key).collect(),
            by_id: with_variants.map(|cell| (&cell.id, cell)).collect(),
        }
    }

    /// `variant` is an index into the plan's.
    pub fn under(
        &self,
        report: &Report,
        cell: &CellReport,
        variant: usize,
    ) -> Option<&'a CellReport> {
        let name = report.plan.variant_name(variant).filter(|_| variant > 0);
        self.by_id.get(&cell.id.under(name)).copied()
    }

    /// `test` and `path` are indices into the plan's.
    pub fn get(&self, test: usize, path: usize, params: &Params) -> Option<&'a CellReport> {
        self.by_path.get(&(test, path, &*params.0)).copied()
    }
}

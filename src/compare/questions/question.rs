//! What is asked of two sides: for each subject a value for each run.

use std::collections::{BTreeMap, HashSet};

use indexmap::IndexMap;

use super::subject::Subject;
use crate::compare::floor::{FloorIndex, Settings};
use crate::compare::limit::Limit;
use crate::compare::options::Options;
use crate::compare::sides::run::Run;
use crate::compare::sides::side::Side;
use crate::report::compared_metric as metric;
use crate::schedule::{CellId, Param};
use crate::statistics::Spread;
use crate::statistics::judge::{Question, Scale};

/// A subject with its question.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    pub subject: Subject,
    /// The cells that a run's value is the mean of.
    pub cells: usize,
    pub question: Question,
}

/// Cells by test and path, in the order of BASE.
pub type Groups<'a> = IndexMap<(&'a str, &'a str), Vec<&'a CellId>>;

/// Two sides and the cells that they have in common.
#[derive(Clone, Copy, Debug)]
pub struct Matched<'a> {
    pub base: &'a Side,
    pub new: &'a Side,
    pub cells: &'a [CellId],
}

impl<'a> Matched<'a> {
    fn runs(self) -> impl Iterator<Item = &'a Run> {
        self.base.runs.iter().chain(&self.new.runs)
    }

    fn first(self) -> Option<&'a Run> {
        self.base.runs.first()
    }

    pub fn groups(self) -> Groups<'a> {
        let mut groups = Groups::new();
        for id in self.cells {
            if let Some(cell) = self.first().and_then(|run| run.cells.get(id)) {
                let group = groups.entry((&cell.test, &cell.path));
                group.or_default().push(id);
            }
        }
        groups
    }

    /// The metrics that decide about a test.
    pub fn decisive(self, test: &str) -> &'a [String] {
        let test = self.first().and_then(|run| run.tests.get(test));
        test.map_or(&[], |test| &test.decisive)
    }

    /// How cells of a test were measured: the test's settings, and the parameters that all of the cells have alike.
    pub fn settings(self, test: &str, cells: &[&CellId]) -> Settings {
        let Some(run) = self.first() else {
            return Settings::new();
        };
        let test = run.tests.get(test);
        let mut settings = test.map_or_else(Settings::new, |test| test.settings.clone());
        let mut params = cells
            .iter()
            .filter_map(|id| Some(&run.cells.get(*id)?.params));
        if let Some(first) = params.next() {
            let mut shared = first.clone();
            for other in params {
                shared.retain(|param, value| other.get(param) == Some(value));
            }
            let shared = shared.into_iter();
            settings.extend(
                shared.map(|(param, value)| (param.name().to_owned(), param.value_text(value))),
            );
        }
        settings
    }

    /// All metrics that some of the cells has.
    pub fn metrics(self, cells: &[&CellId]) -> Vec<&'a str> {
        let figures = |id: &&CellId| self.first()?.cells.get(*id)?.figures.as_ref().ok();
        let mut metrics: Vec<&str> = cells
            .iter()
            .filter_map(figures)
            .flat_map(|figures| figures.keys().map(String::as_str))
            .collect();
        metrics.sort_unstable();
        metrics.dedup();
        metrics
    }

    /// Whether all runs of BASE have a metric of some of the cells.
    pub fn base_has(self, cells: &[&CellId], metric: &str) -> bool {
        let scale = metric::scale(metric);
        let has = |id: &&CellId| {
            let mut runs = self.base.runs.iter();
            runs.all(|run| value(run, id, metric, scale).is_some())
        };
        cells.iter().any(has)
    }

    /// A question about a metric over cells. `None` if no cell has it in all runs.
    pub fn ask(
        self,
        (test, path): (&str, &str),
        cells: &[&CellId],
        metric: &str,
        options: &Options,
        floor: Option<&FloorIndex<'_>>,
    ) -> Option<Asked> {
        let scale = metric::scale(metric);
        let usable: Vec<&CellId> = cells
            .iter()
            .copied()
            .filter(|id| {
                self.runs()
                    .all(|run| value(run, id, metric, scale).is_some())
            })
            .collect();
        let of_run = |run: &Run| mean(usable.iter().filter_map(|id| value(run, id, metric, scale)));
        let subject = Subject {
            test: test.to_owned(),
            path: path.to_owned(),
            plain: None,
            metric: metric.to_owned(),
        };
        let spread = floor.and_then(|floor| {
            let settings = self.settings(test, cells);
            floor.spread((test, path), &settings, metric, usable.len())
        });
        self.asked(subject, usable.len(), of_run, options, spread)
    }

    /// A question about the ratio of a path to another one: cell by cell, with the same cell under the base variant, else
    /// with the cell of the same parameters.
    /// `None` if there are no such cells.
    pub fn ask_ratio(
        self,
        (test, path): (&str, &str),
        plain: &str,
        groups: &Groups<'_>,
        metric: &str,
        options: &Options,
    ) -> Option<Asked> {
        let scale = metric::scale(metric);
        let run = self.first()?;
        let params = |id: &CellId| run.cells.get(id).map(|cell| &cell.params);
        let peers: BTreeMap<&BTreeMap<Param, u64>, &CellId> = groups
            .get(&(test, plain))?
            .iter()
            .filter_map(|id| Some((params(id)?, *id)))
            .collect();
        let ids: HashSet<&CellId> = peers.values().copied().collect();
        // A variant may change parameters of the same cell.
        let peer = |id: &CellId| match ids.get(&id.under(None)) {
            Some(base) => Some(*base),
            None => peers.get(params(id)?).copied(),
        };
        let pairs = groups.get(&(test, path))?.iter();
        let pairs: Vec<(&CellId, &CellId)> = pairs
            .filter_map(|id| Some((*id, peer(id)?)))
            .filter(|(one, two)| {
                let has = |run, id| value(run, id, metric, scale).is_some();
                self.runs().all(|run| has(run, one) && has(run, two))
            })
            .collect();
        let of_run = |run: &Run| {
            mean(pairs.iter().filter_map(|(one, two)| {
                Some(value(run, one, metric, scale)? - value(run, two, metric, scale)?)
            }))
        };
        let subject = Subject {
            test: test.to_owned(),
            path: path.to_owned(),
            plain: Some(plain.to_owned()),
            metric: metric.to_owned(),
        };
        self.asked(subject, pairs.len(), of_run, options, None)
    }

    fn asked(
        self,
        subject: Subject,
        cells: usize,
        of_run: impl Fn(&Run) -> f64,
        options: &Options,
        floor: Option<Spread>,
    ) -> Option<Asked> {
        let Subject {
            test, path, metric, ..
        } = &subject;
        let is_decisive = self.decisive(test).contains(metric);
        let limit = Limit::for_subject(&options.limits, test, path, metric, is_decisive);
        let values = |side: &Side| -> Vec<f64> { side.runs.iter().map(&of_run).collect() };
        let base = values(self.base);
        let level = mean(base.iter().copied()).abs();
        let question = Question {
            base,
            new: values(self.new),
            pairs: None,
            scale: metric::scale(metric),
            better: metric::better_of(metric),
            margin: metric::margin_at(metric, level),
            floor,
            limit: limit.map(|limit| metric::limit_at(metric, limit.share, level)),
        };
        (cells > 0).then_some(Asked {
            subject,
            cells,
            question,
        })
    }
}

/// A cell's figure on the scale. A figure that is not above 0 has no logarithm.
pub fn value(run: &Run, id: &CellId, metric: &str, scale: Scale) -> Option<f64> {
    let figure = *run.cells.get(id)?.figures.as_ref().ok()?.get(metric)?;
    match scale {
        Scale::Points | Scale::Difference => Some(figure),
        Scale::Log => (figure > 0.0).then(|| figure.ln()),
    }
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    sum / count
}

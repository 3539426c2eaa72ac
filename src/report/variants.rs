//! Each variant beside the base, in pairs of the same rounds: what it costs.

use std::collections::{BTreeMap, HashMap};

use indexmap::IndexMap;

use super::compared_metric::{
    CPU_PER_GBIT_CLIENT, CPU_PER_GBIT_SERVER, better_of, decisive_ratios, margin,
};
use super::{CellReport, Report, cpu_per_gbit};
use crate::results::Sample;
use crate::schedule::Member;
use crate::statistics::judge::{Judgement, Question, Scale, judge};
use crate::statistics::{Pairs, Round, Rounds};
use crate::tools::name;

/// A path under a variant, beside the same path under the base.
#[derive(Clone, Debug, PartialEq)]
pub struct Cost<'a> {
    /// Index into the plan's tests.
    pub test: usize,
    /// The path's name without a variant.
    pub path: &'a str,
    /// Index into the plan's variants.
    pub variant: usize,
    /// As the journal calls it, or one of [`CPU_PER_GBIT_CLIENT`] and [`CPU_PER_GBIT_SERVER`].
    pub metric: String,
    /// Over all cells of the path. `None` if no cell has two rounds with a pair.
    pub pairs: Option<Pairs>,
    /// What comes of it, corrected over all that decide; `None` where it does not decide.
    pub judgement: Option<Judgement>,
    /// Of each cell by itself, with the cell of the variant.
    pub cells: Vec<(&'a CellReport, Option<Pairs>)>,
}

/// What a report has of variants, in the order of tests, paths and variants; the metrics that decide come first.
/// Empty in a plan without variants.
#[must_use]
pub fn costs(report: &Report) -> Vec<Cost<'_>> {
    let members = report.schedule.members(&report.plan);
    let mut costs = Vec::new();
    for ((test, path, variant), cells) in pairs_of_cells(report, &members) {
        let metrics = metrics(report, test, &cells);
        for (metric, decides) in metrics {
            let found: Vec<(&CellReport, Rounds)> = cells
                .iter()
                .map(|(base, other)| (*other, rounds(base, other, &metric)))
                .collect();
            let all: Vec<Rounds> = found.iter().map(|(_, rounds)| rounds.clone()).collect();
            let pairs = Pairs::from_cells(&all);
            if !decides && pairs.is_none() {
                continue;
            }
            let cost = Cost {
                test,
                path,
                variant,
                metric,
                pairs,
                judgement: None,
                cells: found
                    .into_iter()
                    .map(|(cell, rounds)| (cell, Pairs::from_cells(&[rounds])))
                    .collect(),
            };
            costs.push((cost, decides));
        }
    }
    judged(costs)
}

/// The workers of variants that ran on another node than the base's, each with both nodes.
#[must_use]
pub fn other_nodes(report: &Report) -> Vec<(&str, &str, &str)> {
    let joined = &report.environment.workers;
    let workers = report.plan.workers.iter();
    workers
        .filter_map(|(name, placement)| {
            let base = joined.get(placement.base.as_ref()?)?;
            let own = joined.get(name)?;
            (own.node != base.node).then(|| (name.as_str(), &*own.node, &*base.node))
        })
        .collect()
}

/// The ratio of a metric of the same cell under two variants, by pairs of the same rounds. `None` with fewer than two
/// rounds that have a pair.
#[must_use]
pub fn paired(base: &CellReport, other: &CellReport, metric: &str) -> Option<Pairs> {
    Pairs::from_cells(&[rounds(base, other, metric)])
}

/// A test, a path and a variant that is not the base.
type Key<'a> = (usize, &'a str, usize);
/// The cells of the base and of the variant.
type CellPairs<'a> = Vec<(&'a CellReport, &'a CellReport)>;

fn pairs_of_cells<'a>(report: &'a Report, members: &[Member]) -> IndexMap<Key<'a>, CellPairs<'a>> {
    let mut bases: HashMap<u32, &CellReport> = HashMap::new();
    let mut pairs: IndexMap<Key<'_>, CellPairs<'_>> = IndexMap::new();
    for (cell, member) in report.cells.iter().zip(members) {
        let Some((row, test, path)) = report.row(cell.row) else {
            continue;
        };
        if test.find.is_some() {
            continue;
        }
        if row.variant() == 0 {
            bases.insert(member.group, cell);
        } else if let Some(base) = bases.get(&member.group) {
            let key = (row.test, path.plain_name(), row.variant());
            pairs.entry(key).or_default().push((base, cell));
        }
    }
    pairs
}

/// The metrics to compare, and whether each decides.
fn metrics(report: &Report, test: usize, cells: &CellPairs<'_>) -> Vec<(String, bool)> {
    let Some(test) = report.plan.tests.get(test) else {
        return Vec::new();
    };
    let is_measured = |metric: &str| {
        let mut samples = cells.iter().flat_map(|(base, _)| &base.samples);
        samples.any(|sample| sample.metrics.get(metric).is_some())
    };
    let mut metrics: Vec<(String, bool)> = decisive_ratios(&test.tool.headline(), is_measured)
        .into_iter()
        .map(|metric| (metric, true))
        .collect();
    for metric in [
        name::LATENCY_P50_US,
        name::LATENCY_P99_US,
        CPU_PER_GBIT_CLIENT,
        CPU_PER_GBIT_SERVER,
    ] {
        if metrics.iter().all(|(known, _)| known != metric) {
            metrics.push((metric.to_owned(), false));
        }
    }
    metrics
}

/// The results of both cells by round, which is the number of the sample.
fn rounds(base: &CellReport, other: &CellReport, metric: &str) -> Rounds {
    let by_round = |cell: &CellReport| -> BTreeMap<u32, (jiff::Timestamp, Option<f64>)> {
        let samples = cell.samples.iter();
        samples
            .map(|sample| (sample.sample, (sample.started, value(sample, metric))))
            .collect()
    };
    // A round that failed on both sides has no sample, and counts as dropped.
    let sides = [base, other].into_iter();
    let failed = sides.flat_map(|cell| cell.failed_attempts.iter().map(|attempt| attempt.sample));
    let last_failed = failed.max();
    let (base, other) = (by_round(base), by_round(other));
    let last = base
        .keys()
        .chain(other.keys())
        .copied()
        .max()
        .max(last_failed);
    let round = |number| {
        let (base, other) = (base.get(&number), other.get(&number));
        // Which of both came later is the place in the round, for the order effect.
        let later_by = match (base, other) {
            (Some((base, _)), Some((other, _))) if other > base => 1,
            (Some((base, _)), Some((other, _))) if other < base => -1,
            _ => 0,
        };
        Round {
            base: base.and_then(|(_, value)| *value),
            other: other.and_then(|(_, value)| *value),
            later_by,
        }
    };
    Rounds {
        rounds: (1..=last.unwrap_or_default()).map(round).collect(),
    }
}

/// A metric of a sample, or a derived metric.
fn value(sample: &Sample, metric: &str) -> Option<f64> {
    match metric {
        CPU_PER_GBIT_CLIENT => cpu_per_gbit(sample, &[name::CPU_PERCENT_CLIENT]),
        CPU_PER_GBIT_SERVER => cpu_per_gbit(sample, &[name::CPU_PERCENT_SERVER]),
        metric => sample.metrics.get(metric),
    }
}

/// Judges all that decide together.
fn judged(costs: Vec<(Cost<'_>, bool)>) -> Vec<Cost<'_>> {
    let question = |(cost, decides): &(Cost<'_>, bool)| {
        let pairs = cost.pairs.filter(|_| *decides)?;
        Some(Question {
            base: Vec::new(),
            new: Vec::new(),
            pairs: Some(pairs.difference),
            scale: Scale::Log,
            better: better_of(&cost.metric),
            margin: margin(&cost.metric),
            floor: None,
            limit: None,
        })
    };
    let questions: Vec<Option<Question>> = costs.iter().map(question).collect();
    let asked: Vec<Question> = questions.iter().flatten().cloned().collect();
    let mut judgements = judge(&asked).into_iter();
    costs
        .into_iter()
        .zip(questions)
        .map(|((cost, _), question)| Cost {
            judgement: question.and_then(|_| judgements.next()),
            ..cost
        })
        .collect()
}

#[cfg(test)]
pub(in crate::report) mod tests {
    use super::*;
    use crate::diag::Source;
    use crate::plan;
    use crate::report::{Attempt, CellState};
    use crate::schedule::{Schedule, Selection};
    use crate::statistics::{ALPHA, stopping_rule};
    use crate::tools::{Cause, Failure};

    /// A run of a test on one path under `plain` and `other`. In each round the latter has a share of the rate.
    pub fn report(test: &str, shares: &[f64]) -> Report {
        let written = format!(
            "version: 1\nname: p\nworkers: {{ w1: {{}}, w2: {{}} }}\nvariants: {{ plain: {{}}, other: {{}} }}\n\
             paths: [{{ name: a, from: w1, to: w2, via: pod_ip }}]\ntests: [{{ name: t, {test} }}]\n"
        );
        let plan = plan::load(Source::new("p", written), &[]).unwrap();
        let schedule = Schedule::new(&plan, &Selection::all());
        let mut report = Report::fold([], plan, schedule);
        for cell in &mut report.cells {
            let is_base = !cell.id.0.contains("@other");
            cell.state = CellState::Measured;
            for (number, share) in (1..).zip(shares) {
                let mut sample = Sample {
                    sample: number,
                    ..Sample::example(&cell.id)
                };
                let rate = if is_base { 1e9 } else { share * 1e9 };
                sample.metrics.set(name::THROUGHPUT_BPS, rate);
                cell.samples.push(sample);
            }
        }
        report
    }

    #[test]
    fn the_interval_of_a_ratio_is_that_of_the_stop() {
        let shares = [0.97, 0.98, 0.96, 0.97, 0.95, 0.99];
        let fixed = report("iperf3: {}, repeat: 6", &shares);
        let until = report(
            "iperf3: {}, repeat: { min: 4, max: 20, until: 1% of plain }",
            &shares,
        );
        let low = |report: &Report, alpha: f64| {
            let costs = costs(report);
            let pairs = costs[0].pairs.unwrap();
            let found = report.ratio_interval(0, &pairs).unwrap();
            let expected = pairs.difference.interval(alpha).unwrap();
            assert!((found.low - expected.low.exp()).abs() < 1e-12);
            assert!((found.high - expected.high.exp()).abs() < 1e-12);
            found.low
        };
        let alpha = stopping_rule::alpha(&until.plan.tests[0].timing.repeat, 6);
        assert!(low(&until, alpha) < low(&fixed, ALPHA));
    }

    #[test]
    fn a_last_round_that_failed_on_both_sides_is_dropped() {
        let mut report = report("iperf3: {}, repeat: 4", &[0.97, 0.98, 0.96]);
        for cell in &mut report.cells {
            cell.failed_attempts.push(Attempt {
                sample: 4,
                attempt: 1,
                failure: Failure {
                    cause: Cause::Timeout,
                    words: String::new(),
                    note: String::new(),
                },
                raw: None,
                raw_cut_bytes: 0,
            });
        }
        let pairs = costs(&report)[0].pairs.unwrap();
        assert_eq!((pairs.rounds, pairs.dropped), (3, 1));
    }
}

//! Summaries of runs, sorted into series.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;

use crate::report::compared_metric;
use crate::results::environment::configuration::{Configuration, Difference};
use crate::results::{MachineKey, RunSummary};

/// The runs of one kind of machine in the order of time, and their series.
#[derive(Clone, Debug, PartialEq)]
pub struct Timeline {
    pub machine: MachineKey,
    pub runs: Vec<TimelineRun>,
    /// Changes of configuration, in the order of time.
    pub marks: Vec<Mark>,
    /// Ratios before figures of their own, then in the order of names.
    pub series: Vec<Series>,
    /// Series that a later setup, or nothing, has replaced: they are not judged.
    pub ended: usize,
    /// Values that are left out because some of their cells were not measured.
    pub incomplete: usize,
}

/// A run of a timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimelineRun {
    pub id: String,
    pub plan: String,
    pub started: Timestamp,
}

/// A run whose configuration is not that of the run before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Position of the run.
    pub run: usize,
    pub differences: Vec<Difference>,
}

/// One metric over runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    pub name: SeriesName,
    pub points: Vec<Point>,
}

/// What a series is of.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SeriesName {
    pub plan: String,
    pub test: String,
    pub path: String,
    /// The plain path, for the ratio to it.
    pub relative_to: Option<String>,
    pub metric: String,
}

/// A value of a series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Position of the run in the timeline.
    pub run: usize,
    /// The mean of the natural logarithms over the path's cells.
    pub log: f64,
}

/// A series that has no value in so many runs of its plan has ended.
const ENDED_AFTER: usize = 5;

impl Series {
    /// The logarithms, in the order of time.
    #[must_use]
    pub fn values(&self) -> Vec<f64> {
        self.points.iter().map(|point| point.log).collect()
    }

    /// The position of the first value at a run or after it.
    #[must_use]
    pub fn position(&self, run: usize) -> usize {
        self.points.partition_point(|point| point.run < run)
    }
}

/// Sorts summaries into timelines by machine, those with the most runs first. Of a series of one run there is
/// nothing to say yet, but it is there.
#[must_use]
pub fn timelines(mut summaries: Vec<RunSummary>) -> Vec<Timeline> {
    summaries.sort_by(|a, b| (a.started, &a.run).cmp(&(b.started, &b.run)));
    // A key with unknown parts joins the first machine that it may be, so known ones come first.
    let mut keys: Vec<&MachineKey> = summaries.iter().map(|summary| &summary.machine).collect();
    keys.sort_by_key(|key| (unknown_parts(key), (*key).clone()));
    let mut machines: Vec<MachineKey> = Vec::new();
    for key in keys {
        if !machines.iter().any(|machine| machine.matches(key)) {
            machines.push(key.clone());
        }
    }
    let mut by_machine: BTreeMap<usize, Vec<RunSummary>> = BTreeMap::new();
    for summary in summaries {
        let machine = machines.iter().position(|it| it.matches(&summary.machine));
        by_machine
            .entry(machine.unwrap_or(0))
            .or_default()
            .push(summary);
    }
    let mut timelines: Vec<Timeline> = by_machine
        .into_iter()
        .filter_map(|(at, runs)| Some(timeline(machines.get(at)?.clone(), runs)))
        .collect();
    timelines.sort_by_key(|timeline| std::cmp::Reverse(timeline.runs.len()));
    timelines
}

fn unknown_parts(key: &MachineKey) -> usize {
    let unknown = [
        key.cluster.is_none(),
        key.nodes.is_none(),
        key.cpus.is_empty(),
        key.cores.is_empty(),
        key.architectures.is_empty(),
    ];
    unknown.into_iter().filter(|unknown| *unknown).count()
}

/// The series of runs in the order of time.
fn timeline(machine: MachineKey, summaries: Vec<RunSummary>) -> Timeline {
    let configurations: Vec<&Configuration> =
        summaries.iter().map(|it| &it.configuration).collect();
    let marks = marks(&configurations);
    let mut runs = Vec::with_capacity(summaries.len());
    let mut all: HashMap<(SeriesName, String), Vec<Point>> = HashMap::new();
    let mut incomplete = 0;
    for (run, summary) in summaries.into_iter().enumerate() {
        let decisive = decisive_metrics(&summary);
        for value in summary.series {
            let metrics = decisive.get(&value.test);
            if !metrics.is_some_and(|metrics| metrics.contains(&value.metric)) {
                continue;
            }
            let is_complete = value.is_complete();
            let Some(log) = value.mean_log.filter(|_| is_complete) else {
                incomplete += 1;
                continue;
            };
            let name = SeriesName {
                plan: summary.plan.clone(),
                test: value.test,
                path: value.path,
                relative_to: value.relative_to,
                metric: value.metric,
            };
            all.entry((name, value.setup))
                .or_default()
                .push(Point { run, log });
        }
        runs.push(TimelineRun {
            id: summary.run,
            plan: summary.plan,
            started: summary.started,
        });
    }
    let count = all.len();
    // Of several setups with one name the newest counts.
    let mut newest: HashMap<SeriesName, Vec<Point>> = HashMap::new();
    for ((name, _), points) in all {
        let last = |points: &[Point]| points.last().map(|point| point.run);
        let known = newest.entry(name).or_default();
        if last(&points) > last(known) {
            *known = points;
        }
    }
    let oldest = oldest_by_plan(&runs);
    let is_current = |name: &SeriesName, points: &[Point]| {
        let oldest = oldest.get(name.plan.as_str()).copied().unwrap_or(0);
        points.last().is_some_and(|last| last.run >= oldest)
    };
    let mut series: Vec<Series> = newest
        .into_iter()
        .filter(|(name, points)| is_current(name, points))
        .map(|(name, points)| Series { name, points })
        .collect();
    series.sort_by(|a, b| {
        let key = |series: &Series| series.name.relative_to.is_none();
        (key(a), &a.name).cmp(&(key(b), &b.name))
    });
    Timeline {
        machine,
        marks,
        ended: count - series.len(),
        series,
        incomplete,
        runs,
    }
}

/// The metrics that decide, by test.
fn decisive_metrics(summary: &RunSummary) -> HashMap<String, Vec<String>> {
    let mut measured: HashMap<&str, (Option<&str>, BTreeSet<&str>)> = HashMap::new();
    for value in summary
        .series
        .iter()
        .filter(|value| value.relative_to.is_none())
    {
        let (headline, metrics) = measured.entry(&value.test).or_default();
        metrics.insert(&value.metric);
        *headline = headline.or(value.is_headline.then_some(&value.metric));
    }
    let decisive = measured
        .into_iter()
        .filter_map(|(test, (headline, metrics))| {
            let is_measured = |metric: &str| metrics.contains(metric);
            let decisive = compared_metric::decisive_ratios(headline?, is_measured);
            Some((test.to_owned(), decisive))
        });
    decisive.collect()
}

/// The position of the oldest of the last runs of each plan.
fn oldest_by_plan(runs: &[TimelineRun]) -> HashMap<&str, usize> {
    let mut seen: HashMap<&str, (usize, usize)> = HashMap::new();
    for (at, run) in runs.iter().enumerate().rev() {
        let (count, oldest) = seen.entry(&run.plan).or_default();
        if *count < ENDED_AFTER {
            *count += 1;
            *oldest = at;
        }
    }
    seen.into_iter()
        .map(|(plan, (_, oldest))| (plan, oldest))
        .collect()
}

fn marks(configurations: &[&Configuration]) -> Vec<Mark> {
    let pairs = configurations.windows(2).enumerate();
    let marks = pairs.filter_map(|(at, pair)| {
        let [before, after] = pair else { return None };
        let differences = Configuration::differences([*before], [*after]);
        (!differences.is_empty()).then_some(Mark {
            run: at + 1,
            differences,
        })
    });
    marks.collect()
}

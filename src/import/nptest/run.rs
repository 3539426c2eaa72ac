//! A table of nptest → the run of a plan with nptest's settings.

use std::collections::BTreeSet;
use std::path::PathBuf;

use indexmap::{IndexMap, IndexSet};
use jiff::Timestamp;
use serde_json::json;

use super::table::{Row, Table};
use crate::catalog::{IPERF3, name};
use crate::diag::{Problem, Source, count, quote, some_of};
use crate::import::run::{ImportedRun, Measurement, Measurements, Origin};
use crate::plan::sweep::Sweep;
use crate::plan::{self, Alone, OptionValue, Path, PathEntry, PlanFile, Repeat, Test, ToolSpec};
use crate::results::Warning;
use crate::schedule::Param;
use crate::tools::{Cause, Failure, Metrics, Transport};

/// nptest's matrix and its settings, with the labels of its rows.
const PLAN: &str = include_str!("../../../plans/nptest.yaml");

/// The path that nptest's code measures from w1 to w3, although its documents say from w3 to w2 (`testcases` in
/// `nptest.go` of kubernetes/perf-tests).
const REMOTE_POD: (&str, &str, &str) = ("remote-pod", "w1", "w3");

/// What to do where it is not known which MSS a value has.
const NEEDS_HEADER: &str = "give each value its MSS in the header";

/// A field of a failure is kept up to so many characters.
const LONGEST_FIELD: usize = 40;

/// A run, and what was left out of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Imported {
    pub run: ImportedRun,
    /// Rows that netplan has no test for, and why.
    pub left_out: Vec<Problem>,
}

/// Makes the run of a table. `source` names it, and `modified` is the time of its file: nptest writes none.
///
/// # Errors
/// When no row is one that netplan has a test for.
pub fn run(source: &str, table: &Table, modified: Timestamp) -> Result<Imported, Problem> {
    let base = plan::load_file(&Alone, Source::new("nptest", PLAN), &[])
        .map_err(|problems| Problem::without_place(problems.to_string()))?;
    let mut matrix = Matrix::new(&base);
    let mut left_out = Vec::new();
    for row in &table.rows {
        if let Err(problem) = matrix.add(row, table) {
            let what = format!("row {}: {}", quote(&row.label), problem.what);
            left_out.push(Problem { what, ..problem });
        }
    }
    let rows = table.rows.len() - left_out.len();
    if rows == 0 {
        let first = left_out.into_iter().next();
        return Err(first.unwrap_or_else(|| {
            Problem::without_place("there is no row of nptest")
                .help("a row begins, e.g., with `1 iperf TCP. Same VM using Pod IP`")
        }));
    }
    let origin = Origin {
        place: PathBuf::new(),
        name: source.to_owned(),
        description: json!({ "place": source, "format": "nptest" }),
        workers: Vec::new(),
    };
    let description = format!(
        "Imported from {source}: {} of nptest, which measures each cell for 10 s, TCP with 8 streams.",
        count(rows, "row")
    );
    let (plan, measurements) = matrix.finish(&base, description, modified);
    let run = ImportedRun::new(origin, &plan, measurements)?;
    Ok(Imported { run, left_out })
}

/// The rows of a table, by test.
struct Matrix<'p> {
    tests: &'p [Test],
    paths: Vec<&'p Path>,
    /// By position of the test in nptest's plan.
    found: IndexMap<usize, Found>,
}

/// The rows of a test.
#[derive(Default)]
struct Found {
    /// Positions of the paths in nptest's plan.
    paths: IndexSet<usize>,
    sizes: IndexSet<u64>,
    /// By path and swept size, the fields of the table.
    fields: IndexMap<(usize, Option<u64>), Vec<String>>,
}

impl<'p> Matrix<'p> {
    fn new(base: &'p PlanFile) -> Matrix<'p> {
        let paths = base.paths.iter().filter_map(|entry| match entry {
            PathEntry::Path(path) => Some(path),
            PathEntry::Mesh(_) => None,
        });
        Matrix {
            tests: &base.tests,
            paths: paths.collect(),
            found: IndexMap::new(),
        }
    }

    fn add(&mut self, row: &Row, table: &Table) -> Result<(), Problem> {
        let paths = self.paths.iter().enumerate();
        let tests = self.tests.iter().enumerate();
        let found = tests.flat_map(|test| paths.clone().map(move |path| (test, path)));
        let found = { found }.find(|((_, test), (_, path))| {
            let label = row.label.strip_prefix(&*test.label);
            label.and_then(|rest| rest.strip_prefix(' ')) == Some(&*path.label)
        });
        let Some(((test_position, test), (path, _))) = found else {
            let labels: Vec<&str> = self.tests.iter().map(|test| &*test.label).collect();
            return Err(Problem::without_place("netplan has no test for it")
                .help(format!("it imports rows of {}", some_of(&labels))));
        };
        let sizes = sizes(test, row.values.len(), &table.columns)?;
        let found = self.found.entry(test_position).or_default();
        found.paths.insert(path);
        for (size, value) in sizes.into_iter().zip(&row.values) {
            found.sizes.extend(size);
            let fields = found.fields.entry((path, size)).or_default();
            fields.push(value.clone());
        }
        Ok(())
    }

    /// The plan of the rows, and what became of its cells.
    fn finish(
        self,
        base: &PlanFile,
        description: String,
        at: Timestamp,
    ) -> (PlanFile, Measurements) {
        let used: BTreeSet<usize> = self
            .found
            .values()
            .flat_map(|found| found.paths.iter().copied())
            .collect();
        let used: Vec<usize> = used.into_iter().collect();
        let mut tests = Vec::new();
        let mut measurements = Measurements::new();
        for (position, found) in self.found {
            let Some(test) = self.tests.get(position) else {
                continue;
            };
            let paths = found.paths.iter().filter_map(|path| self.paths.get(*path));
            let paths = paths.map(|path| path.name.clone()).collect();
            for ((path, size), fields) in &found.fields {
                // A test without a sweep has the size of its plan.
                let size = size.or_else(|| test.tool.values(Param::Datagram.name())?.first());
                if let Ok(path) = used.binary_search(path) {
                    let of_cell = fields.iter().map(|field| measurement(test, field, at));
                    measurements.insert((tests.len(), path, size), of_cell.collect());
                }
            }
            tests.push(found.test(test, paths));
        }
        let paths = used.iter().filter_map(|path| self.paths.get(*path));
        let plan = PlanFile {
            description: Some(description),
            paths: paths
                .map(|path| PathEntry::Path(as_measured(path)))
                .collect(),
            tests,
            ..base.clone()
        };
        (plan, measurements)
    }
}

impl Found {
    /// The test with the paths and the sizes that were found.
    fn test(self, test: &Test, paths: Vec<String>) -> Test {
        let samples = self.fields.values().map(Vec::len).max().unwrap_or(1);
        let mut tool = test.tool.clone();
        if let (ToolSpec::BuiltIn(used), false) = (&mut tool, self.sizes.is_empty()) {
            let sizes = Sweep::List(self.sizes.into_iter().collect());
            *used = used
                .clone()
                .with(Param::Mss.name(), OptionValue::Numbers(sizes));
        }
        let mut timing = test.timing.clone();
        timing.repeat = Repeat::Times(u32::try_from(samples).unwrap_or(u32::MAX));
        Test {
            tool,
            paths,
            timing,
            ..test.clone()
        }
    }
}

/// The path with the ends that nptest's code measures.
fn as_measured(path: &Path) -> Path {
    let (name, from, to) = REMOTE_POD;
    if path.name != name {
        return path.clone();
    }
    Path {
        from: from.to_owned(),
        to: to.to_owned(),
        ..path.clone()
    }
}

/// The size of each value of a row: that of the header, or of nptest's own sweep where only this explains the row.
///
/// # Errors
/// When it is not known which value belongs to which size.
fn sizes(test: &Test, values: usize, columns: &[String]) -> Result<Vec<Option<u64>>, Problem> {
    let own = match test.tool.values(Param::Mss.name()) {
        Some(own) => own.values().collect::<Vec<u64>>(),
        None if values == 1 => return Ok(vec![None]),
        None => {
            let what = format!("it has {}, and nptest measures one", count(values, "value"));
            return Err(Problem::without_place(what).help("leave one value in the row"));
        }
    };
    let option = IPERF3.option(Param::Mss.name());
    let as_mss = |column: &String| {
        let size = column.parse().ok()?;
        option?.limits.contains(&size).then_some(size)
    };
    // The header may not be there, or be that of a row of another tool: qperf begins with 1 byte.
    let is_of_others =
        columns.len() != values && columns.first().is_none_or(|first| as_mss(first).is_none());
    if is_of_others && values == own.len() {
        return Ok(own.into_iter().map(Some).collect());
    }
    if columns.is_empty() {
        let what = format!(
            "it has {}, nptest measures {} sizes, and there is no header",
            count(values, "value"),
            own.len()
        );
        return Err(Problem::without_place(what).help(NEEDS_HEADER));
    }
    if let (Some(column), Some(option)) = (columns.iter().find(|it| as_mss(it).is_none()), option) {
        let what = format!(
            "the header has the MSS {}, and netplan has {} to {}",
            quote(column),
            option.limits.start(),
            option.limits.end()
        );
        return Err(Problem::without_place(what).help(NEEDS_HEADER));
    }
    if values == 0 || values > columns.len() {
        let what = format!(
            "it has {}, and the header has {}",
            count(values, "value"),
            count(columns.len(), "size")
        );
        return Err(Problem::without_place(what).help(NEEDS_HEADER));
    }
    Ok(columns.iter().take(values).map(as_mss).collect())
}

/// What a field says: a rate in Mbit/s, or a failure. nptest writes `0` for one, its fork `-1`.
fn measurement(test: &Test, field: &str, at: Timestamp) -> Measurement {
    let rate = field
        .parse::<f64>()
        .ok()
        .filter(|rate| rate.is_finite() && *rate > 0.0);
    let result = match rate {
        Some(mbit_per_s) => {
            let mut metrics = Metrics::default();
            metrics.set(name::THROUGHPUT_BPS, mbit_per_s * 1e6);
            let is_udp = test.tool.transport() == Some(Transport::Udp);
            let warnings = is_udp.then_some(Warning::SenderRate);
            Ok((metrics, warnings.into_iter().collect()))
        }
        None => Err(Failure {
            cause: Cause::RecordedAsFailure,
            words: field.chars().take(LONGEST_FIELD).collect(),
            note: String::new(),
        }),
    };
    Measurement {
        started: at,
        ended: at,
        wall_s: test.timing.duration.0.as_secs_f64(),
        result,
        raw: None,
    }
}

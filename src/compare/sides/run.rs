//! A run as a comparison sees it: what it ran on, how its tests measured, and the figures of its cells.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use jiff::Timestamp;

use crate::catalog::{ToolOption, name};
use crate::plan::{Family, OptionValue, Plan, Test, ToolSpec};
use crate::report::compared_metric as metric;
use crate::report::{CellReport, CellState, Report, baseline, labels};
use crate::results::{Configuration, MachineKey};
use crate::schedule::{CellId, Param};
use crate::statistics::judge::Scale;

/// A run as a comparison sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// What people call it, e.g. its folder's name.
    pub name: String,
    pub id: String,
    /// The plan's name.
    pub plan: String,
    pub began: Option<Timestamp>,
    pub machine: MachineKey,
    pub configuration: Configuration,
    /// By name, in the plan's order.
    pub tests: IndexMap<String, RunTest>,
    /// Each path that has a plain counterpart, with its name.
    pub counterparts: BTreeMap<String, String>,
    /// In the schedule's order.
    pub cells: IndexMap<CellId, RunCell>,
}

/// A test of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct RunTest {
    /// The metrics that decide about it.
    pub decisive: Vec<String>,
    /// How it measures, by name: two runs in which that differs measured something else.
    pub settings: BTreeMap<String, String>,
}

/// A cell of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct RunCell {
    pub test: String,
    pub path: String,
    /// Which address the path takes.
    pub via: &'static str,
    /// The address family, where the plan names it.
    pub family: Option<&'static str>,
    pub params: BTreeMap<Param, u64>,
    /// The MSS that the kernel had, in bytes, rounded.
    pub effective_mss: Option<String>,
    /// By metric; or why there are none.
    pub figures: Result<BTreeMap<String, f64>, String>,
}

impl Run {
    /// What a report has for a comparison. `name` is what people call the run.
    #[must_use]
    pub fn from_report(name: &str, report: &Report) -> Run {
        let plan = &report.plan;
        let path_name = |index: usize| plan.paths.get(index).map(|path| path.name.clone());
        let mut configuration = Configuration::from_environment(&report.environment);
        for test in &plan.tests {
            configuration.0.extend(other_settings(test));
        }
        let cells: IndexMap<CellId, RunCell> = report
            .cells
            .iter()
            .filter_map(|cell| Some((cell.id.clone(), run_cell(report, cell)?)))
            .collect();
        let tests = plan.tests.iter().map(|test| {
            let is_measured = |metric: &str| {
                let of_test = cells.values().filter(|cell| cell.test == test.name);
                let mut figures = of_test.filter_map(|cell| cell.figures.as_ref().ok());
                figures.any(|figures| figures.contains_key(metric))
            };
            let of_test = RunTest {
                decisive: metric::decisive(&test.tool.headline(), is_measured),
                settings: settings(test),
            };
            (test.name.clone(), of_test)
        });
        Run {
            name: name.to_owned(),
            id: report.run.clone(),
            plan: plan.name.clone(),
            began: report.span.map(|(first, _)| first),
            machine: MachineKey::from_environment(&report.environment),
            configuration,
            tests: tests.collect(),
            counterparts: baseline::counterparts(plan)
                .into_iter()
                .filter_map(|pair| Some((path_name(pair.path)?, path_name(pair.plain)?)))
                .chain(variant_paths(plan))
                .collect(),
            cells,
        }
    }
}

/// The paths under variants, each with the same path under the base.
fn variant_paths(plan: &Plan) -> impl Iterator<Item = (String, String)> {
    let paths = plan.paths.iter().filter(|path| path.variant > 0);
    paths.map(|path| (path.name.clone(), path.plain_name().to_owned()))
}

fn run_cell(report: &Report, cell: &CellReport) -> Option<RunCell> {
    let (_, test, path) = report.row(cell.row)?;
    let figures = match &cell.state {
        CellState::Measured | CellState::Partial => measured(cell, &test.tool.headline()),
        CellState::Failed(failure) => Err(format!("failed: {}", failure.cause)),
        CellState::Skipped(reason) => Err(format!("skipped: {reason}")),
        CellState::Missing => Err("not reached".to_owned()),
    };
    let effective_mss = cell.measured(name::EFFECTIVE_MSS);
    Some(RunCell {
        test: test.name.clone(),
        path: path.name.clone(),
        via: labels::via(path.via),
        family: path.family.map(Family::name),
        params: cell.params.0.iter().copied().collect(),
        effective_mss: effective_mss.map(|mss| format!("{:.0}", mss.mean)),
        figures,
    })
}

/// The figures of a cell that was measured. Without its headline there is nothing to compare; and a rate of 0
/// has no ratio to another.
fn measured(cell: &CellReport, headline: &str) -> Result<BTreeMap<String, f64>, String> {
    let figures = metric::figures(cell);
    let short = labels::short(headline);
    match figures.get(headline) {
        None => Err(format!("no {short} in its samples")),
        Some(value) if *value <= 0.0 && metric::scale(headline) == Scale::Log => {
            Err(format!("its {short} is {value}"))
        }
        Some(_) => Ok(figures),
    }
}

/// What two runs of a test have to have in common: the tool, its mode, how long a sample
/// measures.
fn settings(test: &Test) -> BTreeMap<String, String> {
    let mut settings = BTreeMap::from([
        ("tool".to_owned(), test.tool.name().to_owned()),
        ("duration".to_owned(), test.timing.duration.to_string()),
    ]);
    if let ToolSpec::BuiltIn(used) = &test.tool
        && let Some(key) = used.tool.mode_key
    {
        settings.insert(key.to_owned(), used.mode.word.to_owned());
    }
    settings
}

/// Options of a test that are possible causes of a difference: those that are not parameters of its cells, e.g. the
/// congestion control.
fn other_settings(test: &Test) -> Vec<(String, String)> {
    let ToolSpec::BuiltIn(used) = &test.tool else {
        return Vec::new();
    };
    let is_other = |option: &&ToolOption| {
        let is_parameter = Param::ALL.iter().any(|param| param.name() == option.name);
        option.is_for(used.mode) && !is_parameter
    };
    let others = used.tool.options.iter().filter(is_other);
    others
        .filter_map(|option| {
            let value = match used.options.get(option.name)? {
                OptionValue::Numbers(values) => values.first()?.to_string(),
                OptionValue::Name(name) => name.clone(),
                OptionValue::Flag(true) => "on".to_owned(),
                OptionValue::Flag(false) => "off".to_owned(),
            };
            Some((format!("{} of {}", option.name, test.name), value))
        })
        .collect()
}

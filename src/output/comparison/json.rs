//! A comparison as one JSON document; `docs/compare.schema.json` describes it.
//!
//! Stable: within a version fields are only added. Changes and limits are shares of 1 (of loss: percentage points
//! divided by 100); figures are in the unit that the metric's name carries.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::compare::document::{totals, verdict_line};
use crate::compare::{
    Comparison, Factor, Machines, Mark, Outcome, Pair, PathVerdict, Side, Subject, Unmatched,
    Versus, Why, document,
};
use crate::diag::json;
use crate::results::MachineKey;
use crate::results::environment::configuration::Difference;
use crate::statistics::judge::{Basis, LimitOutcome, Scale};
use jiff::Timestamp;

/// The version of this document, in it as `version`.
pub const VERSION: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    outcome: &'static str,
    undecided_fails: bool,
    base: SideOf<'a>,
    versus: Vec<VersusOf<'a>>,
    pairs: Vec<PairOf<'a>>,
}

#[derive(Serialize)]
struct SideOf<'a> {
    name: &'a str,
    runs: Vec<RunOf<'a>>,
}

#[derive(Serialize)]
struct RunOf<'a> {
    id: &'a str,
    name: &'a str,
    plan: &'a str,
    began: Option<Timestamp>,
    machine: &'a MachineKey,
    configuration: &'a BTreeMap<String, String>,
}

#[derive(Serialize)]
struct VersusOf<'a> {
    new: SideOf<'a>,
    outcome: &'static str,
    /// In a sentence each.
    verdict: String,
    totals: String,
    quotable: Option<String>,
    /// Whether figures are compared, or ratios of paths.
    compares: &'static str,
    machine_differences: Vec<MachineDifference<'a>>,
    configuration_differences: &'a [Difference],
    cells: usize,
    judged_cells: usize,
    verdicts: Vec<VerdictOf<'a>>,
    not_compared: Vec<NotCompared<'a>>,
    lost_metrics: Vec<SubjectOf<'a>>,
    lost_paths: Vec<LostPath<'a>>,
    common_factors: Vec<FactorOf<'a>>,
    marks: Vec<MarkOf<'a>>,
    marks_judged: usize,
}

#[derive(Serialize)]
struct MachineDifference<'a> {
    name: &'a str,
    base: &'a str,
    new: &'a str,
}

#[derive(Serialize)]
struct SubjectOf<'a> {
    test: &'a str,
    path: &'a str,
    /// The path that it is a ratio to.
    ratio_to: Option<&'a str>,
    metric: &'a str,
}

#[derive(Serialize)]
struct VerdictOf<'a> {
    #[serde(flatten)]
    subject: SubjectOf<'a>,
    answer: &'static str,
    /// Whether this fails the comparison.
    fails: bool,
    /// Why the answer is what it is, in a sentence.
    reason: String,
    scale: Scale,
    cells: usize,
    base: f64,
    new: f64,
    change: f64,
    /// The corrected interval of the change; null without an estimate of the spread.
    interval: Option<Interval>,
    p_corrected: Option<f64>,
    /// Where the spread is known from.
    basis: Option<Basis>,
    /// Changes in it are alike.
    alike_within: Interval,
    /// The smallest slowdown that would have been found with a probability of 90 %.
    would_have_found: Option<f64>,
    limit: Option<LimitOf>,
}

#[derive(Serialize)]
struct Interval {
    low: f64,
    high: f64,
}

#[derive(Serialize)]
struct LimitOf {
    limit: f64,
    outcome: LimitOutcome,
    p_corrected: Option<f64>,
    would_have_found: Option<f64>,
}

#[derive(Serialize)]
struct NotCompared<'a> {
    cell: &'a str,
    test: &'a str,
    path: &'a str,
    /// `lost`, `not_in_base` or `measured_differently`.
    why: &'static str,
    reason: String,
}

#[derive(Serialize)]
struct LostPath<'a> {
    test: &'a str,
    path: &'a str,
}

#[derive(Serialize)]
struct FactorOf<'a> {
    metric: &'a str,
    factor: f64,
    paths: usize,
}

#[derive(Serialize)]
struct MarkOf<'a> {
    #[serde(flatten)]
    subject: SubjectOf<'a>,
    /// The single cell; null for all cells of the path.
    cell: Option<&'a str>,
    change: f64,
    worse: bool,
    p_corrected: f64,
}

#[derive(Serialize)]
struct PairOf<'a> {
    one: &'a str,
    two: &'a str,
    judged: usize,
    told_apart_by: Vec<SubjectOf<'a>>,
}

/// The comparison as JSON, with a newline at its end.
///
/// # Errors
/// Never: it writes into memory. The signature keeps the writer's own words.
pub fn render(comparison: &Comparison) -> Result<String, serde_json::Error> {
    let document = Document {
        version: VERSION,
        outcome: outcome(comparison.outcome()),
        undecided_fails: comparison.options.undecided_fails,
        base: side(&comparison.base),
        versus: comparison
            .versus
            .iter()
            .map(|it| versus(comparison, it))
            .collect(),
        pairs: comparison.pairs.iter().map(pair).collect(),
    };
    Ok(json::to_string_pretty(&document)? + "\n")
}

fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Well => "well",
        Outcome::CellsLost => "cells_lost",
        Outcome::Worse => "worse",
    }
}

fn side(side: &Side) -> SideOf<'_> {
    let runs = side.runs.iter().map(|run| RunOf {
        id: &run.id,
        name: &run.name,
        plan: &run.plan,
        began: run.began,
        machine: &run.machine,
        configuration: &run.configuration.0,
    });
    SideOf {
        name: &side.name,
        runs: runs.collect(),
    }
}

fn versus<'a>(comparison: &'a Comparison, it: &'a Versus) -> VersusOf<'a> {
    let failing: Vec<usize> = comparison.failing(it).collect();
    let (compares, differences) = match &it.machines {
        Machines::Same => ("figures", &[][..]),
        Machines::Different(differences) => ("ratios", differences.as_slice()),
    };
    let machine_differences = differences
        .iter()
        .map(|(name, base, new)| MachineDifference { name, base, new });
    let verdicts = it.verdicts.iter().enumerate();
    VersusOf {
        new: side(&it.new),
        outcome: outcome(comparison.outcome_of(it)),
        verdict: verdict_line(comparison, it),
        totals: totals(it),
        quotable: document::quotable(comparison, it),
        compares,
        machine_differences: machine_differences.collect(),
        configuration_differences: &it.configuration,
        cells: it.matching.total(),
        judged_cells: it.matching.cells.len(),
        verdicts: verdicts
            .map(|(nth, of)| verdict(of, failing.contains(&nth)))
            .collect(),
        not_compared: it.matching.unmatched.iter().map(not_compared).collect(),
        lost_metrics: it.lost_metrics.iter().map(subject).collect(),
        lost_paths: it
            .lost_paths
            .iter()
            .map(|(test, path)| LostPath { test, path })
            .collect(),
        common_factors: it.factors.iter().map(factor).collect(),
        marks: it.marks.iter().map(mark).collect(),
        marks_judged: it.marks_judged,
    }
}

fn subject(subject: &Subject) -> SubjectOf<'_> {
    SubjectOf {
        test: &subject.test,
        path: &subject.path,
        ratio_to: subject.plain.as_deref(),
        metric: &subject.metric,
    }
}

fn verdict(it: &PathVerdict, fails: bool) -> VerdictOf<'_> {
    let (base, new) = it.figures();
    let judgement = &it.judgement;
    let estimate = judgement.estimate;
    let interval = it.interval().map(|(low, high)| Interval { low, high });
    let share = |change| it.question.scale.to_share(change);
    VerdictOf {
        subject: subject(&it.subject),
        answer: judgement.answer.name(),
        fails,
        reason: document::reason(it),
        scale: it.question.scale,
        cells: it.cells,
        base,
        new,
        change: it.change(),
        interval,
        p_corrected: estimate.map(|estimate| estimate.p_adjusted),
        basis: estimate.map(|estimate| estimate.basis),
        alike_within: Interval {
            low: share(judgement.alike_within.low),
            high: share(judgement.alike_within.high),
        },
        would_have_found: estimate.map(|estimate| estimate.detectable),
        limit: judgement.limit.map(|limit| LimitOf {
            limit: limit.limit,
            outcome: limit.outcome,
            p_corrected: limit.p_adjusted,
            would_have_found: limit.detectable,
        }),
    }
}

fn not_compared(it: &Unmatched) -> NotCompared<'_> {
    let (why, reason) = match &it.why {
        Why::Lost { reason, .. } => ("lost", reason.clone()),
        Why::NotInBase(reason) => ("not_in_base", reason.clone()),
        Why::MeasuredDifferently { what, base, new } => {
            ("measured_differently", format!("{what}: {base} and {new}"))
        }
    };
    NotCompared {
        cell: &it.cell.0,
        test: &it.test,
        path: &it.path,
        why,
        reason,
    }
}

fn factor(it: &Factor) -> FactorOf<'_> {
    FactorOf {
        metric: &it.metric,
        factor: it.value,
        paths: it.paths,
    }
}

fn mark(it: &Mark) -> MarkOf<'_> {
    MarkOf {
        subject: subject(&it.subject),
        cell: it.cell.as_ref().map(|cell| &*cell.0),
        change: it.change,
        worse: it.is_worse,
        p_corrected: it.p_adjusted,
    }
}

fn pair(it: &Pair) -> PairOf<'_> {
    PairOf {
        one: &it.one,
        two: &it.two,
        judged: it.judged,
        told_apart_by: it.told_apart.iter().map(subject).collect(),
    }
}

//! JUnit XML, which CI servers show as tests: a suite for each test of the plan, in it a case for
//! each expectation, and one for each cell without an expectation.
//!
//! A failure is an expectation that fell short; an error a cell that has no figure though it should
//! (it failed, or the run did not come to it); skipped is a cell that was skipped, and an expectation
//! that is undecided, unless that is to count as a failure. What a search found at the highest rate
//! that the plan allows is in `system-out`.

use std::collections::HashMap;
use std::time::Duration;

use quick_junit::{
    NonSuccessKind, Report as Suites, SerializeError, TestCase, TestCaseStatus, TestSuite,
};

use crate::diag::printable::lines;
use crate::report::gate::{self, Judgement, Verdict};
use crate::report::gate_text;
use crate::report::{CellReport, CellState, Report};
use crate::schedule::search::Found;

/// The report as JUnit XML.
///
/// # Errors
/// Never: it writes into memory. The signature keeps the writer's own words.
pub fn render(report: &Report, undecided_fails: bool) -> Result<String, SerializeError> {
    let judgements = gate::judge(report);
    let mut by_cell: HashMap<&str, Vec<&Judgement<'_>>> = HashMap::new();
    for judgement in &judgements {
        let id = judgement.cell.id.0.as_str();
        by_cell.entry(id).or_default().push(judgement);
    }
    let mut suites = Suites::new(&*lines(&format!("netplan {}", report.plan.name)));
    if let Some(seconds) = report.elapsed_s() {
        suites.set_time(duration(seconds));
    }
    for (test, cells) in report.plan.tests.iter().zip(report.cells_by_test()) {
        let mut suite = TestSuite::new(&*lines(&test.name));
        let mut time = 0.0;
        for cell in cells {
            let tool = test.tool.name();
            let seconds: f64 = cell.samples.iter().map(|sample| sample.wall_s).sum();
            time += seconds;
            let class = format!("{}.{}", report.plan.name, test.name);
            let mut add = |name: String, status| {
                let mut case = TestCase::new(&*lines(&name), status);
                case.set_classname(&*lines(&class))
                    .set_time(duration(seconds));
                // In addition to a verdict: a search that ended at its bound has not failed.
                if let Some(note) = cell.found.and_then(Found::at_bound_text) {
                    case.set_system_out(format!("found {note}"));
                }
                suite.add_test_case(case);
            };
            match by_cell.get(cell.id.0.as_str()) {
                None => add(cell.id.0.clone(), of_cell(cell, tool)),
                Some(of_it) => {
                    for judgement in of_it {
                        let name = format!("{}: {}", cell.id.0, gate_text::expected(judgement));
                        add(name, of_judgement(judgement, tool, undecided_fails));
                    }
                }
            }
        }
        if !suite.test_cases.is_empty() {
            suite.set_time(duration(time));
            suites.add_test_suite(suite);
        }
    }
    suites.to_string()
}

fn duration(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}

fn of_cell(cell: &CellReport, tool: &str) -> TestCaseStatus {
    match &cell.state {
        CellState::Measured => TestCaseStatus::success(),
        CellState::Failed(failure) => non_success(
            NonSuccessKind::Error,
            failure.cause.name(),
            &format!("the cell failed: {}", failure.cause),
            &failure.text(tool),
        ),
        CellState::Skipped(reason) => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(&*lines(reason));
            status
        }
        CellState::Partial => non_success(
            NonSuccessKind::Error,
            "partial",
            "the run ended before the cell had all its samples",
            "",
        ),
        CellState::Missing => non_success(
            NonSuccessKind::Error,
            "missing",
            "the run did not come to this cell",
            "",
        ),
    }
}

fn of_judgement(judgement: &Judgement<'_>, tool: &str, undecided_fails: bool) -> TestCaseStatus {
    let verdict = judgement.verdict;
    let sentence = gate_text::sentence(judgement);
    match verdict {
        Verdict::Pass => TestCaseStatus::success(),
        Verdict::Undecided if !undecided_fails => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(&*lines(&format!("undecided: {sentence}")));
            status
        }
        Verdict::Undecided | Verdict::Fail => {
            non_success(NonSuccessKind::Failure, verdict.name(), &sentence, "")
        }
        Verdict::NotMeasured => {
            let reported = match &judgement.cell.state {
                CellState::Failed(failure) => failure.text(tool),
                _ => String::new(),
            };
            non_success(NonSuccessKind::Error, verdict.name(), &sentence, &reported)
        }
    }
}

fn non_success(
    kind: NonSuccessKind,
    r#type: &str,
    message: &str,
    reported: &str,
) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_type(r#type).set_message(&*lines(message));
    if !reported.is_empty() {
        status.set_description(&*lines(reported));
    }
    status
}

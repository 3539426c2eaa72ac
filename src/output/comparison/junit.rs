//! A comparison as JUnit XML: a suite for each side, in it a case for each answer that decides, and one for each
//! cell that was lost.
//!
//! A failure is what fails the comparison; an error a cell without a figure; skipped is an undecided answer, unless
//! that is to fail.

use quick_junit::{
    NonSuccessKind, Report as Suites, SerializeError, TestCase, TestCaseStatus, TestSuite,
};

use crate::compare::document::{reason, subject_text, totals, verdict_line};
use crate::compare::{Comparison, PathVerdict, Versus, Why};
use crate::diag::printable::lines;

/// The comparison as JUnit XML.
///
/// # Errors
/// Never: it writes into memory. The signature keeps the writer's own words.
pub fn render(comparison: &Comparison) -> Result<String, SerializeError> {
    let name = format!("netplan compare with {}", comparison.base.name);
    let mut suites = Suites::new(&*lines(&name));
    for versus in &comparison.versus {
        suites.add_test_suite(suite(comparison, versus));
    }
    suites.to_string()
}

fn suite(comparison: &Comparison, versus: &Versus) -> TestSuite {
    let mut suite = TestSuite::new(&*lines(&versus.new.name));
    let failing: Vec<usize> = comparison.failing(versus).collect();
    for (nth, verdict) in versus.verdicts.iter().enumerate() {
        let status = status(verdict, failing.contains(&nth));
        let class = format!("{}.{}", versus.new.name, verdict.subject.test);
        let mut case = TestCase::new(&*lines(&subject_text(&verdict.subject)), status);
        case.set_classname(&*lines(&class));
        case.set_system_out(&*lines(&reason(verdict)));
        suite.add_test_case(case);
    }
    let lost = versus.matching.lost().map(|cell| {
        let why = match &cell.why {
            Why::Lost { reason, .. } => reason.as_str(),
            Why::NotInBase(_) | Why::MeasuredDifferently { .. } => "",
        };
        (cell.cell.0.clone(), cell.test.clone(), why.to_owned())
    });
    let metrics = versus.lost_metrics.iter().map(|subject| {
        let why = "no cell has it in all runs".to_owned();
        (subject_text(subject), subject.test.clone(), why)
    });
    for (name, test, why) in lost.chain(metrics) {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
        status.set_type("lost").set_message(&*lines(&why));
        let mut case = TestCase::new(&*lines(&name), status);
        case.set_classname(&*lines(&format!("{}.{test}", versus.new.name)));
        suite.add_test_case(case);
    }
    let sum = format!("{}\n{}", verdict_line(comparison, versus), totals(versus));
    suite.set_system_out(&*lines(&sum));
    suite
}

fn status(verdict: &PathVerdict, fails: bool) -> TestCaseStatus {
    let answer = verdict.judgement.answer;
    if fails {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        status
            .set_type(answer.name())
            .set_message(&*lines(&reason(verdict)));
        status
    } else if answer.is_undecided() {
        let mut status = TestCaseStatus::skipped();
        status.set_message(&*lines(&reason(verdict)));
        status
    } else {
        TestCaseStatus::success()
    }
}

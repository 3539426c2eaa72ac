//! A comparison as GitHub's workflow commands: errors for what fails it and for lost cells, warnings for what is
//! undecided or different, a notice that sums up. The worst come first.

use crate::compare::document::{reason, subject_text, totals, verdict_line};
use crate::compare::{Comparison, Machines, Outcome, PathVerdict, Versus, Why, document};
use crate::output::ci::github::command;
use crate::statistics::judge::LimitOutcome;

/// So many cells are named of each side.
const CELLS: usize = 5;

/// The comparison as workflow commands, a line each.
#[must_use]
pub fn render(comparison: &Comparison) -> String {
    let sides = comparison.versus.iter();
    sides.map(|versus| one(comparison, versus)).collect()
}

fn one(comparison: &Comparison, versus: &Versus) -> String {
    let mut text = String::new();
    let failing: Vec<usize> = comparison.failing(versus).collect();
    let line = |level: &str, verdict: &PathVerdict| {
        let limit = verdict.judgement.limit.map(|limit| limit.outcome);
        let answer = match limit {
            Some(LimitOutcome::Beyond) => "worse than the limit",
            _ => verdict.judgement.answer.name(),
        };
        let title = format!("{answer}: {}", subject_text(&verdict.subject));
        command(level, &title, &reason(verdict))
    };
    text.extend(
        failing
            .iter()
            .filter_map(|nth| Some(line("error", versus.verdicts.get(*nth)?))),
    );
    let mut lost = versus.matching.lost();
    for cell in lost.by_ref().take(CELLS) {
        if let Why::Lost { reason, .. } = &cell.why {
            text += &command("error", &format!("lost: {}", cell.cell.0), reason);
        }
    }
    let more = lost.count();
    if more > 0 {
        text += &command(
            "error",
            "lost",
            &format!("{more} more cells have no figure"),
        );
    }
    for subject in &versus.lost_metrics {
        text += &command(
            "error",
            "lost",
            &format!("no figure of {}", subject_text(subject)),
        );
    }
    let others = versus.verdicts.iter().enumerate();
    let others =
        others.filter(|(nth, it)| it.judgement.answer.is_undecided() && !failing.contains(nth));
    text.extend(others.map(|(_, verdict)| line("warning", verdict)));
    if let Machines::Different(_) = versus.machines {
        text += &command(
            "warning",
            "different machines",
            "ratios of paths are compared instead of figures",
        );
    }
    let level = match comparison.outcome_of(versus) {
        Outcome::Well => "notice",
        Outcome::CellsLost => "warning",
        Outcome::Worse => "error",
    };
    let mut sum = format!("{}\n{}", verdict_line(comparison, versus), totals(versus));
    if let Some(quotable) = document::quotable(comparison, versus) {
        sum = format!("{sum}\n{quotable}");
    }
    let title = format!("{} compared with {}", versus.new.name, comparison.base.name);
    // First: GitHub shows only so many annotations of a step.
    command(level, &title, &sum) + &text
}

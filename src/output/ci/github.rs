//! GitHub's workflow commands: a line each for what a person should see on the run's page. Errors
//! for expectations that fell short and cells that failed, warnings for what is undecided or
//! carries a warning, notices for searches that ended at the plan's bound, and one that sums up.
//!
//! GitHub shows ten errors and ten warnings of a step; the worst come first.

use std::collections::HashSet;

use crate::diag::printable;
use crate::report::gate::{self, Tally, Verdict};
use crate::report::gate_text;
use crate::report::summary;
use crate::report::warnings::Warnings;
use crate::report::{CellState, Report};
use crate::schedule::CellId;
use crate::schedule::search::Found;

/// The report as workflow commands, a line each.
#[must_use]
pub fn render(report: &Report, undecided_fails: bool) -> String {
    let judgements = gate::judge(report);
    let mut text = String::new();
    let mut of_verdict = |verdict: Verdict, level: &str| {
        for judgement in judgements.iter().filter(|j| j.verdict == verdict) {
            let title = format!("{}: {}", gate_text::word(verdict), judgement.cell.id.0);
            text += &command(level, &title, &gate_text::sentence(judgement));
        }
    };
    of_verdict(Verdict::Fail, "error");
    of_verdict(Verdict::NotMeasured, "error");
    let level = if undecided_fails { "error" } else { "warning" };
    of_verdict(Verdict::Undecided, level);
    let judged: HashSet<&CellId> = judgements.iter().map(|j| &j.cell.id).collect();
    for cell in &report.cells {
        // An expectation of it is in the list already.
        if judged.contains(&cell.id) {
            continue;
        }
        match &cell.state {
            CellState::Failed(failure) => {
                let tool = report.row(cell.row).map(|(_, test, _)| test.tool.name());
                let words = failure.text(tool.unwrap_or_default());
                let message = format!("{}\n{words}", failure.cause);
                text += &command("error", &format!("failed: {}", cell.id.0), message.trim());
            }
            CellState::Skipped(reason) => {
                text += &command("warning", &format!("skipped: {}", cell.id.0), reason);
            }
            CellState::Measured | CellState::Partial | CellState::Missing => {}
        }
    }
    for cell in &report.cells {
        if let Some(note) = cell.found.and_then(Found::at_bound_text) {
            let title = format!("more may be possible: {}", cell.id.0);
            text += &command("notice", &title, &format!("found {note}"));
        }
    }
    for (title, figures) in Warnings::from_report(report).in_short() {
        text += &command("warning", title, &figures);
    }
    for damage in summary::damage(report) {
        text += &command("warning", "damaged results", &damage);
    }
    if let Some(partial) = summary::partial(report) {
        text += &command("error", "partial", &partial);
    }
    let mut totals = summary::totals(report);
    if !judgements.is_empty() {
        totals = format!("{totals}; {}", gate_text::totals(Tally::new(&judgements)));
    }
    text + &command("notice", &format!("netplan {}", report.plan.name), &totals)
}

/// `::error title=…::message`, with what would end them escaped.
pub(in super::super) fn command(level: &str, title: &str, message: &str) -> String {
    format!("::{level} title={}::{}\n", property(title), data(message))
}

/// Safe to show, and escaped as the runner unescapes it: `%`, and the ends of lines.
fn data(text: &str) -> String {
    printable::lines(text)
        .replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// The same, and what ends a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::printable::tests::hostile;
    use proptest::prelude::*;

    /// What GitHub's runner makes of a command (`ActionCommand.cs`: properties, then data).
    fn read(line: &str) -> Option<(String, String, String)> {
        let rest = line.strip_prefix("::")?;
        let (head, message) = rest.split_once("::")?;
        let (level, property) = head.split_once(' ')?;
        let title = property.strip_prefix("title=")?;
        let back = |text: &str| {
            text.replace("%0D", "\r")
                .replace("%0A", "\n")
                .replace("%3A", ":")
                .replace("%2C", ",")
                .replace("%25", "%")
        };
        let message = message
            .replace("%0D", "\r")
            .replace("%0A", "\n")
            .replace("%25", "%");
        Some((level.to_owned(), back(title), message))
    }

    proptest! {
        #[test]
        fn any_text_comes_through_on_one_line(title in hostile(), message in hostile()) {
            let line = command("error", &title, &message);
            prop_assert!(!line.contains(printable::is_unsafe), "{:?}", line);
            let [title, message] = [title, message].map(|text| printable::lines(&text).into_owned());
            prop_assert_eq!(line.matches(['\n', '\r']).count(), 1);
            let read = read(line.trim_end_matches('\n'));
            prop_assert_eq!(read, Some(("error".to_owned(), title, message)));
        }
    }
}

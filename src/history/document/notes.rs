//! Notes of what was found, of configuration changes and of accepted changes.

use super::names::{run_name, series_title, share, sign};
use crate::diag::{self, shell_word};
use crate::history::change::{Direction, Kind, Status};
use crate::history::finding::Finding;
use crate::history::judge::JudgedTimeline;
use crate::history::series::Mark;
use crate::report::document::{Block, Note, Notes, Paragraph, Span};

/// So many of a finding's series are named.
const NAMED: usize = 8;

/// Nothing without notes.
pub fn notes(notes: Vec<Note>) -> Option<Block> {
    (!notes.is_empty()).then(|| {
        Block::Notes(Notes {
            title: String::new(),
            notes,
        })
    })
}

pub fn note(mark: Span, text: Paragraph) -> Note {
    Note {
        mark,
        text,
        ..Note::default()
    }
}

/// `accept_options` are those that `netplan history accept` needs for these runs.
pub fn finding(judged: &JudgedTimeline, finding: &Finding, accept_options: &str) -> Note {
    let (sign, meaning) = sign(finding.direction, finding.status);
    let run = run_name(judged, finding.run);
    let word = finding.direction.name();
    let after = finding
        .members
        .iter()
        .map(|(_, change)| change.after)
        .max()
        .unwrap_or(0);
    let after = diag::count(after, "run");
    let what = match (finding.kind, finding.status) {
        (Kind::Drift, _) => format!("{word} little by little since {run}, over {after}"),
        (_, Status::Recovered) => format!("{word} from {run} on, and back since"),
        (_, Status::Suspected) => format!("suspected: {word} since {run}, with {after} so far"),
        (_, Status::Confirmed) => format!("{word} since {run}, over {after}"),
    };
    let count = finding.members.len();
    let text = format!("{what}: {count} series");
    let named = finding
        .members
        .iter()
        .take(NAMED)
        .filter_map(|(at, change)| {
            let name = &judged.timeline.series.get(*at)?.name;
            Some(format!(
                "{} {}: {}",
                name.test,
                series_title(name),
                share(change)
            ))
        });
    let mut details: Vec<String> = named.collect();
    if count > NAMED {
        details.push(format!("and {} more, in the table", count - NAMED));
    }
    let has_figures = finding.members.iter().any(|(at, _)| {
        let series = judged.timeline.series.get(*at);
        series.is_some_and(|it| it.name.relative_to.is_none())
    });
    let judges_ratios = judged
        .timeline
        .series
        .iter()
        .any(|it| it.name.relative_to.is_some());
    if has_figures && judges_ratios && !finding.has_ratios {
        details
            .push("no ratio to a plain path changed: the cause is common to all paths".to_owned());
    }
    let marks = judged.timeline.marks.iter().filter(|mark| {
        // Where it happened is known to within a run or two.
        finding.kind == Kind::Step && mark.run.abs_diff(finding.run) <= 1
    });
    details.extend(marks.map(|mark| {
        format!(
            "the configuration changed at {}: {}",
            run_name(judged, mark.run),
            differences(mark)
        )
    }));
    let is_open = finding.direction == Direction::Slower && finding.status != Status::Recovered;
    let id = judged
        .timeline
        .runs
        .get(finding.run)
        .map(|run| run.id.as_str());
    let advice = id.filter(|_| is_open).map(|id| {
        let id = shell_word(id);
        format!(
            "if this is as it should be: netplan history accept {id} --because TEXT{accept_options}"
        )
    });
    Note {
        anchor: None,
        mark: Span::new(meaning, sign),
        text: vec![Span::new(meaning, text)],
        details: details
            .into_iter()
            .map(|text| vec![Span::plain(text)])
            .collect(),
        advice: advice.map(Span::plain),
    }
}

pub fn mark(judged: &JudgedTimeline, mark: &Mark) -> Note {
    let text = format!("{}: {}", run_name(judged, mark.run), differences(mark));
    note(Span::plain("·"), vec![Span::plain(text)])
}

/// `kernel 6.1 → 6.18, MTU 1500 → 9000`.
fn differences(mark: &Mark) -> String {
    let differences = mark.differences.iter().map(|difference| {
        let values = [&difference.base, &difference.new].map(|values| {
            let values: Vec<&str> = values.iter().map(String::as_str).collect();
            values.join(", ")
        });
        format!("{} {}", difference.name, values.join(" → "))
    });
    differences.collect::<Vec<_>>().join("; ")
}

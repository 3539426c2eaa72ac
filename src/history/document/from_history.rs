//! The history as a document: findings, the series that changed, and the others folded.

use super::names::run_name;
use super::notes::{finding, mark, note, notes};
use super::tables::tables;
use crate::diag;
use crate::history::change::{Direction, Status};
use crate::history::judge::{History, JudgedTimeline};
use crate::history::moves::LEAST_BASE;
use crate::history::series::{Series, TimelineRun};
use crate::report::document::{
    Block, Document, Fold, Level, Meaning, Note, Notes, Paragraph, Span,
};

impl Document {
    /// All that a person wants to know of a history. `accept_options` are those that `netplan history accept` needs for
    /// these runs, each after a space, e.g. ` --in nightly`.
    #[must_use]
    pub fn from_history(history: &History, accept_options: &str) -> Document {
        let mut blocks = vec![Block::Heading {
            level: Level::Document,
            title: title(history),
        }];
        let timelines = history.timelines.iter();
        blocks.extend(timelines.flat_map(|judged| timeline(judged, accept_options)));
        let unknown = history.unknown_acceptances.iter().map(|acceptance| {
            let text = format!(
                "a change at run {} is accepted, and no such run is here: {}",
                acceptance.run, acceptance.because
            );
            note(Span::new(Meaning::Warning, "!"), vec![Span::plain(text)])
        });
        blocks.extend(notes(unknown.collect()));
        blocks.push(Block::Text(totals(history)));
        Document { blocks }
    }
}

fn title(history: &History) -> String {
    let runs = || history.timelines.iter().flat_map(|it| &it.timeline.runs);
    let count = diag::count(runs().count(), "run");
    let days = |run: &TimelineRun| run.started.strftime("%Y-%m-%d").to_string();
    let (first, last) = (
        runs().min_by_key(|it| it.started),
        runs().max_by_key(|it| it.started),
    );
    match first.zip(last) {
        Some((first, last)) => format!("history · {count} · {} to {}", days(first), days(last)),
        None => format!("history · {count}"),
    }
}

/// A section for a machine.
fn timeline(judged: &JudgedTimeline, accept_options: &str) -> Vec<Block> {
    let timeline = &judged.timeline;
    let mut blocks = vec![
        Block::Heading {
            level: Level::Section,
            title: timeline.machine.to_string(),
        },
        Block::Text(vec![vec![Span::plain(about(judged))]]),
    ];
    blocks.extend(notes(
        judged
            .findings
            .iter()
            .map(|it| finding(judged, it, accept_options))
            .collect(),
    ));
    let all = || timeline.series.iter().zip(&judged.series);
    let (changed, others): (Vec<_>, Vec<_>) = all().partition(|(_, it)| !it.changes.is_empty());
    if !changed.is_empty() {
        blocks.extend(tables(judged, &changed));
    }
    let mut fold = |title: String, folded: Vec<Block>| {
        blocks.push(Block::Fold(Fold {
            title,
            blocks: folded,
        }));
    };
    if !others.is_empty() {
        let title = format!("{} series without a change", others.len());
        fold(title, tables(judged, &others));
    }
    let marks: Vec<Note> = timeline.marks.iter().map(|it| mark(judged, it)).collect();
    if !marks.is_empty() {
        let title = diag::count(marks.len(), "change") + " of the configuration";
        let marks = Notes {
            title: String::new(),
            notes: marks,
        };
        fold(title, vec![Block::Notes(marks)]);
    }
    let accepted = judged.accepted.iter().map(|(run, acceptance)| {
        let text = format!(
            "accepted at {}: {}",
            run_name(judged, *run),
            acceptance.because
        );
        note(Span::plain("="), vec![Span::plain(text)])
    });
    blocks.extend(notes(accepted.collect()));
    blocks
}

/// How much was looked at, and what was not.
fn about(judged: &JudgedTimeline) -> String {
    let timeline = &judged.timeline;
    let is_short = |series: &&Series| series.points.len() <= LEAST_BASE;
    let short = timeline.series.iter().filter(is_short).count();
    let mut parts = vec![format!(
        "{} series of {}",
        timeline.series.len(),
        diag::count(timeline.runs.len(), "run")
    )];
    if short > 0 {
        let needed = LEAST_BASE + 1;
        parts.push(format!(
            "{short} with fewer than {needed} runs are not judged yet"
        ));
    }
    if timeline.ended > 0 {
        parts.push(format!(
            "{} ended: renamed, changed or not measured lately",
            timeline.ended
        ));
    }
    if timeline.incomplete > 0 {
        let values = diag::count(timeline.incomplete, "value");
        parts.push(format!(
            "{values} left out because cells of the path failed or are missing"
        ));
    }
    parts.join("; ")
}

/// A share in percent, without the digits that the multiplication adds: 0.07 is `7 %`.
fn percent(share: f64) -> String {
    let percent = (share * 1e8).round() / 1e6;
    format!("{percent} %")
}

/// What there is in total, and how it was judged.
fn totals(history: &History) -> Vec<Paragraph> {
    let findings = || history.timelines.iter().flat_map(|it| &it.findings);
    let count = |direction, status| {
        findings()
            .filter(|it| (it.direction, it.status) == (direction, status))
            .count()
    };
    let slower = [Status::Confirmed, Status::Suspected].map(|it| count(Direction::Slower, it));
    let faster = [Status::Confirmed, Status::Suspected].map(|it| count(Direction::Faster, it));
    let faster: usize = faster.iter().sum();
    let (meaning, text) = match slower {
        [0, 0] => (Meaning::Good, "no slowdown".to_owned()),
        [0, suspected] => (
            Meaning::Warning,
            diag::count(suspected, "suspected slowdown"),
        ),
        [confirmed, 0] => (Meaning::Failed, diag::count(confirmed, "slowdown")),
        [confirmed, suspected] => {
            let text = format!(
                "{}, and {suspected} suspected",
                diag::count(confirmed, "slowdown")
            );
            (Meaning::Failed, text)
        }
    };
    let text = match faster {
        0 => text,
        faster => format!("{text}; {}", diag::count(faster, "speedup")),
    };
    let series: usize = history.timelines.iter().map(|it| it.series.len()).sum();
    let settings = &history.settings;
    let smallest = match settings.minimum {
        Some(minimum) => percent(minimum),
        None => "3 % (of a latency 5 %)".to_owned(),
    };
    let about = format!(
        "judged {series} series; changes below {smallest} are not reported; {} of those reported may be chance",
        percent(settings.false_share)
    );
    vec![
        vec![Span::new(meaning, text)],
        vec![Span::new(Meaning::Dim, about)],
    ]
}

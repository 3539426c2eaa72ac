//! The history as a document: findings, the series that changed, and the others folded.

use indexmap::IndexMap;

use super::change::{Change, Direction, JudgedSeries, Kind, Status};
use super::finding::Finding;
use super::judge::{History, JudgedTimeline};
use super::moves::LEAST_BASE;
use super::series::{Mark, Series, SeriesName, TimelineRun};
use crate::diag;
use crate::report::document::number_format::NumberFormat;
use crate::report::document::{
    Block, Cell, Column, Document, Fold, Level, Meaning, Note, Notes, Paragraph, Span, Table,
};
use crate::report::labels;

/// So many of the last values are drawn.
const DRAWN: usize = 20;
/// So many of a finding's series are named.
const NAMED: usize = 8;

impl Document {
    /// All that a person wants to know of a history.
    #[must_use]
    pub fn from_history(history: &History) -> Document {
        let mut blocks = vec![Block::Heading {
            level: Level::Document,
            title: title(history),
        }];
        blocks.extend(history.timelines.iter().flat_map(timeline));
        let unknown = history.unknown_acceptances.iter().map(|acceptance| {
            let text = format!(
                "a change at run {} is accepted, and no such run is here: {}",
                acceptance.run, acceptance.because
            );
            note(Span::new(Meaning::Warning, "!"), vec![Span::plain(text)])
        });
        blocks.extend(notes("", unknown.collect()));
        blocks.push(Block::Text(totals(history)));
        Document { blocks }
    }
}

fn title(history: &History) -> String {
    let runs = || history.timelines.iter().flat_map(|it| &it.timeline.runs);
    let mut title = format!("history · {}", diag::count(runs().count(), "run"));
    let days = |run: &TimelineRun| run.started.strftime("%Y-%m-%d").to_string();
    let (first, last) = (
        runs().min_by_key(|it| it.started),
        runs().max_by_key(|it| it.started),
    );
    if let Some((first, last)) = first.zip(last) {
        title += &format!(" · {} to {}", days(first), days(last));
    }
    title
}

/// A section for a machine.
fn timeline(judged: &JudgedTimeline) -> Vec<Block> {
    let timeline = &judged.timeline;
    let mut blocks = vec![
        Block::Heading {
            level: Level::Section,
            title: timeline.machine.to_string(),
        },
        Block::Text(vec![vec![Span::plain(about(judged))]]),
    ];
    blocks.extend(notes(
        "",
        judged
            .findings
            .iter()
            .map(|it| finding(judged, it))
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
    blocks.extend(notes("", accepted.collect()));
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
            "{short} with less than {needed} runs are not judged yet"
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

fn notes(title: &str, notes: Vec<Note>) -> Option<Block> {
    (!notes.is_empty()).then(|| {
        Block::Notes(Notes {
            title: title.to_owned(),
            notes,
        })
    })
}

fn note(mark: Span, text: Paragraph) -> Note {
    Note {
        mark,
        text,
        ..Note::default()
    }
}

/// What a finding is marked with.
fn sign(direction: Direction, status: Status) -> (&'static str, Meaning) {
    match (status, direction) {
        (Status::Recovered, _) => ("·", Meaning::Dim),
        (_, Direction::Faster) => ("↑", Meaning::Good),
        (Status::Suspected, Direction::Slower) => ("?", Meaning::Warning),
        (Status::Confirmed, Direction::Slower) => ("✗", Meaning::Failed),
    }
}

fn finding(judged: &JudgedTimeline, finding: &Finding) -> Note {
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
        format!("if this is as it should be: netplan history accept {id} --because TEXT")
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

fn mark(judged: &JudgedTimeline, mark: &Mark) -> Note {
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

/// `7f3a9c (2026-11-22)`.
fn run_name(judged: &JudgedTimeline, run: usize) -> String {
    let run = judged.timeline.runs.get(run);
    run.map_or_else(String::new, |run| {
        format!("{} ({})", run.id, run.started.strftime("%Y-%m-%d"))
    })
}

/// `remote-service / remote-pod throughput`.
fn series_title(name: &SeriesName) -> String {
    format!("{} {}", path_title(name), labels::short(&name.metric))
}

fn path_title(name: &SeriesName) -> String {
    match &name.relative_to {
        Some(plain) => format!("{} / {plain}", name.path),
        None => name.path.clone(),
    }
}

fn share(change: &Change) -> String {
    format!("{:+.1} %", change.share * 100.0)
}

/// A table for each plan, test and metric.
fn tables(judged: &JudgedTimeline, series: &[(&Series, &JudgedSeries)]) -> Vec<Block> {
    let mut groups: IndexMap<String, Vec<(&Series, &JudgedSeries)>> = IndexMap::new();
    for (series, found) in series {
        let group = groups.entry(caption(judged, &series.name)).or_default();
        group.push((*series, *found));
    }
    let tables = groups.into_iter();
    tables
        .map(|(caption, group)| Block::Table(table(judged, caption, &group)))
        .collect()
}

/// `iperf3-tcp throughput`, after the plan where there are several.
fn caption(judged: &JudgedTimeline, name: &SeriesName) -> String {
    let mut plans = judged.timeline.runs.iter().map(|run| &run.plan);
    let has_plans = plans.any(|plan| *plan != name.plan);
    let plan = if has_plans {
        format!("{}: ", name.plan)
    } else {
        String::new()
    };
    format!("{plan}{} {}", name.test, labels::short(&name.metric))
}

fn table(judged: &JudgedTimeline, caption: String, series: &[(&Series, &JudgedSeries)]) -> Table {
    let paths = series.iter().map(|(series, _)| path_title(&series.name));
    let trends = series.iter().map(|(series, _)| {
        let drawn = series.points.len().saturating_sub(DRAWN);
        let values = series.points.iter().skip(drawn);
        Cell {
            trend: values.map(|it| Some(it.log.exp())).collect(),
            ..Cell::default()
        }
    });
    let now = series
        .iter()
        .map(|(series, judged)| level(&series.name, judged.now));
    let mut columns = vec![
        Column::words("path", paths),
        Column {
            name: "last runs".to_owned(),
            cells: trends.collect(),
            ..Column::default()
        },
        Column::figures("now", "", now),
    ];
    if series.iter().any(|(_, judged)| !judged.changes.is_empty()) {
        let last = || series.iter().map(|(_, judged)| judged.changes.last());
        let changes = last().map(|change| {
            change.map_or_else(Cell::default, |change| {
                let (sign, meaning) = sign(change.direction, change.status);
                Cell {
                    marks: vec![Span::new(meaning, format!(" {sign}"))],
                    ..share(change).into()
                }
            })
        });
        columns.push(Column::figures("change", "", changes));
        let since = last().map(|change| {
            let run = change.and_then(|change| judged.timeline.runs.get(change.run));
            run.map_or_else(String::new, |run| run.id.clone())
        });
        columns.push(Column::words("since run", since));
    }
    Table {
        caption,
        columns,
        keys: 1,
        ..Table::default()
    }
}

/// A level, from the mean of its logarithms, with its unit.
fn level(name: &SeriesName, log: f64) -> String {
    let value = log.exp();
    if name.relative_to.is_some() {
        return format!("{:.1} %", value * 100.0);
    }
    let format = NumberFormat::headline(&name.metric, &[value]);
    format!("{} {}", format.write(value), format.unit)
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
    let mut text = text;
    if faster > 0 {
        text += &format!("; {}", diag::count(faster, "speedup"));
    }
    let series: usize = history.timelines.iter().map(|it| it.series.len()).sum();
    let settings = &history.settings;
    let smallest = match settings.minimum {
        Some(minimum) => format!("{} %", minimum * 100.0),
        None => "3 % (of a latency 5 %)".to_owned(),
    };
    let about = format!(
        "judged {series} series; changes below {smallest} are not reported; {} % of those reported may be chance",
        settings.false_share * 100.0
    );
    vec![
        vec![Span::new(meaning, text)],
        vec![Span::new(Meaning::Dim, about)],
    ]
}

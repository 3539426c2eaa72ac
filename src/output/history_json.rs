//! A history as one JSON document, for programs.

use std::io;

use jiff::Timestamp;
use serde::Serialize;

use crate::diag::json;
use crate::history::{Change, Finding, History, JudgedTimeline, SeriesName, WINDOW};
use crate::results::MachineKey;
use crate::results::environment::configuration::Difference;

/// The version of this document, in it as `version`. `docs/history.schema.json` describes it.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct HistoryOut<'a> {
    version: u32,
    /// Whether something got slower, is not accepted and has not recovered.
    slower: bool,
    /// The same without what is only suspected.
    slower_confirmed: bool,
    false_share: f64,
    minimum: Option<f64>,
    unknown_accepted: Vec<&'a str>,
    timelines: Vec<TimelineOut<'a>>,
}

#[derive(Serialize)]
struct TimelineOut<'a> {
    machine: &'a MachineKey,
    runs: Vec<RunOut<'a>>,
    configuration_changes: Vec<MarkOut<'a>>,
    accepted: Vec<AcceptedOut<'a>>,
    findings: Vec<FindingOut<'a>>,
    series: Vec<SeriesOut<'a>>,
    ended_series: usize,
    incomplete_values: usize,
}

#[derive(Serialize)]
struct RunOut<'a> {
    run: &'a str,
    plan: &'a str,
    started: Timestamp,
}

#[derive(Serialize)]
struct MarkOut<'a> {
    run: &'a str,
    differences: &'a [Difference],
}

#[derive(Serialize)]
struct AcceptedOut<'a> {
    run: &'a str,
    because: &'a str,
}

#[derive(Serialize)]
struct NameOut<'a> {
    plan: &'a str,
    test: &'a str,
    path: &'a str,
    relative_to: Option<&'a str>,
    metric: &'a str,
}

#[derive(Serialize)]
struct ChangeOut<'a> {
    kind: &'static str,
    direction: &'static str,
    status: &'static str,
    run: &'a str,
    runs_after: usize,
    share: f64,
    p_adjusted: f64,
}

#[derive(Serialize)]
struct MemberOut<'a> {
    #[serde(flatten)]
    name: NameOut<'a>,
    #[serde(flatten)]
    change: ChangeOut<'a>,
}

#[derive(Serialize)]
struct FindingOut<'a> {
    kind: &'static str,
    direction: &'static str,
    status: &'static str,
    run: &'a str,
    ratios_changed: bool,
    series: Vec<MemberOut<'a>>,
}

#[derive(Serialize)]
struct SeriesOut<'a> {
    #[serde(flatten)]
    name: NameOut<'a>,
    /// Geometric mean since the last change, in the metric's unit; of a ratio as a share.
    now: f64,
    changes: Vec<ChangeOut<'a>>,
    /// The last values that are judged, each with its run.
    points: Vec<PointOut<'a>>,
}

#[derive(Serialize)]
struct PointOut<'a> {
    run: &'a str,
    value: f64,
}

/// Writes the history as JSON, with a newline at its end.
///
/// # Errors
/// When `writer` fails.
pub fn write(history: &History, writer: &mut dyn io::Write) -> io::Result<()> {
    let document = HistoryOut {
        version: VERSION,
        slower: history.is_slower(false),
        slower_confirmed: history.is_slower(true),
        false_share: history.settings.false_share,
        minimum: history.settings.minimum,
        unknown_accepted: history
            .unknown_acceptances
            .iter()
            .map(|acceptance| acceptance.run.as_str())
            .collect(),
        timelines: history.timelines.iter().map(timeline).collect(),
    };
    writer.write_all((json::to_string_pretty(&document)? + "\n").as_bytes())
}

fn timeline(judged: &JudgedTimeline) -> TimelineOut<'_> {
    let timeline = &judged.timeline;
    TimelineOut {
        machine: &timeline.machine,
        runs: timeline
            .runs
            .iter()
            .map(|run| RunOut {
                run: &run.id,
                plan: &run.plan,
                started: run.started,
            })
            .collect(),
        configuration_changes: timeline
            .marks
            .iter()
            .map(|mark| MarkOut {
                run: run_id(judged, mark.run),
                differences: &mark.differences,
            })
            .collect(),
        accepted: judged
            .accepted
            .iter()
            .map(|(_, acceptance)| AcceptedOut {
                run: &acceptance.run,
                because: &acceptance.because,
            })
            .collect(),
        findings: judged
            .findings
            .iter()
            .map(|it| finding(judged, it))
            .collect(),
        series: series(judged),
        ended_series: timeline.ended,
        incomplete_values: timeline.incomplete,
    }
}

fn finding<'a>(judged: &'a JudgedTimeline, finding: &'a Finding) -> FindingOut<'a> {
    let members = finding.members.iter().filter_map(|(at, member)| {
        Some(MemberOut {
            name: name(&judged.timeline.series.get(*at)?.name),
            change: change(judged, member),
        })
    });
    FindingOut {
        kind: finding.kind.name(),
        direction: finding.direction.name(),
        status: finding.status.name(),
        run: run_id(judged, finding.run),
        ratios_changed: finding.has_ratios,
        series: members.collect(),
    }
}

fn series(judged: &JudgedTimeline) -> Vec<SeriesOut<'_>> {
    let all = judged.timeline.series.iter().zip(&judged.series);
    all.map(|(series, found)| {
        let last = series.points.len().saturating_sub(WINDOW);
        let points = series.points.iter().skip(last).map(|point| PointOut {
            run: run_id(judged, point.run),
            value: point.log.exp(),
        });
        SeriesOut {
            name: name(&series.name),
            now: found.now.exp(),
            changes: found.changes.iter().map(|it| change(judged, it)).collect(),
            points: points.collect(),
        }
    })
    .collect()
}

fn name(name: &SeriesName) -> NameOut<'_> {
    NameOut {
        plan: &name.plan,
        test: &name.test,
        path: &name.path,
        relative_to: name.relative_to.as_deref(),
        metric: &name.metric,
    }
}

fn change<'a>(judged: &'a JudgedTimeline, change: &Change) -> ChangeOut<'a> {
    ChangeOut {
        kind: change.kind.name(),
        direction: change.direction.name(),
        status: change.status.name(),
        run: run_id(judged, change.run),
        runs_after: change.after,
        share: change.share,
        p_adjusted: change.p,
    }
}

fn run_id(judged: &JudgedTimeline, run: usize) -> &str {
    judged.timeline.runs.get(run).map_or("", |run| &run.id)
}

//! Changes at the same run, of the same kind and direction, are one finding.

use super::change::{Change, Direction, JudgedSeries, Kind, Status};
use super::series::Timeline;

/// Changes are located to within so many runs.
const SAME_WITHIN: usize = 2;

/// Something that happened at a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    pub kind: Kind,
    pub direction: Direction,
    /// That of the surest of its changes that have not recovered.
    pub status: Status,
    /// Position of the run, as of the surest of its changes.
    pub run: usize,
    /// The series that changed, by their positions in the timeline, ratios first, of
    /// each the largest change first.
    pub members: Vec<(usize, Change)>,
    /// Whether any ratio to a plain path changed, too: if none did, all paths changed alike.
    pub has_ratios: bool,
}

/// Groups the changes of a timeline's series, the latest first.
pub fn findings(timeline: &Timeline, series: &[JudgedSeries]) -> Vec<Finding> {
    let is_ratio = |at: usize| {
        let series = timeline.series.get(at);
        series.is_some_and(|it| it.name.relative_to.is_some())
    };
    let all = series.iter().enumerate();
    let all = all.flat_map(|(at, series)| series.changes.iter().map(move |change| (at, *change)));
    let mut all: Vec<(usize, Change)> = all.collect();
    // The surest of a group says at which run it is.
    all.sort_by(|(_, a), (_, b)| {
        a.p.total_cmp(&b.p)
            .then(b.share.abs().total_cmp(&a.share.abs()))
    });
    let mut findings: Vec<Finding> = Vec::new();
    for (at, change) in all {
        let is_same = |finding: &&mut Finding| {
            (finding.kind, finding.direction) == (change.kind, change.direction)
                && finding.run.abs_diff(change.run) <= SAME_WITHIN
        };
        let has_ratios = is_ratio(at);
        match findings.iter_mut().find(is_same) {
            Some(finding) => {
                finding.status = finding.status.max(change.status);
                finding.has_ratios |= has_ratios;
                finding.members.push((at, change));
            }
            None => findings.push(Finding {
                kind: change.kind,
                direction: change.direction,
                status: change.status,
                run: change.run,
                members: vec![(at, change)],
                has_ratios,
            }),
        }
    }
    for finding in &mut findings {
        finding.members.sort_by(|(at, a), (other, b)| {
            let ratios_first = is_ratio(*other).cmp(&is_ratio(*at));
            ratios_first.then(b.share.abs().total_cmp(&a.share.abs()))
        });
    }
    findings.sort_by_key(|finding| {
        (
            std::cmp::Reverse(finding.run),
            finding.direction,
            finding.kind,
        )
    });
    findings
}

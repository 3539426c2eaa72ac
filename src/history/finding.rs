//! Changes at the same run, of the same kind and direction, are one finding.

use super::judge::{Change, JudgedSeries};
use super::series::Timeline;

/// Changes are located to within so many runs.
const SAME_WITHIN: usize = 2;

/// Something that happened at a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    pub kind: FindingKind,
    pub direction: Direction,
    /// That of the surest of its changes that have not recovered.
    pub status: Status,
    /// Position of the run, as of the surest of its changes.
    pub run: usize,
    /// The series that changed, by their positions in the timeline, the largest change first.
    pub members: Vec<(usize, Change)>,
    /// Whether any ratio to a plain path changed, too: if none did, all paths changed alike.
    pub has_ratios: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FindingKind {
    /// From one run to the next.
    Step,
    /// A little with each run.
    Drift,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Direction {
    /// For the worse: less throughput, more latency.
    Slower,
    Faster,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Status {
    /// The level is back where it was before.
    Recovered,
    /// There are fewer than five values since: it may be odd runs.
    Suspected,
    Confirmed,
}

impl FindingKind {
    /// As JSON has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            FindingKind::Step => "step",
            FindingKind::Drift => "drift",
        }
    }
}

impl Direction {
    /// As JSON has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Direction::Slower => "slower",
            Direction::Faster => "faster",
        }
    }
}

impl Status {
    /// As JSON has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Status::Recovered => "recovered",
            Status::Suspected => "suspected",
            Status::Confirmed => "confirmed",
        }
    }
}

/// Groups the changes of a timeline's series, the latest first.
pub fn findings(timeline: &Timeline, series: &[JudgedSeries]) -> Vec<Finding> {
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
        let has_ratios = timeline
            .series
            .get(at)
            .is_some_and(|it| it.name.relative_to.is_some());
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
        let size = |change: &Change| change.share.abs();
        finding
            .members
            .sort_by(|(_, a), (_, b)| size(b).total_cmp(&size(a)));
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

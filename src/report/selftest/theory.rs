//! Compares measured figures with theory, from a link and the parameters of a cell.
//!
//! The link's rate counts Ethernet, IP and transport headers (tc-tbf(8)), so that of each segment
//! only its payload is goodput: rate · payload / (payload + headers).

use super::check::{Allowed, Check, Verdict, median, within};
use super::full_queue;
use crate::catalog::{Direction, Theory};
use crate::plan::units::BitRate;
use crate::plan::{Test, ToolSpec};
use crate::report::{CellReport, CellState, Report, RunState};
use crate::results::Warning;
use crate::schedule::Param;
use crate::statistics::wilson;
use crate::tools::name;

/// Header bytes of a segment: Ethernet 14, IPv4 20, TCP 20.
const HEADERS: f64 = 54.0;
/// TCP's timestamps, where they are on (RFC 7323: 10, and 2 to align).
const TIMESTAMPS: f64 = 12.0;
/// How far a rate may be off theory.
const RATE_PERCENT: f64 = 1.0;
/// How far a round trip may be off theory: the ends' own work is in it.
const ROUND_TRIP_PERCENT: f64 = 5.0;
/// A right link falls out of the interval of its losses once in a thousand times.
const LOSS_ALPHA: f64 = 0.001;

/// A check for each cell that theory has a figure for. `skipped` is the reason why the plan was not run.
#[must_use]
pub fn checks(report: &Report, skipped: Option<&str>) -> Vec<Check> {
    let check = |cell: &CellReport| {
        let (_, test, _) = report.row(cell.row)?;
        let check = claim(report, test, cell)?;
        Some(settled(check, report, test, cell, skipped))
    };
    report.cells.iter().filter_map(check).collect()
}

/// A check of a cell, which may not have been measured.
pub(super) fn settled(
    mut check: Check,
    report: &Report,
    test: &Test,
    cell: &CellReport,
    skipped: Option<&str>,
) -> Check {
    match (&cell.state, skipped) {
        (_, Some(reason)) => check.verdict = Verdict::Skipped(reason.to_owned()),
        (CellState::Skipped(reason), None) => check.verdict = Verdict::Skipped(reason.clone()),
        (CellState::Failed(failure), None) => {
            let why = failure.sentence(test.tool.name());
            check.verdict = Verdict::Failed(Some(why));
        }
        (CellState::Missing | CellState::Partial, None) if report.state == RunState::Cancelled => {
            check.verdict = Verdict::Skipped("the run was interrupted".to_owned());
        }
        (CellState::Missing | CellState::Partial, None) => {
            check.verdict = Verdict::Failed(Some("it was not measured".to_owned()));
        }
        (CellState::Measured, None) => {}
    }
    if let Verdict::Failed(_) = check.verdict {
        let warnings = cell.samples.iter().flat_map(|sample| &sample.warnings);
        check.warnings = warnings.map(Warning::kind).collect();
        check.warnings.sort_unstable();
        check.warnings.dedup();
    }
    check
}

/// The check of a cell; `None` where theory gives no figure.
fn claim(report: &Report, test: &Test, cell: &CellReport) -> Option<Check> {
    let link = &report.plan.local.links;
    if !test.load.is_empty() {
        return full_queue::check(&report.plan, test, cell);
    }
    let ToolSpec::BuiltIn(used) = &test.tool else {
        // Only the plan knows what its own tools measure.
        return None;
    };
    match used.mode.theory? {
        Theory::Goodput => {
            Some(goodput(link.rate?, cell)).filter(|_| cell.params.direction() != Direction::Both)
        }
        Theory::Loss => match link.loss {
            Some(loss) => Some(lost(loss.0, cell)),
            None => received(cell),
        },
        Theory::RoundTrip => Some(round_trip(link.delay?.0, cell)),
    }
}

fn goodput(rate: BitRate, cell: &CellReport) -> Check {
    let effective = median(cell, name::EFFECTIVE_MSS);
    let what = match (effective, cell.params.get(Param::Mss)) {
        (Some(effective), _) => format!("TCP goodput over {rate}, {effective:.0} bytes a segment"),
        (None, Some(asked)) => format!("TCP goodput over {rate}, MSS {asked}"),
        (None, None) => format!("TCP goodput over {rate}"),
    };
    let theory = effective.map(|payload| {
        // Without timestamps the whole of the requested MSS is payload.
        let asked = cell.params.get(Param::Mss).map(|asked| asked as f64);
        let stamps = asked.is_none_or(|asked| payload < asked);
        let headers = HEADERS + if stamps { TIMESTAMPS } else { 0.0 };
        rate.0 as f64 * payload / (payload + headers) / 1e6
    });
    let found = median(cell, name::THROUGHPUT_BPS).map(|bps| bps / 1e6);
    within(what, "Mbit/s", theory, found, RATE_PERCENT)
}

fn received(cell: &CellReport) -> Option<Check> {
    let offered = cell.params.get(Param::Rate)?;
    let what = format!("UDP received of {} sent", BitRate(offered));
    let found = median(cell, name::THROUGHPUT_BPS).map(|bps| bps / 1e6);
    let theory = offered as f64 / 1e6;
    Some(within(what, "Mbit/s", Some(theory), found, RATE_PERCENT))
}

fn round_trip(delay: std::time::Duration, cell: &CellReport) -> Check {
    let ms = delay.as_secs_f64() * 1e3;
    let what = format!("round trip, {ms} ms each way");
    let found = median(cell, name::LATENCY_MEAN_US).map(|us| us / 1e3);
    within(what, "ms", Some(2.0 * ms), found, ROUND_TRIP_PERCENT)
}

/// Datagrams lost of those sent, over all samples; each is lost or not by itself.
fn lost(percent: f64, cell: &CellReport) -> Check {
    let what = format!("UDP datagrams lost, the link loses {percent} %");
    let counted = datagrams(cell);
    let found = counted.map(|(lost, sent)| 100.0 * lost as f64 / sent as f64);
    let interval = counted
        .and_then(|(lost, sent)| wilson(lost, sent, LOSS_ALPHA))
        .map(|interval| (100.0 * interval.low, 100.0 * interval.high));
    let verdict = match interval {
        Some((low, high)) if (low..=high).contains(&percent) => Verdict::Passed,
        Some(_) => Verdict::Failed(None),
        None => Verdict::Failed(Some("a figure is missing".to_owned())),
    };
    Check {
        what,
        unit: "%",
        theory: Some(percent),
        found,
        allowed: Allowed::Interval(interval),
        verdict,
        warnings: Vec::new(),
        differences_ms: Vec::new(),
    }
}

/// More than any run sends: what says so is damaged.
const MOST_DATAGRAMS: f64 = 1e9;

/// How many datagrams were lost and sent in all samples, from rates, times and the share lost.
fn datagrams(cell: &CellReport) -> Option<(u64, u64)> {
    let size = cell.params.get(Param::Datagram).filter(|size| *size > 0)? as f64;
    let (mut lost, mut sent) = (0.0, 0.0);
    for sample in &cell.samples {
        let metric = |name| sample.metrics.get(name);
        let all = metric(name::SENT_BPS)? * metric(name::ELAPSED_S)? / 8.0 / size;
        lost += all * (metric(name::LOST_PERCENT)? / 100.0).clamp(0.0, 1.0);
        sent += all;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a count; what is none becomes 0 or the largest"
    )]
    let count = |datagrams: f64| datagrams.round() as u64;
    (0.5..=MOST_DATAGRAMS)
        .contains(&sent)
        .then(|| (count(lost).min(count(sent)), count(sent)))
}

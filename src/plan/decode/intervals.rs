//! The decoder of `intervals:`, the record of the rates within a sample.

use super::tree::decoder::{At, Decoder};
use crate::catalog::{Direction, name};
use crate::diag::Problem;
use crate::plan::model::timing::Timing;
use crate::plan::model::tools::tool::ToolSpec;
use crate::plan::model::units::Duration;
use crate::plan::sweep::Sweep;

/// A sample has no fewer intervals: of one there is nothing to compare.
const LEAST: u128 = 2;

/// The most that a tool prints about the intervals of a sample: as much of its output is kept (`LARGEST_OUTPUT_BYTES`), also
/// where many clients run at once.
const MOST_BYTES: u128 = 900_000;

/// Refuses intervals that the tool does not report, that are longer than half of a sample, and more than netplan keeps.
pub fn check(decoder: &Decoder<'_>, intervals: At<Duration>, tool: &ToolSpec, timing: &Timing) {
    let At { value, place } = intervals;
    let report = |what: String, help: String| {
        decoder.report(Problem::new(place, what).help(help));
    };
    if !tool.reports_intervals() {
        let is_built_in = matches!(tool, ToolSpec::BuiltIn(_));
        let (what, help) = match tool.headline().as_str() {
            name::THROUGHPUT_BPS if is_built_in => (
                format!(
                    "{} reports what it sends in an interval, not what arrives",
                    tool.name()
                ),
                "use iperf3, or remove `intervals`",
            ),
            name::MTU_FORWARD_BYTES if is_built_in => (
                "the search for the largest packet has no intervals: it ends by itself".to_owned(),
                "remove `intervals`, or use another `mode`",
            ),
            _ => (
                format!("`{}` reports no intervals", tool.name()),
                "remove `intervals`: iperf3, the request/response tests of netperf and the probe have them",
            ),
        };
        return report(what, help.to_owned());
    }
    let duration = timing.duration;
    let count = duration.0.as_millis() / value.0.as_millis().max(1);
    if count < LEAST {
        let what = format!("a sample of `{duration}` has no {LEAST} intervals of `{value}`");
        return report(
            what,
            "take shorter intervals, or a longer `duration`".to_owned(),
        );
    }
    for option in ["interval", "connect_interval"] {
        let between = tool.values(option).and_then(Sweep::first);
        let between = between.map(std::time::Duration::from_micros);
        if let Some(between) = between.filter(|between| *between > value.0) {
            let between = Duration(between);
            return report(
                format!(
                    "with `{option}: {between}` nothing is sent in some intervals of `{value}`"
                ),
                format!("take intervals of `{between}` or more"),
            );
        }
    }
    let bytes = interval_bytes(tool);
    if count * bytes > MOST_BYTES {
        let least = duration.0.as_millis() * bytes / MOST_BYTES + 1;
        let least = std::time::Duration::from_millis(u64::try_from(least).unwrap_or(u64::MAX));
        let what = format!(
            "{count} intervals of `{value}` are more than the {} that netplan keeps of a sample",
            MOST_BYTES / bytes
        );
        let help = format!("take intervals of `{}` or more", Duration(least));
        report(what, help);
    }
}

/// The most that the tool prints about an interval, over the directions that the test measures.
fn interval_bytes(tool: &ToolSpec) -> u128 {
    let ToolSpec::BuiltIn(used) = tool else {
        return 1;
    };
    let output = used.tool.interval_output;
    let streams = tool.values("streams").and_then(|all| all.values().max());
    let directions = tool.values("direction");
    let directions = directions.into_iter().flat_map(Sweep::values);
    let bytes = directions
        .filter_map(Direction::from_number)
        .chain([Direction::Forward])
        .map(|direction| output.bytes(streams.unwrap_or(1), direction));
    bytes.max().unwrap_or(1).into()
}

//! The decoder of `intervals:`, the record of the rates within a sample.

use super::tree::decoder::{At, Decoder};
use crate::catalog::{Direction, name};
use crate::diag::Problem;
use crate::plan::model::timing::Timing;
use crate::plan::model::tools::tool::ToolSpec;
use crate::plan::model::units::Duration;

/// A sample has no fewer intervals: of one there is nothing to compare.
const LEAST: u128 = 2;

/// The most lines of a tool about the intervals of a sample: each takes up to 150 bytes, and this much of a tool's output
/// is kept (`LARGEST_OUTPUT_BYTES`), also where many clients run at once.
const MOST_LINES: u128 = 6_000;

/// Refuses intervals that the tool does not report, that are longer than half of a sample, and more than netplan keeps.
pub fn check(decoder: &Decoder<'_>, intervals: At<Duration>, tool: &ToolSpec, timing: &Timing) {
    let At { value, place } = intervals;
    let report = |what: String, help: String| {
        decoder.report(Problem::new(place, what).help(help));
    };
    if tool.lowest_interval().is_none() {
        let (what, help) = if tool.headline() == name::THROUGHPUT_BPS
            && matches!(tool, ToolSpec::BuiltIn(_))
        {
            (
                format!(
                    "{} reports what it sends in an interval, not what arrives",
                    tool.name()
                ),
                "use iperf3, or remove `intervals`",
            )
        } else {
            (
                format!("`{}` reports no intervals", tool.name()),
                "remove `intervals`: iperf3 and the request/response tests of netperf have them",
            )
        };
        return report(what, help.to_owned());
    }
    let forward = Direction::Forward.number();
    let direction = tool.values("direction");
    if direction.is_some_and(|all| all.values().any(|one| one != forward)) {
        return report(
            "the intervals of a sample are those of `direction: forward`".to_owned(),
            "measure the other directions in a test without `intervals`".to_owned(),
        );
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
    // iperf3 has a line for each stream, and one for their sum.
    let streams = tool
        .values("streams")
        .and_then(|streams| streams.values().max());
    let lines = match streams.unwrap_or(1) {
        1 => 1,
        streams => u128::from(streams) + 1,
    };
    if count * lines > MOST_LINES {
        let least = duration.0.as_millis() * lines / MOST_LINES + 1;
        let least = std::time::Duration::from_millis(u64::try_from(least).unwrap_or(u64::MAX));
        let lines = count * lines;
        let what = format!(
            "`{value}` gives {lines} rates a sample, more than the {MOST_LINES} that netplan keeps"
        );
        let help = format!("take intervals of `{}` or more", Duration(least));
        report(what, help);
    }
}

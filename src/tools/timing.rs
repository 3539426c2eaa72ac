//! How long samples take: the forecast and the deadline.

use std::time::Duration;

use super::registry::from_spec;
use super::tool::Tool;
use crate::plan::{Plan, Test, Timing};
use crate::schedule::{Forecast, Schedule, forecast as forecast_with};

/// What a sample may take beyond its own time before it is killed, when the plan sets no timeout.
pub const GRACE: Duration = Duration::from_secs(10);

/// A load goes on for so long after the time that the measured sample is expected to take, for a client that starts late.
pub(super) const LOAD_TAIL: Duration = Duration::from_secs(2);

/// When a sample that still runs is killed, counted from the start of its warm-up: the plan's
/// `timeout`, else warm-up, duration, what the tool adds, and [`GRACE`]; but no sooner than the tool
/// itself gives up.
#[must_use]
pub fn deadline(tool: &dyn Tool, timing: &Timing) -> Duration {
    match timing.timeout {
        Some(timeout) => timeout.0,
        None => (timing.warmup.0 + timing.duration.0)
            .saturating_add(added(tool, timing))
            .max(tool.longest_wait())
            .saturating_add(GRACE),
    }
}

/// How long the samples of the schedule take when none fails and none is tried again.
#[must_use]
pub fn forecast(plan: &Plan, schedule: &Schedule) -> Forecast {
    forecast_with(plan, schedule, cost)
}

/// How long a sample of the test takes when all goes well, with the pause after it.
#[must_use]
pub fn usual_sample(test: &Test) -> Duration {
    let timing = &test.timing;
    (timing.warmup.0 + timing.duration.0 + timing.cooldown.0).saturating_add(cost(test))
}

/// What a sample takes beyond the time that the plan gives it.
fn cost(test: &Test) -> Duration {
    let tool = from_spec(&test.tool);
    let own = tool.usual_cost() + added(tool.as_ref(), &test.timing);
    own.saturating_add(load_time(test))
}

/// How long a sample's client usually runs, warm-up included.
pub(super) fn measuring(tool: &dyn Tool, timing: &Timing) -> Duration {
    (timing.warmup.0 + timing.duration.0).saturating_add(added(tool, timing))
}

/// The tool's overhead, once for each invocation of a sample.
fn added(tool: &dyn Tool, timing: &Timing) -> Duration {
    let warms_up_apart = !timing.warmup.0.is_zero() && !tool.has_warmup();
    tool.overhead() * if warms_up_apart { 2 } else { 1 }
}

/// How long a test's loads make each of its samples.
fn load_time(test: &Test) -> Duration {
    if test.load.is_empty() {
        Duration::ZERO
    } else {
        LOAD_TAIL
    }
}

//! How long a schedule takes.

use std::time::Duration;

use super::cell::Schedule;
use crate::plan::{Plan, Test};

/// Wall time of all samples when none fails: warm-up, duration, cooldown, and what `fixed` says
/// that a sample of the test costs on top.
#[must_use]
pub fn forecast(plan: &Plan, schedule: &Schedule, fixed: impl Fn(&Test) -> Duration) -> Duration {
    let mut cells = vec![0u32; plan.tests.len()];
    for cell in &schedule.cells {
        let test = schedule.rows.get(cell.row).map(|row| row.test);
        if let Some(count) = test.and_then(|test| cells.get_mut(test)) {
            *count += 1;
        }
    }
    plan.tests
        .iter()
        .zip(cells)
        .fold(Duration::ZERO, |sum, (test, cells)| {
            let timing = &test.timing;
            let sample = timing
                .warmup
                .0
                .saturating_add(timing.duration.0)
                .saturating_add(timing.cooldown.0)
                .saturating_add(fixed(test));
            let samples = cells.saturating_mul(timing.repeat.most());
            sum.saturating_add(sample.checked_mul(samples).unwrap_or(Duration::MAX))
        })
}

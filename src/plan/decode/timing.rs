//! The decoder of a timing: how long and how often a cell is measured.

use super::rounds::{self, WrittenRepeat};
use super::tree::decoder::{At, Decoder};
use super::tree::fields::Fields;
use crate::diag::Problem;
use crate::plan::model::timing::Timing;
use crate::plan::model::tools::tool::ToolSpec;
use crate::plan::model::units::Duration;

/// The timing that a mapping gives; the rest comes from `defaults:`, or is the language's own.
#[derive(Clone, Debug, Default)]
pub struct PartialTiming {
    duration: Option<Duration>,
    warmup: Option<At<Duration>>,
    cooldown: Option<Duration>,
    pub timeout: Option<At<Duration>>,
    retries: Option<u32>,
    pub repeat: Option<WrittenRepeat>,
}

impl PartialTiming {
    pub fn or(self, defaults: &PartialTiming) -> PartialTiming {
        PartialTiming {
            duration: self.duration.or(defaults.duration),
            warmup: self.warmup.or(defaults.warmup),
            cooldown: self.cooldown.or(defaults.cooldown),
            timeout: self.timeout.or(defaults.timeout),
            retries: self.retries.or(defaults.retries),
            repeat: self.repeat.or_else(|| defaults.repeat.clone()),
        }
    }

    /// The timing of a test whose cells are measured under so many variants, 0 for none.
    pub fn resolve(&self, variants: usize) -> Timing {
        let default = Timing::default();
        Timing {
            duration: self.duration.unwrap_or(default.duration),
            warmup: self.warmup.map_or(default.warmup, |warmup| warmup.value),
            cooldown: self.cooldown.unwrap_or(default.cooldown),
            timeout: self.timeout.map(|timeout| timeout.value),
            retries: self.retries.unwrap_or(default.retries),
            repeat: rounds::repeat(self.repeat.as_ref(), variants),
            intervals: None,
        }
    }
}

/// Reads the keys of the timing of cells under so many variants, 0 for none.
pub fn timing(decoder: &Decoder<'_>, fields: &Fields<'_, '_>, variants: usize) -> PartialTiming {
    PartialTiming {
        duration: fields.duration("duration").map(|at| at.value),
        warmup: fields.duration("warmup"),
        cooldown: fields.duration("cooldown").map(|at| at.value),
        timeout: fields.duration("timeout"),
        retries: fields.small_number("retries"),
        repeat: fields
            .either("repeat")
            .and_then(|(kinds, id)| rounds::written(decoder, kinds, id, variants)),
    }
}

/// Refuses a warm-up that the tool does not take.
pub fn check_warmup(decoder: &Decoder<'_>, timing: &PartialTiming, tool: Option<&ToolSpec>) {
    let (Some(At { value, place }), Some(ToolSpec::BuiltIn(used))) = (timing.warmup, tool) else {
        return;
    };
    let Some(limit) = used.tool.warmup_limit else {
        return;
    };
    if value.0 > limit.longest && !decoder.is_checked {
        let tool = used.tool.name;
        let what = format!("a warm-up of `{value}` is too long for {tool}");
        let longest = Duration(limit.longest);
        let help = format!("{} `{longest}` (`{}`)", limit.why, limit.option);
        decoder.report(Problem::new(place, what).help(help));
    }
}

/// Refuses a timeout that no sample of the tool can keep.
pub fn check_timeout(decoder: &Decoder<'_>, timing: &PartialTiming, tool: Option<&ToolSpec>) {
    let Some(timeout) = timing.timeout else {
        return;
    };
    let resolved = timing.resolve(0);
    let needed = resolved.duration.0.saturating_add(resolved.warmup.0);
    let overhead = tool.map(|tool| {
        let warms_up_apart = !resolved.warmup.0.is_zero() && !tool.has_warmup();
        tool.overhead() * if warms_up_apart { 2 } else { 1 }
    });
    let overhead = overhead.unwrap_or_default();
    let needed = needed.saturating_add(overhead);
    if timeout.value.0 <= needed {
        let (timeout, place) = (timeout.value, timeout.place);
        let needed = Duration(needed);
        decoder.report(
            Problem::new(
                place,
                format!("a timeout of `{timeout}` kills every sample"),
            )
            .help(format!(
                "{} take `{needed}`; leave some seconds more",
                if overhead.is_zero() {
                    "warm-up and duration alone"
                } else {
                    "warm-up, duration and what the tool itself needs"
                }
            )),
        );
    }
}

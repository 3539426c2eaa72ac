//! The decoder of a timing: how long and how often a cell is measured.

use super::tree::decoder::{At, Decoder};
use super::tree::fields::Fields;
use crate::diag::Problem;
use crate::plan::describe::key::{Kind, Limits};
use crate::plan::describe::keys::UNTIL;
use crate::plan::model::timing::{Repeat, Timing, Until};
use crate::plan::model::tools::tool::ToolSpec;
use crate::plan::model::units::Duration;
use crate::plan::text::tree::NodeId;

/// The timing that a mapping gives; the rest comes from `defaults:`, or is the language's own.
#[derive(Clone, Copy, Debug, Default)]
pub struct PartialTiming {
    duration: Option<Duration>,
    warmup: Option<At<Duration>>,
    cooldown: Option<Duration>,
    pub timeout: Option<At<Duration>>,
    retries: Option<u32>,
    repeat: Option<Repeat>,
}

impl PartialTiming {
    pub fn or(self, defaults: &PartialTiming) -> PartialTiming {
        PartialTiming {
            duration: self.duration.or(defaults.duration),
            warmup: self.warmup.or(defaults.warmup),
            cooldown: self.cooldown.or(defaults.cooldown),
            timeout: self.timeout.or(defaults.timeout),
            retries: self.retries.or(defaults.retries),
            repeat: self.repeat.or(defaults.repeat),
        }
    }

    pub fn resolve(self) -> Timing {
        let default = Timing::default();
        Timing {
            duration: self.duration.unwrap_or(default.duration),
            warmup: self.warmup.map_or(default.warmup, |warmup| warmup.value),
            cooldown: self.cooldown.unwrap_or(default.cooldown),
            timeout: self.timeout.map(|timeout| timeout.value),
            retries: self.retries.unwrap_or(default.retries),
            repeat: self.repeat.unwrap_or(default.repeat),
        }
    }
}

/// Reads the keys of a timing.
pub fn timing(decoder: &Decoder<'_>, fields: &Fields<'_, '_>) -> PartialTiming {
    PartialTiming {
        duration: fields.duration("duration").map(|at| at.value),
        warmup: fields.duration("warmup"),
        cooldown: fields.duration("cooldown").map(|at| at.value),
        timeout: fields.duration("timeout"),
        retries: fields.small_number("retries"),
        repeat: fields
            .either("repeat")
            .and_then(|(kinds, id)| repeat(decoder, kinds, id)),
    }
}

/// A number of samples, or a mapping that says when to stop.
fn repeat(decoder: &Decoder<'_>, kinds: &[Kind], id: NodeId) -> Option<Repeat> {
    if !decoder.is_mapping(id) {
        let limits = kinds.iter().find_map(|kind| match kind {
            Kind::Number(limits) => Some(*limits),
            _ => None,
        });
        let Limits { least, most, unit } = limits?;
        let times = decoder.whole(id, least, most, unit)?;
        return u32::try_from(times).ok().map(Repeat::Times);
    }
    let fields = decoder.mapping(id, &UNTIL)?;
    let min = fields.small_number("min").unwrap_or(3);
    let max = fields.number("max");
    let until = fields.percent("until");
    if let Some(At { value: max, place }) = max
        && max < u64::from(min)
    {
        let what = format!("at most {max} samples are fewer than the least, {min}");
        decoder.report(Problem::new(place, what).help("the default of `min` is 3"));
        return None;
    }
    let max = max.and_then(|max| u32::try_from(max.value).ok());
    Some(Repeat::Until(Until {
        min,
        max: max.unwrap_or(min.max(20)),
        until: until?,
    }))
}

/// Refuses a warm-up that the tool does not take.
pub fn check_warmup(decoder: &Decoder<'_>, timing: PartialTiming, tool: Option<&ToolSpec>) {
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
pub fn check_timeout(decoder: &Decoder<'_>, timing: PartialTiming, tool: Option<&ToolSpec>) {
    let Some(timeout) = timing.timeout else {
        return;
    };
    let resolved = timing.resolve();
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

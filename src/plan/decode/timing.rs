//! The decoder of a timing: how long and how often a cell is measured.

use super::decoder::{At, Decoder};
use super::fields::Fields;
use super::plan::small;
use crate::diag::Problem;
use crate::plan::model::timing::{Repeat, Timing, Until};
use crate::plan::model::tools::limits;
use crate::plan::model::tools::tool::ToolSpec;
use crate::plan::model::units::{Duration, Percent};
use crate::plan::text::tree::NodeId;

const DAY: u64 = 24 * 60 * 60;

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
    pub const KEYS: [&'static str; 6] = [
        "duration", "warmup", "cooldown", "timeout", "retries", "repeat",
    ];

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
    let most = Duration(std::time::Duration::from_secs(DAY));
    let any = |id| decoder.bounded(id, Duration::default(), most);
    let count = |least, most, unit| move |id| decoder.whole(id, least, most, unit).map(small);
    PartialTiming {
        duration: fields.optional("duration", |id| {
            whole_seconds(decoder, id, 1).map(|duration| duration.value)
        }),
        warmup: fields.optional("warmup", |id| whole_seconds(decoder, id, 0)),
        cooldown: fields.optional("cooldown", any),
        timeout: fields.optional("timeout", |id| {
            any(id).map(|value| At {
                value,
                place: decoder.place(id),
            })
        }),
        retries: fields.optional("retries", count(0, 100, "retries")),
        repeat: fields.optional("repeat", |id| repeat(decoder, id)),
    }
}

/// A number of samples, or a mapping that says when to stop.
fn repeat(decoder: &Decoder<'_>, id: NodeId) -> Option<Repeat> {
    let times = |id, least| decoder.whole(id, least, 10_000, "samples").map(small);
    if !decoder.is_mapping(id) {
        return times(id, 1).map(Repeat::Times);
    }
    let fields = decoder.fields(id, "a mapping with `until`, as in `until: 2%`", false)?;
    let min = fields.optional("min", |id| times(id, 2));
    let max = fields.optional("max", |id| Some((times(id, 2)?, decoder.place(id))));
    let until = fields.required("until", |id| {
        decoder.bounded(id, Percent(0.01), Percent(100.0))
    });
    fields.done();
    let min = min.unwrap_or(3);
    if let Some((max, place)) = max
        && max < min
    {
        let what = format!("at most {max} samples are fewer than the least, {min}");
        decoder.report(Problem::new(place, what).help("`min` is 3 unless it is given"));
        return None;
    }
    Some(Repeat::Until(Until {
        min,
        max: max.map_or(min.max(20), |(max, _)| max),
        until: until?,
    }))
}

/// iperf3 and netperf drop a fraction of a second, and run for ever when told 0.
fn whole_seconds(decoder: &Decoder<'_>, id: NodeId, least: u64) -> Option<At<Duration>> {
    let At { value, place } = decoder.quantity::<Duration>(id)?;
    let seconds = value.0.as_secs();
    let problem = if value.0.subsec_nanos() != 0 {
        let above = seconds.saturating_add(1);
        Problem::new(place, format!("`{value}` is no whole number of seconds"))
            .label(format!("write `{above}s`"))
            .help(
                "iperf3 and netperf drop a fraction of a second; what is left of `0.5s` is endless",
            )
    } else if seconds < least {
        Problem::new(place, format!("`{value}` is too short"))
            .label(format!("write `{least}s` or more"))
            .help("iperf3 and netperf take 0 seconds for endless")
    } else if seconds > DAY {
        Problem::new(place, format!("`{value}` is too long")).help("24 hours (`24h`) at most")
    } else {
        return Some(At { value, place });
    };
    decoder.report(problem);
    None
}

/// Refuses a warm-up that iperf3 does not take.
pub fn check_warmup(decoder: &Decoder<'_>, timing: PartialTiming, tool: Option<&ToolSpec>) {
    let (Some(At { value, place }), Some(ToolSpec::Iperf3(_))) = (timing.warmup, tool) else {
        return;
    };
    let most = Duration(std::time::Duration::from_secs(limits::IPERF3_WARMUP_S));
    if value > most && !decoder.is_checked {
        decoder.report(
            Problem::new(
                place,
                format!("a warm-up of `{value}` is too long for iperf3"),
            )
            .help(format!(
                "iperf3 3.12 leaves out at most `{most}` (`--omit`)"
            )),
        );
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

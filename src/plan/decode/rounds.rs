//! The decoder of `repeat:`: how many samples a cell gets; of a plan with variants, how many rounds.

use super::tree::decoder::{At, Decoder};
use crate::diag::{Place, Problem};
use crate::plan::describe::key::{Kind, Limits};
use crate::plan::describe::keys::UNTIL;
use crate::plan::model::timing::{Precision, Repeat, Until};
use crate::plan::model::units::{Percent, Quantity as _};
use crate::plan::model::variants::default_rounds;
use crate::plan::text::tree::NodeId;

const MIN: u32 = 3;
const MAX: u32 = 20;

/// What a plan says of repeating. A number that is left out has no place.
#[derive(Clone, Debug)]
pub enum WrittenRepeat {
    Times(At<u32>),
    Until {
        min: Option<At<u32>>,
        max: Option<At<u32>>,
        until: At<Precision>,
    },
}

/// A number of samples, or a mapping that says when to stop, of cells under so many variants, 0 for none.
pub fn written(
    decoder: &Decoder<'_>,
    kinds: &[Kind],
    id: NodeId,
    variants: usize,
) -> Option<WrittenRepeat> {
    let small = |at: At<u64>| {
        let value = u32::try_from(at.value).ok()?;
        Some(At {
            value,
            place: at.place,
        })
    };
    if !decoder.is_mapping(id) {
        let limits = kinds.iter().find_map(|kind| match kind {
            Kind::Number(limits) => Some(*limits),
            _ => None,
        });
        let Limits { least, most, unit } = limits?;
        let value = decoder.whole(id, least, most, unit)?;
        let place = decoder.place(id);
        return small(At { value, place }).map(WrittenRepeat::Times);
    }
    let fields = decoder.mapping(id, &UNTIL)?;
    let min = fields.number("min").and_then(small);
    let max = fields.number("max").and_then(small);
    let until = fields.value("until").and_then(|id| precision(decoder, id));
    let least = min_or_default(min, variants);
    if let Some(At { value: max, place }) = max
        && max < least
    {
        let what = format!("at most {max} samples are fewer than the least, {least}");
        let default = min_or_default(None, variants);
        decoder
            .report(Problem::new(place, what).help(format!("the default of `min` is {default}")));
        return None;
    }
    Some(WrittenRepeat::Until {
        min,
        max,
        until: until?,
    })
}

/// `2%`, or `1% of plain`.
fn precision(decoder: &Decoder<'_>, id: NodeId) -> Option<At<Precision>> {
    let place = decoder.place(id);
    let text = decoder.text(id).map(|at| at.value);
    let (number, of) = match text.and_then(|text| text.split_once(" of ")) {
        Some((number, of)) => (number.trim(), Some(of.trim().to_owned())),
        None => (text?.trim(), None),
    };
    let percent = match Percent::parse(number) {
        Ok(percent) => percent,
        Err(error) => {
            decoder.report(error.at(place));
            return None;
        }
    };
    let (least, most) = (Percent(0.01), Percent(100.0));
    if percent < least || percent > most {
        let problem = Problem::new(place, format!("`{percent}` is out of range"));
        decoder.report(problem.help(format!("allowed: `{least}` to `{most}`")));
        return None;
    }
    let value = Precision { percent, of };
    Some(At { value, place })
}

/// How often cells are measured under so many variants, 0 for none. Numbers that the plan leaves out become
/// whole rounds. Without variants there is no ratio: a search that inherits one from `defaults` has its percentage.
pub fn repeat(written: Option<&WrittenRepeat>, variants: usize) -> Repeat {
    match written {
        None => Repeat::Times(if variants > 1 {
            default_rounds(variants)
        } else {
            1
        }),
        Some(WrittenRepeat::Times(times)) => Repeat::Times(times.value),
        Some(WrittenRepeat::Until { min, max, until }) => {
            let min = min_or_default(*min, variants);
            let most = || whole_rounds(MAX.max(min), variants);
            Repeat::Until(Until {
                min,
                max: max.map_or_else(most, |max| max.value),
                until: Precision {
                    percent: until.value.percent,
                    of: until.value.of.clone().filter(|_| variants > 0),
                },
            })
        }
    }
}

/// Notes numbers of samples that are not a multiple of the number of variants, and an unknown variant.
pub fn check(decoder: &Decoder<'_>, written: Option<&WrittenRepeat>, variants: &[&str]) {
    let (counts, until) = match written {
        None => return,
        Some(WrittenRepeat::Times(times)) => ([Some(*times), None], None),
        Some(WrittenRepeat::Until { min, max, until }) => ([*min, *max], Some(until)),
    };
    if variants.len() > 1 {
        for At { value, place } in counts.into_iter().flatten() {
            check_count(decoder, value, place, variants.len());
        }
    }
    if let Some(At { value, place }) = until
        && let Some(of) = &value.of
    {
        let place = *place;
        if variants.is_empty() {
            let what = format!("`{value}` is a ratio, and the plan has no variants");
            let help = format!("write `until: {}`", value.percent);
            decoder.report(Problem::new(place, what).help(help));
        } else if !variants.contains(&&**of) {
            let name = At {
                value: &**of,
                place,
            };
            decoder.unknown_name("variant", name, variants);
        }
    }
}

fn check_count(decoder: &Decoder<'_>, count: u32, place: Place, variants: usize) {
    let whole = whole_rounds(count, variants);
    if whole != count {
        let what = format!("{count} is not a multiple of {variants}, the number of variants");
        let help = format!(
            "write `{whole}`, so that each variant has each place in a round equally often"
        );
        decoder.report(Problem::new(place, what).help(help));
    }
}

/// A test that searches a rate samples no rounds, and has no ratio.
pub fn check_search(decoder: &Decoder<'_>, written: Option<&WrittenRepeat>) {
    if let Some(WrittenRepeat::Until { until, .. }) = written
        && until.value.of.is_some()
    {
        let what = format!(
            "`{}` is a ratio, and a test with `find` has none",
            until.value
        );
        let help = format!("write `until: {}`", until.value.percent);
        decoder.report(Problem::new(until.place, what).help(help));
    }
}

fn min_or_default(min: Option<At<u32>>, variants: usize) -> u32 {
    min.map_or_else(|| whole_rounds(MIN, variants), |min| min.value)
}

fn whole_rounds(count: u32, variants: usize) -> u32 {
    let variants = u32::try_from(variants).unwrap_or(u32::MAX).max(1);
    count.div_ceil(variants).saturating_mul(variants)
}

//! The decoder of `during:`.

use super::fault::{Targets, fault};
use super::tree::decoder::{At, Decoder};
use crate::diag::Problem;
use crate::plan::describe::keys::{DURING, FAULT_KEYS};
use crate::plan::model::during::{By, Deed, During};
use crate::plan::model::units::Duration;
use crate::plan::text::tree::NodeId;

/// Reads the entries of `during:` of a test whose samples take this long.
pub fn during(
    decoder: &Decoder<'_>,
    items: &[NodeId],
    lasts: Duration,
    targets: Targets<'_>,
) -> Option<Vec<During>> {
    let entries: Vec<Option<During>> = items
        .iter()
        .map(|item| entry(decoder, *item, lasts, targets))
        .collect();
    entries.into_iter().collect()
}

fn entry(
    decoder: &Decoder<'_>,
    id: NodeId,
    lasts: Duration,
    targets: Targets<'_>,
) -> Option<During> {
    let fields = decoder.mapping(id, &DURING)?;
    let at = fields.duration("at");
    let on_for = fields.duration("for");
    let is_given = |key: &&str| fields.key_place(key).is_some();
    let faults = FAULT_KEYS.iter().map(|key| key.name);
    let given: Vec<&str> = ["run", "by"]
        .into_iter()
        .chain(faults)
        .filter(is_given)
        .collect();
    let what = match given[..] {
        ["run"] => Deed::Run(arguments(decoder, fields.list("run")?)?),
        ["by"] => Deed::By(fields.choice::<By>("by")?.value),
        [key] => Deed::Fault(fault(decoder, key, fields.value(key)?, targets)?),
        [] => {
            if !fields.is_incomplete() {
                let problem = Problem::new(fields.place, "this entry does nothing");
                decoder.report(
                    problem.help(
                        "add `run: [PROGRAM, ARGUMENT]`, a fault such as `cut`, or `by: hand`",
                    ),
                );
            }
            return None;
        }
        [first, second, ..] => {
            let what = format!("an entry does one thing, and this has `{first}` and `{second}`");
            let problem = Problem::new(fields.place, what);
            decoder.report(problem.help("make two entries of it"));
            return None;
        }
    };
    let missing = |key: &str, help: &str| {
        let problem = Problem::new(fields.place, format!("the key `{key}` is missing"));
        decoder.report(problem.help(help));
    };
    let unfit = |place, what: &str, key: &str| {
        decoder.report(Problem::new(place, what).help(format!("remove `{key}`")));
    };
    match (&what, at) {
        (Deed::By(_), Some(At { place, .. })) => {
            unfit(place, "a person decides when: `by: hand` has no `at`", "at");
        }
        (Deed::Run(_) | Deed::Fault(_), None) => {
            missing("at", "say when it is done, counted from the go: `at: 5s`");
        }
        _ => {}
    }
    match (&what, on_for) {
        (Deed::Fault(_), None) => missing("for", "say how long the fault is on: `for: 200ms`"),
        (Deed::Run(_) | Deed::By(_), Some(At { place, .. })) => {
            unfit(place, "only a fault has `for`", "for");
        }
        _ => {}
    }
    let end = at.map(|at| {
        let on_for = on_for.map_or(std::time::Duration::ZERO, |on_for| on_for.value.0);
        (Duration(at.value.0.saturating_add(on_for)), at.place)
    });
    if let Some((end, place)) = end.filter(|(end, _)| *end >= lasts) {
        let what = format!("at `{end}` the sample is over: it takes `{lasts}`");
        let problem = Problem::new(place, what);
        decoder.report(problem.help("take an earlier time, or a longer `duration`"));
    }
    Some(During {
        at: at.map(|at| at.value),
        lasts: on_for.map(|on_for| on_for.value),
        what,
        written: decoder.passage(fields.place),
    })
}

fn arguments(decoder: &Decoder<'_>, items: &[NodeId]) -> Option<Vec<String>> {
    let texts: Vec<Option<String>> = items
        .iter()
        .map(|item| decoder.text(*item).map(|text| text.value.to_owned()))
        .collect();
    texts.into_iter().collect()
}

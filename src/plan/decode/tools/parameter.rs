//! The decoder of declared tools' parameters: what a tool says of them, and what a test sets.

use std::sync::Arc;

use indexmap::IndexMap;

use super::builtin::Swept;
use crate::catalog::{Kind, SHARED_PARAMETERS, SharedParameter, shared_parameter};
use crate::diag::{Problem, quote};
use crate::plan::decode::tree::decoder::{At, Decoder};
use crate::plan::describe::keys::{PARAMETER, is_test_key};
use crate::plan::model::sweep::Sweep;
use crate::plan::model::tools::declared::{DeclaredTool, DeclaredUse, Parameter, ParameterUnit};
use crate::plan::model::units::{BitRate, Bytes};
use crate::plan::text::tree::NodeId;

/// Larger numbers are not exact everywhere.
const LARGEST: u64 = 1 << 53;

/// What a parameter cannot be called: it means something else in expressions or selections.
const TAKEN: [&str; 33] = [
    "target",
    "target_in_url",
    "duration_s",
    "warmup_s",
    "slot",
    "port",
    "ports",
    "tool",
    "test",
    "path",
    "via",
    "from",
    "to",
    "protocol",
    "variant",
    "direction",
    "and",
    "or",
    "not",
    "in",
    "is",
    "if",
    "else",
    "true",
    "false",
    "none",
    "range",
    "dict",
    "namespace",
    "debug",
    "loop",
    "self",
    "super",
];

/// Reads `parameters:` of a tool.
pub fn parameters(decoder: &Decoder<'_>, id: NodeId) -> Option<IndexMap<String, Parameter>> {
    let fields = decoder.fields(
        id,
        "a mapping with a name for each parameter, e.g. `size: { default: 64 }`",
        true,
    )?;
    let found: Vec<Option<(String, Parameter)>> = fields
        .entries()
        .iter()
        .map(|entry| {
            let name = At {
                value: entry.key.as_str(),
                place: entry.key_place,
            };
            let known = identifier(decoder, name, "a parameter").is_some();
            if TAKEN.contains(&name.value) {
                let what = format!("{} has a meaning of its own", quote(name.value));
                let help = "give the parameter another name";
                decoder.report(Problem::new(name.place, what).help(help));
            }
            let parameter = parameter(decoder, entry.value, name.value)?;
            known.then(|| (entry.key.clone(), parameter))
        })
        .collect();
    found.into_iter().collect()
}

fn parameter(decoder: &Decoder<'_>, id: NodeId, name: &str) -> Option<Parameter> {
    let fields = decoder.mapping(id, &PARAMETER)?;
    let known = shared_parameter(name);
    let unit = fields.choice("unit");
    if let (Some(At { value, place }), Some(known)) = (unit, known)
        && unit_of(known) != Some(value)
    {
        let what = format!("{} has its own unit", quote(name));
        decoder.report(Problem::new(place, what).help("leave `unit` out"));
    }
    let unit = known.map_or(unit.map(|at| at.value), unit_of);
    let (least, most) = limits(known);
    let value = |key, least, most| {
        let id = fields.value(key)?;
        Some((number(decoder, id, unit, least, most)?, decoder.place(id)))
    };
    let min = value("min", least, most);
    let max = value("max", least, most);
    let (from, to) = (
        min.map_or(least, |(min, _)| min),
        max.map_or(most, |(max, _)| max),
    );
    if let (Some((_, min)), Some((_, max))) = (min, max)
        && from > to
    {
        let problem = Problem::new(max, "the largest value is less than the least");
        decoder.report(
            problem
                .related(min, "the least")
                .help("swap `min` and `max`"),
        );
        return None;
    }
    let default = value("default", from, to);
    Some(Parameter {
        default: default.map(|(default, _)| default),
        unit: if known.is_some() { None } else { unit },
        min: min.map(|(min, _)| min),
        max: max.map(|(max, _)| max),
    })
}

fn number(
    decoder: &Decoder<'_>,
    id: NodeId,
    unit: Option<ParameterUnit>,
    least: u64,
    most: u64,
) -> Option<u64> {
    match unit {
        None => decoder.whole(id, least, most, ""),
        Some(ParameterUnit::Bytes) => decoder
            .bounded(id, Bytes(least), Bytes(most))
            .map(u64::from),
        Some(ParameterUnit::BitRate) => decoder
            .bounded(id, BitRate(least), BitRate(most))
            .map(u64::from),
    }
}

/// Reads the options of a test that uses a declared tool.
pub fn used(
    decoder: &Decoder<'_>,
    id: NodeId,
    tool: &Arc<DeclaredTool>,
    base: Option<&DeclaredUse>,
    swept: &mut Vec<Swept>,
) -> Option<DeclaredUse> {
    let what = "a mapping with values of the tool's parameters";
    let fields = decoder.fields(id, what, true)?;
    let known = SHARED_PARAMETERS
        .iter()
        .map(|shared| shared.name)
        .filter(|name| tool.uses.contains(*name) && !tool.parameters.contains_key(*name));
    let names: Vec<&str> = tool
        .parameters
        .keys()
        .map(String::as_str)
        .chain(known)
        .collect();
    let mut values = IndexMap::new();
    let mut whole = true;
    for name in names {
        let declared = tool.parameters.get(name).cloned().unwrap_or_default();
        let known = shared_parameter(name);
        let unit = known.map_or(declared.unit, unit_of);
        let (least, most) = limits(known);
        let (least, most) = (declared.min.unwrap_or(least), declared.max.unwrap_or(most));
        let Some(entry) = fields.named(name) else {
            let default = match base {
                Some(base) => base.values.get(name).cloned(),
                None => declared.default.map(Sweep::One),
            };
            if let Some(default) = default {
                values.insert(name.to_owned(), default);
            }
            continue;
        };
        let unit_name = match unit {
            None => "",
            Some(ParameterUnit::Bytes) => "bytes",
            Some(ParameterUnit::BitRate) => "bit/s",
        };
        let read = |id, least, most| number(decoder, id, unit, least, most);
        let Some(sweep) = decoder.sweep(entry.value, least, most, unit_name, read) else {
            whole = false;
            continue;
        };
        swept.push(Swept {
            place: decoder.place(entry.value),
            values: sweep.len(),
        });
        values.insert(name.to_owned(), sweep);
    }
    fields.done_else(|key| {
        if is_test_key(key) {
            return Some(format!(
                "`{key}` belongs beside the tool, not among its options"
            ));
        }
        let shares = tool
            .uses
            .iter()
            .any(|name| shared_parameter(name).is_some());
        (tool.parameters.is_empty() && !shares).then(|| {
            format!(
                "the tool `{}` has no parameters: declare them in `tools:`",
                tool.name
            )
        })
    });
    whole.then(|| DeclaredUse {
        tool: Arc::clone(tool),
        values,
    })
}

/// The unit of a shared parameter, as a plan would declare it.
fn unit_of(shared: &SharedParameter) -> Option<ParameterUnit> {
    match shared.kind {
        Kind::Bytes => Some(ParameterUnit::Bytes),
        Kind::BitRate => Some(ParameterUnit::BitRate),
        Kind::Number(_) | Kind::Direction | Kind::Duration | Kind::Name { .. } | Kind::Flag => None,
    }
}

/// The values that a parameter can have.
fn limits(shared: Option<&SharedParameter>) -> (u64, u64) {
    let limits = shared.map(|shared| (*shared.limits.start(), *shared.limits.end()));
    limits.unwrap_or((0, LARGEST))
}

/// A value that a parameter may have, for trying expressions.
pub fn example(name: &str, parameter: Option<&Parameter>) -> u64 {
    let least = shared_parameter(name).map_or(1, |shared| *shared.limits.start());
    parameter.map_or(least, |parameter| {
        parameter.default.or(parameter.min).unwrap_or(least)
    })
}

/// Whether a text can be a name in expressions.
fn is_identifier(text: &str) -> bool {
    text.len() <= 32
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

/// A text that can be a name in expressions; reports any other.
pub fn identifier<'t>(decoder: &Decoder<'t>, name: At<&'t str>, what: &str) -> Option<&'t str> {
    if is_identifier(name.value) {
        return Some(name.value);
    }
    let found = format!("{} is not the name of {what}", quote(name.value));
    let help = "such names have `a` to `z`, `0` to `9` and `_`, start with a letter, and have 32 \
                characters at most";
    decoder.report(Problem::new(name.place, found).help(help));
    None
}

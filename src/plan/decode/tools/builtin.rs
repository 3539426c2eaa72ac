//! The decoder of built-in tools' options, from their descriptions in the catalogue.

use crate::catalog::{BUILT_IN_TOOLS, BuiltInTool, Kind, Mode, Role, ToolOption};
use crate::diag::{Place, Problem, all_of, quote};
use crate::plan::decode::tools::direction::direction;
use crate::plan::decode::tree::decoder::{At, Decoder};
use crate::plan::decode::tree::fields::Fields;
use crate::plan::describe::keys::{built_in_mapping, is_test_key};
use crate::plan::model::sweep::Sweep;
use crate::plan::model::tools::tool::{BuiltInUse, OptionValue};
use crate::plan::model::units::{BitRate, Bytes, Duration};
use crate::plan::text::tree::NodeId;

/// A parameter with its number of values.
#[derive(Clone, Copy, Debug)]
pub struct Swept {
    pub place: Place,
    pub values: u64,
}

/// The built-in tools that have an option of this name.
pub fn tools_with(key: &str) -> Vec<&'static str> {
    let has = |tool: &&BuiltInTool| tool.keys().any(|name| name == key);
    let tools = BUILT_IN_TOOLS.into_iter().filter(has);
    tools.map(|tool| tool.name).collect()
}

/// Reads the options of a built-in tool.
pub fn built_in(
    decoder: &Decoder<'_>,
    id: NodeId,
    tool: &'static BuiltInTool,
    swept: &mut Vec<Swept>,
) -> Option<BuiltInUse> {
    let fields = decoder.open_mapping(id, built_in_mapping(tool.name)?)?;
    fields.done_else(|key| elsewhere(tool, key));
    let chosen = tool.mode_key.and_then(|key| {
        let modes: Vec<_> = tool.modes.iter().map(|mode| (mode.word, mode)).collect();
        decoder.choice(fields.value(key)?, &modes)
    });
    let left_out = |key| fields.key_place(key).is_none();
    let is_known = chosen.is_some() || tool.mode_key.is_none_or(left_out);
    let mode = chosen.unwrap_or(tool.default_mode());
    let used = BuiltInUse::with_defaults(tool, mode);
    Some(with_options(decoder, &fields, used, is_known, swept))
}

/// Reads the options that a variant changes of a test's tool.
pub fn changed(
    decoder: &Decoder<'_>,
    id: NodeId,
    base: &BuiltInUse,
    swept: &mut Vec<Swept>,
) -> Option<BuiltInUse> {
    let tool = base.tool;
    let fields = decoder.open_mapping(id, built_in_mapping(tool.name)?)?;
    fields.done_else(|key| elsewhere(tool, key));
    if let Some((key, place)) = tool
        .mode_key
        .and_then(|key| Some((key, fields.key_place(key)?)))
    {
        let what = format!("a variant cannot change `{key}`: other figures would be compared");
        let help = "write two tests";
        decoder.report(Problem::new(place, what).help(help));
    }
    let used = with_options(decoder, &fields, base.clone(), true, swept);
    Some(used)
}

/// The tool with the options that a mapping has. `is_known`: its mode could be read.
fn with_options(
    decoder: &Decoder<'_>,
    fields: &Fields<'_, '_>,
    mut used: BuiltInUse,
    is_known: bool,
    swept: &mut Vec<Swept>,
) -> BuiltInUse {
    let (tool, mode) = (used.tool, used.mode);
    for option in tool.options {
        let value = fields.value(option.name).and_then(|id| {
            let value = value(decoder, id, option, used.tool, mode)?;
            if let (OptionValue::Numbers(values), true) = (&value, option.sweeps) {
                swept.push(Swept {
                    place: decoder.place(id),
                    values: values.len(),
                });
            }
            Some(value)
        });
        if let Some(value) = value {
            used.options.insert(option.name, value);
        }
    }
    if is_known {
        for option in tool.options {
            if !option.is_for(mode)
                && used.options.get(option.name) != Some(&OptionValue::Flag(false))
            {
                refuse(decoder, fields, option, &used);
            }
        }
    }
    used
}

fn value(
    decoder: &Decoder<'_>,
    id: NodeId,
    option: &ToolOption,
    tool: &BuiltInTool,
    mode: &Mode,
) -> Option<OptionValue> {
    let unit = match option.kind {
        Kind::Flag => return decoder.boolean(id).map(OptionValue::Flag),
        Kind::Name { longest, of, help } => {
            return name(decoder, id, longest, of, help).map(OptionValue::Name);
        }
        Kind::Direction => return direction(decoder, id, tool, option).map(OptionValue::Numbers),
        Kind::Number(unit) => unit,
        Kind::Bytes => "bytes",
        Kind::BitRate => "bit/s",
        Kind::Duration => "us",
    };
    let read = |id, least, most| match option.kind {
        Kind::Bytes => {
            let bytes = decoder.bounded(id, Bytes(least), Bytes(most));
            bytes.map(u64::from)
        }
        Kind::BitRate => {
            let rate = decoder.rate_limit(id, BitRate(least), BitRate(most));
            rate.map(u64::from)
        }
        Kind::Duration => {
            let (least, most) = (Duration::from_micros(least), Duration::from_micros(most));
            let time = decoder.bounded(id, least, most);
            time.map(Duration::as_micros)
        }
        _ => decoder.whole(id, least, most, unit),
    };
    let (least, most) = option.limits_in(mode).into_inner();
    let values = if option.sweeps {
        decoder.sweep(id, least, most, unit, read)?
    } else {
        Sweep::One(read(id, least, most)?)
    };
    Some(OptionValue::Numbers(values))
}

fn name(
    decoder: &Decoder<'_>,
    id: NodeId,
    longest: usize,
    of: &str,
    help: &'static str,
) -> Option<String> {
    let At { value, place } = decoder.text(id)?;
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if value.is_empty() || value.len() > longest || !value.chars().all(word) {
        let what = format!("{} names no {of}", quote(value));
        decoder.report(Problem::new(place, what).help(help));
        return None;
    }
    Some(value.to_owned())
}

/// Reports an option that this mode does not have.
fn refuse(decoder: &Decoder<'_>, fields: &Fields<'_, '_>, option: &ToolOption, used: &BuiltInUse) {
    let Some(place) = fields.key_place(option.name) else {
        return;
    };
    let has = if option.modes.len() == 1 {
        "has"
    } else {
        "have"
    };
    let modes = all_of(option.modes.iter().copied());
    let help = match option.role {
        Role::Size => format!("{modes} {has} it; {}", used.mode.size_help),
        Role::Message => format!("{modes} {has} it"),
        Role::Other => format!("{modes} {has} it; leave it out"),
    };
    let what = format!(
        "`{}` does nothing for {}",
        option.name,
        used.tool.title(used.mode)
    );
    decoder.report(Problem::new(place, what).help(help));
}

/// Where keys belong that people put among a tool's options.
fn elsewhere(tool: &BuiltInTool, key: &str) -> Option<String> {
    if is_test_key(key) {
        return Some(format!(
            "`{key}` belongs beside the tool, not among its options"
        ));
    }
    match key {
        "parallel" | "threads" if tool.option("streams").is_some() => {
            Some("parallel streams are `streams`".to_owned())
        }
        "bandwidth" | "bitrate" if tool.option("rate").is_some() => {
            Some("the sending rate is `rate`".to_owned())
        }
        _ => None,
    }
}

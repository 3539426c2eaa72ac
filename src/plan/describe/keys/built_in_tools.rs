//! The keys of built-in tools, from the catalogue.

use std::sync::LazyLock;

use crate::catalog::{self, BUILT_IN_TOOLS, BuiltInTool, Direction, ToolOption};
use crate::diag::all_of;
use crate::plan::describe::key::{Form, Key, Kind, Limits, List, MAPPING, Mapping, key};
use crate::plan::model::units::{BitRate, Duration};

/// The keys that choose a built-in tool in a test.
pub fn built_in_tools() -> &'static [Key] {
    // What is made from the catalogue lives as long as the catalogue.
    static KEYS: LazyLock<Vec<Key>> = LazyLock::new(|| {
        let tools = BUILT_IN_TOOLS.into_iter();
        tools
            .map(|tool| key(tool.name, Kind::Map(Box::leak(Box::new(mapping(tool)))), ""))
            .collect()
    });
    &KEYS
}

/// The same of some of them, each option with one value.
pub fn fixed_tools(tools: &[&'static BuiltInTool]) -> Vec<Key> {
    let tools = tools.iter();
    tools.map(|tool| key(tool.name, Kind::Map(Box::leak(Box::new(fixed_mapping(tool)))), "")).collect()
}

/// The mapping with the options of a built-in tool.
pub fn built_in_mapping(name: &str) -> Option<&'static Mapping> {
    built_in_tools().iter().find_map(|key| match key.kind {
        Kind::Map(mapping) if key.name == name => Some(mapping),
        _ => None,
    })
}

/// The names of the built-in tools.
pub fn built_in_names() -> Vec<&'static str> {
    BUILT_IN_TOOLS.map(|tool| tool.name).to_vec()
}

/// The name of a tool's definition in the schema: `Iperf3`.
pub fn definition_name(tool: &BuiltInTool) -> String {
    let (first, rest) = tool.name.split_at(1);
    first.to_uppercase() + rest
}

/// The name of the definition of a tool whose options have one value each.
pub fn fixed_definition_name(tool: &BuiltInTool) -> String {
    format!("Fixed{}", definition_name(tool))
}

fn mapping(tool: &'static BuiltInTool) -> Mapping {
    Mapping {
        name: definition_name(tool).leak(),
        text: format!("{} A value that sweeps is a number, a list, or `{{from, to, step}}`.", tool.text).leak(),
        ..options(tool, |option| option.sweeps)
    }
}

fn fixed_mapping(tool: &'static BuiltInTool) -> Mapping {
    Mapping {
        name: fixed_definition_name(tool).leak(),
        text: format!("{} Each option has one value.", tool.text).leak(),
        ..options(tool, |_| false)
    }
}

fn options(tool: &'static BuiltInTool, sweeps: impl Fn(&ToolOption) -> bool) -> Mapping {
    let mode = tool.mode_key.map(|name| {
        let modes = tool.modes.iter().map(|mode| (mode.word, mode.text));
        key(name, Kind::Words(modes.collect::<Vec<_>>().leak()), format!("{}.", tool.mode_text).leak())
            .or(tool.default_mode().word)
    });
    let keys: Vec<Key> = mode.into_iter().chain(tool.options.iter().map(|it| option(it, sweeps(it)))).collect();
    Mapping {
        what: format!("a mapping with options of {}", tool.name).leak(),
        keys: vec![&*keys.leak()].leak(),
        may_be_empty: true,
        ..MAPPING
    }
}

fn option(option: &'static ToolOption, sweeps: bool) -> Key {
    let (least, most) = (*option.limits.start(), *option.limits.end());
    let limits = |unit| Limits { least, most, unit };
    let one = match option.kind {
        catalog::Kind::Number(unit) => Kind::Number(limits(unit)),
        catalog::Kind::Bytes => Kind::Bytes(limits("bytes")),
        catalog::Kind::BitRate => Kind::Rate(limits("bit/s")),
        catalog::Kind::Duration => Kind::ShortDuration(limits("us")),
        catalog::Kind::Name { longest, .. } => {
            Kind::Text(Form::Pattern(format!("^[A-Za-z0-9_-]{{1,{longest}}}$").leak()))
        }
        catalog::Kind::Flag => Kind::Bool,
        catalog::Kind::Direction => direction(option),
    };
    // A range of words says nothing.
    let is_word = option.kind == catalog::Kind::Direction;
    let kind = match (sweeps, is_word) {
        (false, _) => one,
        (true, true) => one_or_list(one),
        (true, false) => Kind::Sweep(Box::leak(Box::new(one))),
    };
    let each = if sweeps && is_word { "; a list makes a cell for each" } else { "" };
    let text = if option.modes.is_empty() {
        format!("{}{each}.", option.text)
    } else {
        let modes = all_of(option.modes.iter().copied());
        format!("{}{each}. Only for {modes}.", option.text)
    };
    let default = match (option.kind, option.default) {
        (catalog::Kind::Flag, _) => "false",
        (catalog::Kind::BitRate, Some(rate)) => BitRate(rate).to_string().leak(),
        (catalog::Kind::Duration, Some(micros)) => {
            Duration::from_micros(micros).to_string().leak()
        }
        (_, Some(default)) => default.to_string().leak(),
        (_, None) => option.otherwise,
    };
    key(option.name, kind, text.leak()).or(default)
}

fn direction(option: &ToolOption) -> Kind {
    let known = Direction::ALL.into_iter().filter(|it| option.limits.contains(&it.number()));
    let words: Vec<_> = known.map(|it| (it.word(), it.text())).collect();
    Kind::Words(words.leak())
}

/// A direction, or a list of directions.
fn one_or_list(word: Kind) -> Kind {
    let list = List { item: word, example: "`- forward`", is_unique: true };
    Kind::Either(vec![word, Kind::List(Box::leak(Box::new(list)))].leak())
}

const RANGE_KEYS: &[Key] = &[
    key("from", Kind::AnyNumber, "The first value.").required(),
    key("to", Kind::AnyNumber, "The bound, which is included when a step lands on it.").required(),
    key("step", Kind::AnyNumber, "The distance between two values.").required(),
];

/// The values of a parameter that sweeps.
pub static RANGE: Mapping = Mapping {
    name: "Range",
    what: "a range with `from`, `to` and `step`",
    keys: &[RANGE_KEYS],
    ..MAPPING
};

//! The schema of built-in tools, from their descriptions in the catalogue.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::catalog::{BUILT_IN_TOOLS, BuiltInTool, Kind, Mode, Search, ToolOption};
use crate::diag::all_of;
use crate::plan::model::sweep::Sweep;
use crate::plan::model::tools::tool::ToolSpec;
use crate::plan::model::units::{BitRate, Bytes};

impl JsonSchema for ToolSpec {
    fn schema_name() -> Cow<'static, str> {
        "ToolSpec".into()
    }

    /// A choice of keys. The names of declared tools are added where the schema of tests is made.
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let choices: Vec<Value> = BUILT_IN_TOOLS
            .iter()
            .map(|tool| {
                let definition = definition(tool, generator);
                let name = definition_name(tool);
                let reference = json!({ "$ref": format!("#/definitions/{name}") });
                generator.definitions_mut().insert(name, definition);
                json!({
                    "type": "object",
                    "properties": { tool.name: reference },
                    "required": [tool.name],
                })
            })
            .collect();
        let mut schema = Schema::default();
        schema.insert("oneOf".to_owned(), Value::Array(choices));
        schema
    }
}

/// The name of a tool's definition: `Iperf3`.
pub fn definition_name(tool: &BuiltInTool) -> String {
    let (first, rest) = tool.name.split_at(1);
    first.to_uppercase() + rest
}

fn definition(tool: &BuiltInTool, generator: &mut SchemaGenerator) -> Value {
    let mut properties = Map::new();
    if let Some(key) = tool.mode_key {
        properties.insert(key.to_owned(), mode_choice(tool));
    }
    for option in tool.options {
        properties.insert(option.name.to_owned(), property(option, generator));
    }
    let text = format!(
        "{} A value that sweeps is a number, a list, or `{{from, to, step}}`.",
        tool.text
    );
    json!({ "description": text, "type": "object", "properties": properties })
}

fn mode_choice(tool: &BuiltInTool) -> Value {
    let word = |mode: &Mode| json!({ "const": mode.word, "description": mode.text });
    let words: Vec<Value> = tool.modes.iter().map(word).collect();
    let text = format!("{}. Default: {}.", tool.mode_text, tool.default_mode().word);
    json!({ "description": text, "oneOf": words })
}

fn property(option: &ToolOption, generator: &mut SchemaGenerator) -> Value {
    let (least, most) = (option.limits.start(), option.limits.end());
    let schema = match option.kind {
        Kind::Number(_) => generator.subschema_for::<Sweep<u64>>(),
        Kind::Bytes if option.sweeps => generator.subschema_for::<Sweep<Bytes>>(),
        Kind::Bytes => generator.subschema_for::<Bytes>(),
        Kind::BitRate => generator.subschema_for::<Sweep<BitRate>>(),
        Kind::Name { longest, .. } => {
            let mut schema = Schema::default();
            schema.insert("type".to_owned(), json!("string"));
            schema.insert("maxLength".to_owned(), json!(longest));
            schema.insert("pattern".to_owned(), json!("^[A-Za-z0-9_-]+$"));
            schema
        }
        Kind::Flag => generator.subschema_for::<bool>(),
    };
    let mut schema = schema.to_value();
    if let Value::Object(schema) = &mut schema {
        schema.insert("description".to_owned(), json!(description(option)));
        if let Kind::Number(_) = option.kind {
            // The one value, those of a list, and where a range starts. Where a range may end
            // depends on its step.
            let number = json!({ "minimum": least, "maximum": most });
            schema.insert("minimum".to_owned(), json!(least));
            schema.insert("maximum".to_owned(), json!(most));
            schema.insert("items".to_owned(), number.clone());
            schema.insert("properties".to_owned(), json!({ "from": number }));
        }
    }
    schema
}

/// The documentation of an option: what it is, the modes that have it, its limits, its default.
fn description(option: &ToolOption) -> String {
    let mut text = format!("{}.", option.text);
    if !option.modes.is_empty() {
        let modes = all_of(option.modes.iter().copied());
        text = format!("{text} Only for {modes}.");
    }
    let (least, most) = (*option.limits.start(), *option.limits.end());
    let limits = match option.kind {
        Kind::Number(_) => format!(" Allowed: {least} to {most}."),
        Kind::Bytes => format!(" Allowed: {} to {}.", Bytes(least), Bytes(most)),
        Kind::BitRate => format!(" Allowed: {} to {}.", BitRate(least), BitRate(most)),
        Kind::Name { .. } | Kind::Flag => String::new(),
    };
    let default = match (option.kind, option.default) {
        (Kind::Flag, _) => "false".to_owned(),
        (_, Some(default)) => default.to_string(),
        (_, None) => option.otherwise.to_owned(),
    };
    format!("{text}{limits} Default: {default}.")
}

/// The rules between the keys of a tool: which options each mode has.
pub fn mode_rules(tool: &BuiltInTool) -> Option<Value> {
    let key = tool.mode_key?;
    let rules = tool.modes.iter().map(|mode| {
        let others = tool.options.iter().filter(|option| !option.is_for(mode));
        let refused: Map<String, Value> = others
            .map(|option| {
                let allowed = match option.kind {
                    Kind::Flag => json!({ "not": { "const": true } }),
                    _ => Value::Bool(false),
                };
                (option.name.to_owned(), allowed)
            })
            .collect();
        // The mode is also chosen where it is left out and is the default.
        let required = if mode == tool.default_mode() {
            json!([])
        } else {
            json!([key])
        };
        json!({
            "if": { "properties": { key: { "const": mode.word } }, "required": required },
            "then": { "properties": refused },
        })
    });
    Some(rules.collect())
}

/// The tests that may have `find`: those of a mode that sends at a rate, where the test does not set
/// it, and those of declared tools.
pub fn searchable_tests() -> Value {
    let names = BUILT_IN_TOOLS.map(|tool| tool.name);
    let declared = json!({ "propertyNames": { "not": { "enum": names } } });
    let built_in = BUILT_IN_TOOLS.iter().filter_map(|tool| {
        let modes: Vec<&str> = tool
            .modes
            .iter()
            .filter(|mode| mode.search == Search::ByRate)
            .map(|mode| mode.word)
            .collect();
        let mut properties = Map::from_iter([("rate".to_owned(), Value::Bool(false))]);
        let mut required = Vec::new();
        if let Some(key) = tool.mode_key {
            properties.insert(key.to_owned(), json!({ "enum": modes }));
            required.extend((!modes.contains(&tool.default_mode().word)).then_some(key));
        }
        let options = json!({ "type": "object", "properties": properties, "required": required });
        (!modes.is_empty())
            .then(|| json!({ "properties": { tool.name: options }, "required": [tool.name] }))
    });
    let choices: Vec<Value> = built_in.chain([declared]).collect();
    json!({ "anyOf": choices })
}

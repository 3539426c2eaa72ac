//! What the schema says of the keys of built-in tools that exclude each other.

use serde_json::{Map, Value, json};

use crate::catalog::{BUILT_IN_TOOLS, BuiltInTool, Kind, Search};

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

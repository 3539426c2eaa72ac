//! The JSON Schema that editors complete from and check by.
//!
//! It comes from the model, whose doc comments are its texts. The model is the resolved plan; a
//! plan as people write it leaves out what has a default, and has `defaults:`. That difference is
//! made here.

use std::ops::RangeInclusive;

use schemars::Schema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::schema_rules;
use crate::plan::model::plan::{Plan, VERSION};
use crate::plan::model::timing::Timing;

/// The keys that have to be there. No other type has one, but for the three of a range.
const REQUIRED: [(&str, &[&str]); 10] = [
    ("Plan", &["version", "name", "workers", "paths", "tests"]),
    ("Path", &["name", "from", "to", "via"]),
    ("MeshEntry", &["mesh"]),
    ("Mesh", &["workers", "via"]),
    ("DeclaredTool", &["client", "metrics"]),
    ("DeclaredPort", &["name", "port"]),
    ("DeclaredServer", &["command", "ready"]),
    ("DeclaredClient", &["command"]),
    ("Figure", &["unit"]),
    ("Find", &["rate", "while"]),
];
/// The types of which nothing at all may stand for an empty mapping, as in `w1:`.
const MAY_BE_EMPTY: [&str; 10] = [
    "Parameter",
    "Placement",
    "Timing",
    "Iperf3",
    "Netperf",
    "Local",
    "Link",
    "Kubernetes",
    "PodResources",
    "Resources",
];

/// The JSON Schema (draft 7, which editors know best) of a plan as people write it, with variables
/// in the place of values.
#[must_use]
pub fn schema() -> Value {
    let mut schema = language();
    schema_rules::add(&mut schema);
    may_be_variable(&mut schema);
    if let Value::Object(root) = &mut schema
        && let Some(required) = root.remove("required")
    {
        // What is missing may be in what the plan extends.
        let either = json!([{ "required": ["extends"] }, { "required": required }]);
        root.insert("anyOf".to_owned(), either);
    }
    schema
}

/// The same without variables: what the language is explained by.
pub fn language() -> Value {
    let mut generator = SchemaSettings::draft07().into_generator();
    // Makes its definition, for `defaults:`.
    generator.subschema_for::<Timing>();
    let mut schema = generator.into_root_schema_for::<Plan>().to_value();
    tidy(&mut schema);
    if let Value::Object(root) = &mut schema {
        if let Some(Value::Object(properties)) = root.get_mut("properties") {
            properties.insert(
                "version".to_owned(),
                json!({
                    "const": VERSION,
                    "description": "The version of the plan language.",
                }),
            );
            properties.insert(
                "extends".to_owned(),
                json!({
                    "description": "The file of a plan that this one lies over, relative to this \
                                    file; or a list of such files, the later over the earlier. \
                                    Mappings merge; lists and single values replace.",
                    "type": ["string", "array"],
                    "items": { "type": "string" },
                    "minItems": 1,
                }),
            );
            properties.insert(
                "defaults".to_owned(),
                json!({
                    "description": "Timing of every test that does not have its own.",
                    "allOf": [{ "$ref": "#/definitions/Timing" }],
                }),
            );
        }
        as_written("Plan", root);
        if let Some(Value::Object(definitions)) = root.get_mut("definitions") {
            for (name, definition) in definitions.iter_mut() {
                if let Value::Object(definition) = definition {
                    as_written(name, definition);
                }
            }
            if let Some(Value::Object(test)) = definitions.get_mut("Test") {
                let keys = declared_in(test);
                only_with_tools(root, &keys);
            }
        }
    }
    schema
}

/// Lets a test have one key more: the name of a declared tool, with values of its parameters. Gives the
/// keys that tests have besides.
fn declared_in(test: &mut Map<String, Value>) -> Vec<String> {
    let known = test.get("properties").and_then(Value::as_object);
    let keys: Vec<String> = known.into_iter().flat_map(Map::keys).cloned().collect();
    let number = json!({ "type": ["integer", "string"] });
    let range = json!({
        "type": "object",
        "properties": { "from": number, "to": number, "step": number },
        "required": ["from", "to", "step"],
        "additionalProperties": false,
    });
    let list = json!({ "type": "array", "items": number, "minItems": 1, "uniqueItems": true });
    let options = json!({
        "description": "A tool from `tools:`, with values of its parameters. A value that sweeps is a \
                        number, a list, or `{from, to, step}`.",
        "type": ["object", "null"],
        "additionalProperties": { "anyOf": [number, list, range] },
    });
    test.insert("additionalProperties".to_owned(), options);
    if let Some(Value::Array(tools)) = test.get_mut("oneOf") {
        tools.push(json!({ "not": { "propertyNames": { "enum": keys } } }));
    }
    keys
}

/// A plan that declares no tools has tests with known keys only.
fn only_with_tools(root: &mut Map<String, Value>, keys: &[String]) {
    // What the plan extends may declare some.
    let may_have = json!({ "anyOf": [{ "required": ["tools"] }, { "required": ["extends"] }] });
    root.insert("if".to_owned(), json!({ "not": may_have }));
    let tests = json!({ "items": { "propertyNames": { "enum": keys } } });
    root.insert(
        "then".to_owned(),
        json!({ "properties": { "tests": tests } }),
    );
}

/// What holds `${NAME}`.
const VARIABLE: &str = r"\$\{";

/// Lets every value that is no free text be a text with a variable in it.
fn may_be_variable(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(may_be_variable),
        Value::Object(schema) => {
            // Names are no values.
            let values = schema.iter_mut().filter(|(key, _)| *key != "propertyNames");
            values.for_each(|(_, value)| may_be_variable(value));
            let variable = json!({ "type": "string", "pattern": VARIABLE });
            let is_word =
                |choice: &Value| choice.get("const").is_some() || choice.get("enum").is_some();
            if let Some(Value::Array(choices)) = schema.get_mut("oneOf")
                && choices.iter().all(is_word)
            {
                choices.push(variable);
            } else if let Some(words) = schema.remove("enum") {
                schema.remove("type");
                schema.insert("oneOf".to_owned(), json!([{ "enum": words }, variable]));
            } else if let Some(kind) = schema.get("type").cloned() {
                let kinds = match kind {
                    Value::Array(kinds) => kinds,
                    kind => vec![kind],
                };
                let is = |name: &str| kinds.iter().any(|kind| kind == name);
                let pattern = schema.get("pattern").and_then(Value::as_str);
                if let Some(pattern) = pattern {
                    let wider = format!("({pattern})|{VARIABLE}");
                    schema.insert("pattern".to_owned(), json!(wider));
                } else if !is("string") && (is("integer") || is("number") || is("boolean")) {
                    let kinds: Vec<Value> = kinds.into_iter().chain([json!("string")]).collect();
                    schema.insert("type".to_owned(), json!(kinds));
                    schema.insert("pattern".to_owned(), json!(VARIABLE));
                }
            }
        }
        _ => {}
    }
}

/// Limits the numbers of a sweep: the one, those of a list, and where a range starts. Where a range
/// may end depends on its step.
pub fn within(limits: RangeInclusive<u64>) -> impl FnMut(&mut Schema) {
    move |schema: &mut Schema| {
        let number = json!({ "minimum": limits.start(), "maximum": limits.end() });
        schema.insert("minimum".to_owned(), json!(limits.start()));
        schema.insert("maximum".to_owned(), json!(limits.end()));
        schema.insert("items".to_owned(), number.clone());
        schema.insert("properties".to_owned(), json!({ "from": number }));
    }
}

/// What holds everywhere: nothing is null, nothing unknown may stand there, a text is one line.
fn tidy(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(tidy),
        Value::Object(object) => {
            object.remove("format");
            if let Some(Value::String(text)) = object.get_mut("description") {
                *text = text.replace('\n', " ");
            }
            if let Some(Value::Array(types)) = object.get_mut("type") {
                types.retain(|name| name != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    object.insert("type".to_owned(), only);
                }
            }
            if let Some(Value::Array(choices)) = object.get_mut("anyOf") {
                choices.retain(|choice| choice != &json!({ "type": "null" }));
                if let [only] = choices.as_slice() {
                    let only = json!([only]);
                    object.remove("anyOf");
                    object.insert("allOf".to_owned(), only);
                }
            }
            object.values_mut().for_each(tidy);
            if object.contains_key("properties") && object.contains_key("type") {
                object.insert("additionalProperties".to_owned(), Value::Bool(false));
            }
        }
        _ => {}
    }
}

fn as_written(name: &str, definition: &mut Map<String, Value>) {
    if !definition.contains_key("properties") {
        return;
    }
    match REQUIRED.iter().find(|(of, _)| *of == name) {
        Some((_, keys)) => definition.insert("required".to_owned(), json!(keys)),
        None => definition.remove("required"),
    };
    if MAY_BE_EMPTY.contains(&name) {
        definition.insert("type".to_owned(), json!(["object", "null"]));
    }
    // A choice is a key: all keys are known in one place, and one of them has to be there.
    let choices = definition.remove("oneOf");
    let Some(Value::Array(choices)) = choices.or_else(|| definition.remove("anyOf")) else {
        return;
    };
    let mut one_of = Vec::new();
    if let Some(Value::Object(properties)) = definition.get_mut("properties") {
        for choice in choices {
            if let Some(Value::Object(keys)) = choice.get("properties") {
                one_of.push(json!({ "required": keys.keys().collect::<Vec<_>>() }));
                properties.extend(keys.clone());
            }
        }
    }
    definition.insert("oneOf".to_owned(), Value::Array(one_of));
}

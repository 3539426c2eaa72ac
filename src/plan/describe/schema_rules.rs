//! The rules of the schema between keys: options of another mode, a search
//! where there is nothing to find, metrics that nobody measures. The model's types cannot say it.

use serde_json::{Map, Value, json};

use super::keys::{definition_name, fixed_definition_name};
use super::tool_schema::{mode_rules, searchable_tests};
use crate::catalog::{BUILT_IN_TOOLS, Metric, Unit};

/// The definition of the metrics that netplan knows by itself, for plans that declare no tools.
const KNOWN_METRICS: &str = "KnownMetrics";

/// Adds the rules to the schema.
pub fn add(schema: &mut Value) {
    if let Some(then) = schema.get_mut("then") {
        let of_tools = then.take();
        *then = json!({ "allOf": [of_tools, { "properties": expects_known_metrics() }] });
    }
    let Some(Value::Object(definitions)) = schema.get_mut("definitions") else {
        return;
    };
    let mut rule = |name: &str, key: &str, value: Value| {
        if let Some(Value::Object(definition)) = definitions.get_mut(name) {
            definition.insert(key.to_owned(), value);
        }
    };
    for tool in BUILT_IN_TOOLS {
        if let Some(rules) = mode_rules(tool) {
            rule(&fixed_definition_name(tool), "allOf", rules.clone());
            rule(&definition_name(tool), "allOf", rules);
        }
    }
    rule(
        "Test",
        "dependencies",
        json!({ "find": searchable_tests() }),
    );
    definitions.insert(KNOWN_METRICS.to_owned(), known_metrics());
}

/// Where a plan without tools of its own expects something: there are only the metrics that netplan
/// knows.
fn expects_known_metrics() -> Value {
    let expect = json!({
        "properties": { "expect": { "$ref": format!("#/definitions/{KNOWN_METRICS}") } }
    });
    let entry = json!({ "allOf": [expect, { "properties": { "mesh": expect } }] });
    let paths = json!({ "items": entry, "properties": { "mesh": expect } });
    json!({ "paths": paths, "tests": { "items": expect } })
}

/// A metric of each word, with bounds in its unit.
fn known_metrics() -> Value {
    let properties: Map<String, Value> = Metric::all_known()
        .map(|metric| {
            let unit = match metric.unit() {
                Unit::BitsPerSecond => "[kMGT]?(bit/s|bps)",
                Unit::Microseconds => "(us|ms|s|m|h)",
                Unit::Percent => "%?",
                Unit::Bytes => "(B|[KMG]iB)?",
                Unit::PerSecond | Unit::Count => "",
            };
            let pattern = format!(r"^\s*[<>]=?\s*[0-9]+(\.[0-9]+)?\s*({unit}|%\s* of .+)\s*$");
            let bound = json!({ "type": "string", "pattern": pattern });
            (metric.word().to_owned(), bound)
        })
        .collect();
    let metrics: Vec<Metric> = Metric::all_known().collect();
    let words: Vec<&str> = metrics.iter().map(Metric::word).collect();
    json!({ "properties": properties, "propertyNames": { "enum": words } })
}

//! What the schema says of keys that stand beside each other: options of another protocol, a search
//! where there is nothing to find, metrics that nobody measures. The model's types cannot say it.

use serde_json::{Map, Value, json};

use crate::plan::decode::tools::builtin::{NOT_FOR_TCP, NOT_FOR_UDP, not_for_netperf};
use crate::plan::model::metric::{Metric, Unit};
use crate::plan::model::tools::tool::{NetperfTest, Protocol};

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
    rule("Iperf3", "allOf", iperf3());
    rule("Netperf", "allOf", netperf());
    rule("Test", "dependencies", json!({ "find": find() }));
    for name in ["Timing", "Test"] {
        whole_seconds(definitions, name);
    }
    for (name, definition) in definitions.iter_mut() {
        if name.starts_with("Sweep") {
            sweep(definition);
        }
    }
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

/// When `key` is `word`, which it also is when it is left out if that is the default.
fn when(key: &str, word: &Value, default: &Value, then: &Value) -> Value {
    let required = if word == default {
        json!([])
    } else {
        json!([key])
    };
    json!({ "if": { "properties": { key: { "const": word } }, "required": required }, "then": then })
}

/// None of these keys.
fn without(keys: &[&str]) -> Map<String, Value> {
    keys.iter()
        .map(|key| ((*key).to_owned(), Value::Bool(false)))
        .collect()
}

fn iperf3() -> Value {
    let default = json!(Protocol::default());
    let of_tcp = json!({ "properties": without(NOT_FOR_TCP) });
    let mut of_udp = without(NOT_FOR_UDP);
    of_udp.insert("zerocopy".to_owned(), json!({ "not": { "const": true } }));
    json!([
        when("protocol", &json!(Protocol::Tcp), &default, &of_tcp),
        when(
            "protocol",
            &json!(Protocol::Udp),
            &default,
            &json!({ "properties": of_udp })
        ),
    ])
}

fn netperf() -> Value {
    let default = json!(NetperfTest::default());
    let rules = NetperfTest::ALL.into_iter().map(|test| {
        let then = json!({ "properties": without(not_for_netperf(test)) });
        when("test", &json!(test), &default, &then)
    });
    rules.collect()
}

/// Only UDP by iperf3 has a rate to find, and only when the plan does not give it.
fn find() -> Value {
    let udp = json!({ "enum": [Protocol::Udp] });
    json!({
        "properties": {
            "iperf3": {
                "type": "object",
                "properties": { "protocol": udp, "rate": false },
                "required": ["protocol"],
            }
        },
        "required": ["iperf3"],
    })
}

/// A sample measures whole seconds, one at least; before it traffic flows for whole seconds.
fn whole_seconds(definitions: &mut Map<String, Value>, name: &str) {
    const SOME: &str = "0*[1-9][0-9]*";
    for (key, number) in [("duration", SOME), ("warmup", "[0-9]+")] {
        // Some fractions of minutes and hours are no whole seconds either.
        let pattern = format!(
            r"^\s*({number}(\.0*)?\s*(s|m|h)|[0-9]+\.[0-9]+\s*(m|h)|0*{number}000(\.0*)?\s*ms|{number}000000(\.0*)?\s*us)\s*$"
        );
        let property = definitions
            .get_mut(name)
            .and_then(|definition| definition.pointer_mut(&format!("/properties/{key}")));
        if let Some(Value::Object(property)) = property {
            property.insert("type".to_owned(), json!("string"));
            property.insert("pattern".to_owned(), json!(pattern));
        }
    }
}

/// No value of a list stands there twice, and a range gets on.
fn sweep(definition: &mut Value) {
    let Some(Value::Array(choices)) = definition.get_mut("anyOf") else {
        return;
    };
    for choice in choices {
        if choice.get("items").is_some()
            && let Some(list) = choice.as_object_mut()
        {
            list.insert("uniqueItems".to_owned(), Value::Bool(true));
        }
        if let Some(Value::Object(step)) = choice.pointer_mut("/properties/step")
            && step.contains_key("minimum")
        {
            step.insert("minimum".to_owned(), json!(1));
        }
    }
}

/// A metric of each word, with bounds in its unit.
fn known_metrics() -> Value {
    let properties: Map<String, Value> = Metric::KNOWN
        .iter()
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
    let words: Vec<&str> = Metric::KNOWN.iter().map(Metric::word).collect();
    json!({ "properties": properties, "propertyNames": { "enum": words } })
}

//! The JSON Schema (draft 7, which editors know best) of plans, from the descriptions of keys.

use std::iter;

use serde_json::{Map, Value, json};

use super::key::{Form, Key, Kind, Limits, List, Mapping, NewName, Presence};
use super::keys::PLAN;
use super::schema_rules;
use crate::catalog::Metric;
use crate::plan::model::choice::Word;
use crate::plan::model::plan_file::VERSION;

/// A DNS label.
const DNS_LABEL: &str = "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$";
/// `result.csv` has no quotes around its fields.
const LABEL: &str = r"^[^,;\x00-\x1f\x7f]*$";
/// One line, and not an empty one.
const LINE: &str = r"^[^\x00-\x1f\x7f-\x9f]*[^\x00-\x1f\x7f-\x9f\s][^\x00-\x1f\x7f-\x9f]*$";
const PACKAGE: &str = "^[a-z0-9][a-z0-9+.-]*$";
const DURATION: &str = r"^\s*[0-9]+(\.[0-9]+)?\s*(us|ms|s|m|h)\s*$";
const BIT_RATE: &str = r"^\s*[0-9]+(\.[0-9]+)?\s*([kMGT]?(bit/s|bps))?\s*$";
const BYTES: &str = r"^\s*[0-9]+(\.[0-9]+)?\s*(B|[KMG]iB)?\s*$";
const PERCENT: &str = r"^\s*[0-9]+(\.[0-9]+)?\s*%\s*$";
const BOUND: &str = r"^\s*[<>]=?\s*[0-9]";
/// The names of metrics of declared tools.
const METRIC: &str = "^[a-z][a-z0-9_]*(\\.[a-z0-9_]+)*$";
/// What holds `${NAME}`.
const VARIABLE: &str = r"\$\{";

/// The JSON Schema of a plan as people write it, with variables instead of values.
#[must_use]
pub fn schema() -> Value {
    let mut schema = Definitions::default();
    let mut root = schema.mapping(&PLAN);
    root.insert(
        "$schema".to_owned(),
        json!("http://json-schema.org/draft-07/schema#"),
    );
    root.insert("title".to_owned(), json!(PLAN.name));
    if let Some(Value::Object(test)) = schema.made.get_mut("Test") {
        let keys = allow_declared_tools(test);
        only_with_tools(&mut root, &keys);
    }
    root.insert("definitions".to_owned(), Value::Object(schema.made));
    let required = root.remove("required");
    let mut root = Value::Object(root);
    schema_rules::add(&mut root);
    allow_variables(&mut root);
    // What is missing may be in what the plan extends.
    root["anyOf"] = json!([{ "required": ["extends"] }, { "required": required }]);
    root
}

/// The definitions of mappings, by name.
#[derive(Default)]
struct Definitions {
    made: Map<String, Value>,
}

impl Definitions {
    fn mapping(&mut self, mapping: &Mapping) -> Map<String, Value> {
        let properties: Map<String, Value> = mapping
            .all_keys()
            .map(|key| (key.name.to_owned(), self.property(key)))
            .collect();
        let required: Vec<&str> = mapping
            .all_keys()
            .filter(|key| key.presence == Presence::Required)
            .map(|key| key.name)
            .collect();
        let kind = if mapping.may_be_empty {
            json!(["object", "null"])
        } else {
            json!("object")
        };
        let mut schema = object(json!({
            "type": kind,
            "properties": properties,
            "additionalProperties": false,
        }));
        describe(&mut schema, mapping.text);
        if !required.is_empty() {
            schema.insert("required".to_owned(), json!(required));
        }
        let one_of = (mapping.one_of)();
        if !one_of.is_empty() {
            let required = |key: &Key| json!({ "required": [key.name] });
            let choices: Vec<Value> = one_of.iter().map(required).collect();
            schema.insert("oneOf".to_owned(), json!(choices));
        }
        schema
    }

    fn property(&mut self, key: &Key) -> Value {
        let mut value = self.value(&key.kind);
        if let Some(most) = key.most {
            let limit = match key.kind {
                Kind::Names(..) => "maxProperties",
                _ => "maxItems",
            };
            value.insert(limit.to_owned(), json!(most.entries));
        }
        let default = match key.presence {
            Presence::Default(default) => format!("Default: {default}."),
            Presence::Required | Presence::Optional => String::new(),
        };
        let text = [key.text, &default].join(" ");
        if !text.trim().is_empty() {
            if value.contains_key("$ref") {
                // Nothing beside a reference counts.
                value = object(json!({ "allOf": [value] }));
            }
            describe(&mut value, text.trim());
        }
        Value::Object(value)
    }

    fn value(&mut self, kind: &Kind) -> Map<String, Value> {
        object(match kind {
            Kind::Version => json!({ "const": VERSION }),
            Kind::Text(form) => Value::Object(text(form)),
            Kind::Bool => json!({ "type": "boolean" }),
            Kind::Number(limits) => Value::Object(number(*limits)),
            Kind::Duration(_) | Kind::ShortDuration(_) => {
                json!({ "type": "string", "pattern": DURATION })
            }
            Kind::WholeSeconds(limits) => {
                json!({ "type": "string", "pattern": whole_seconds(*limits) })
            }
            Kind::Rate(limits) => quantity(*limits, BIT_RATE),
            Kind::Bytes(limits) => quantity(*limits, BYTES),
            Kind::Percent(..) => json!({ "type": "string", "pattern": PERCENT }),
            Kind::AnyNumber => json!({ "type": ["integer", "string"], "minimum": 0 }),
            Kind::Sweep(of) => self.sweep(of),
            Kind::Word(words) => {
                let words = words();
                let spellings = |one: &Word| {
                    let also = one.also.iter().map(|other| (*other).to_owned());
                    iter::once(one.name.clone())
                        .chain(also)
                        .map(|word| (word, one.text))
                        .collect::<Vec<_>>()
                };
                let words: Vec<_> = words.iter().flat_map(spellings).collect();
                word(words.iter().map(|(word, text)| (word.as_str(), *text)))
            }
            Kind::Words(words) => word(words.iter().copied()),
            Kind::Map(mapping) => {
                if !self.made.contains_key(mapping.name) {
                    self.made.insert(mapping.name.to_owned(), Value::Null);
                    let made = self.mapping(mapping);
                    self.made
                        .insert(mapping.name.to_owned(), Value::Object(made));
                }
                json!({ "$ref": format!("#/definitions/{}", mapping.name) })
            }
            Kind::Names(names, of) => {
                let mut schema = object(json!({
                    "type": "object",
                    "additionalProperties": self.value(of),
                }));
                let names = text(names);
                if names.len() > 1 {
                    schema.insert("propertyNames".to_owned(), Value::Object(names));
                }
                Value::Object(schema)
            }
            Kind::List(List {
                item, is_unique, ..
            }) => {
                let mut schema = object(json!({
                    "type": "array",
                    "items": self.value(item),
                    "minItems": 1,
                }));
                if *is_unique {
                    schema.insert("uniqueItems".to_owned(), json!(true));
                }
                Value::Object(schema)
            }
            Kind::Either(kinds) => {
                let kinds: Vec<_> = kinds.iter().map(|kind| self.value(kind)).collect();
                json!({ "anyOf": kinds })
            }
            Kind::Bounds => bounds(),
            Kind::PodTemplate => json!({
                "type": "object",
                "properties": { "metadata": { "type": "object" }, "spec": { "type": "object" } },
                "additionalProperties": false,
            }),
            Kind::Fields => json!({ "type": "object" }),
            Kind::Scalar => json!({ "type": ["string", "number", "boolean"] }),
        })
    }

    /// The limits hold for single values and for the start of a range, whose end depends on its step.
    fn sweep(&mut self, of: &Kind) -> Value {
        let one = self.value(of);
        let mut free = one.clone();
        free.remove("maximum");
        free.insert("minimum".to_owned(), json!(1));
        json!({ "anyOf": [
            one,
            { "type": "array", "items": one, "minItems": 1, "uniqueItems": true },
            {
                "type": "object",
                "properties": { "from": one, "to": free, "step": free },
                "required": ["from", "to", "step"],
                "additionalProperties": false,
            },
        ] })
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

fn describe(schema: &mut Map<String, Value>, text: &str) {
    if !text.is_empty() {
        schema.insert("description".to_owned(), json!(text));
    }
}

fn number(Limits { least, most, .. }: Limits) -> Map<String, Value> {
    let mut schema = object(json!({ "type": "integer", "minimum": least }));
    if most < u64::MAX {
        schema.insert("maximum".to_owned(), json!(most));
    }
    schema
}

/// A number with a unit; the limits hold for plain numbers.
fn quantity(limits: Limits, pattern: &str) -> Value {
    let mut schema = number(limits);
    schema.insert("type".to_owned(), json!(["string", "integer"]));
    schema.insert("pattern".to_owned(), json!(pattern));
    Value::Object(schema)
}

fn text(form: &Form) -> Map<String, Value> {
    object(match form {
        Form::Any | Form::Checked(_) => json!({ "type": "string" }),
        Form::Pattern(pattern) => json!({ "type": "string", "pattern": pattern }),
        Form::Label(longest) => {
            json!({ "type": "string", "maxLength": longest, "pattern": LABEL })
        }
        Form::Sentence(longest) => {
            json!({ "type": "string", "maxLength": longest, "pattern": LINE })
        }
        Form::Package(longest) => {
            json!({ "type": "string", "maxLength": longest, "pattern": PACKAGE })
        }
        Form::DnsLabel(longest) => {
            json!({ "type": "string", "maxLength": longest, "pattern": DNS_LABEL })
        }
        Form::NewName(NewName { longest, reserved }) => json!({
            "type": "string",
            "maxLength": longest,
            "pattern": DNS_LABEL,
            "not": { "enum": reserved() },
        }),
    })
}

fn word<'w>(words: impl Iterator<Item = (&'w str, &'w str)> + Clone) -> Value {
    if words.clone().all(|(_, text)| text.is_empty()) {
        let words: Vec<&str> = words.map(|(word, _)| word).collect();
        return json!({ "type": "string", "enum": words });
    }
    let choice = |(word, text)| {
        let mut choice = object(json!({ "type": "string", "const": word }));
        describe(&mut choice, text);
        choice
    };
    json!({ "oneOf": words.map(choice).collect::<Vec<_>>() })
}

/// Whole seconds, also in other units; from 1 if `limits` say so.
fn whole_seconds(limits: Limits) -> String {
    let number = if limits.least > 0 {
        "0*[1-9][0-9]*"
    } else {
        "[0-9]+"
    };
    // Some fractions of minutes and hours are not whole seconds either.
    format!(
        r"^\s*({number}(\.0*)?\s*(s|m|h)|[0-9]+\.[0-9]+\s*(m|h)|{number}000(\.0*)?\s*ms|{number}000000(\.0*)?\s*us)\s*$"
    )
}

/// Metrics with bounds. Any other name may be one of a declared tool's metrics.
fn bounds() -> Value {
    let bound = |metric: &Metric| {
        let text = metric_text(metric);
        let value = json!({ "description": text, "type": "string", "pattern": BOUND });
        (metric.word().to_owned(), value)
    };
    let properties: Map<String, Value> = Metric::all_known().map(|metric| bound(&metric)).collect();
    json!({
        "description": BOUNDS_TEXT,
        "type": "object",
        "properties": properties,
        "patternProperties": { METRIC: { "type": "string", "pattern": BOUND } },
        "additionalProperties": false,
    })
}

/// What all bounds have in common.
pub const BOUNDS_TEXT: &str = "A bound is `>=`, `>`, `<=` or `<`, and a value with its unit, or a share \
                               of what another path of the same run has, e.g. `'>= 85% of remote-pod'`.";

/// What a metric is, and how its bound is written.
pub fn metric_text(metric: &Metric) -> String {
    let unit = metric.unit();
    let sign = if unit.more_is_better() { ">=" } else { "<=" };
    format!("{} E.g. `'{sign} {}'`.", metric.text(), unit.example())
}

/// Lets a test have one key more: the name of a declared tool, with values of its parameters. Gives the
/// keys that tests have besides.
fn allow_declared_tools(test: &mut Map<String, Value>) -> Vec<String> {
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

/// Lets every value that is not free text be a text with a variable in it.
fn allow_variables(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(allow_variables),
        Value::Object(schema) => {
            // Names are not values.
            let values = schema.iter_mut().filter(|(key, _)| *key != "propertyNames");
            values.for_each(|(_, value)| allow_variables(value));
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

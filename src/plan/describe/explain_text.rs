//! What the parts of a schema say, in words.

use serde_json::{Map, Value};

/// The name of the type that a schema refers to.
pub fn named(schema: &Map<String, Value>) -> Option<&str> {
    schema.get("$ref")?.as_str()?.rsplit('/').next()
}

/// What people call a quantity's type.
pub fn quantity(name: &str) -> Option<&'static str> {
    Some(match name {
        "Duration" => "duration",
        "BitRate" => "bit rate",
        "Bytes" => "bytes",
        "Percent" => "percentage",
        _ => return None,
    })
}

/// Of a type, or of several, the first.
pub fn first_type(kind: &Value) -> &str {
    match kind {
        Value::Array(kinds) => kinds.first().and_then(Value::as_str),
        kind => kind.as_str(),
    }
    .unwrap_or_default()
}

/// ` from 1 to 128`, by what is said nearest.
pub fn range(views: &[&Map<String, Value>]) -> String {
    let of = |key| views.iter().find_map(|view| view.get(key)?.as_u64());
    match (of("minimum"), of("maximum")) {
        (Some(least), Some(most)) => format!(" from {least} to {most}"),
        (Some(least), None) if least > 0 => format!(" from {least}"),
        _ => String::new(),
    }
}

/// The words that a schema allows.
pub fn words(schema: &Map<String, Value>) -> Vec<(String, String)> {
    let word = |word: &Value, text: &str| Some((word.as_str()?.to_owned(), text.to_owned()));
    let listed = |schema: &Map<String, Value>| -> Vec<(String, String)> {
        let listed = schema.get("enum").and_then(Value::as_array);
        listed
            .into_iter()
            .flatten()
            .filter_map(|value| word(value, ""))
            .collect()
    };
    let mut words = listed(schema);
    let choices = schema.get("oneOf").and_then(Value::as_array);
    for choice in choices.into_iter().flatten().filter_map(Value::as_object) {
        words.extend(listed(choice));
        let text = choice.get("description").and_then(Value::as_str);
        let only = choice.get("const");
        words.extend(only.and_then(|only| word(only, text.unwrap_or_default())));
    }
    words
}

/// A text without its `Default: …`, and that.
pub fn split_default(text: &str) -> (String, Option<String>) {
    let Some((before, after)) = text.split_once("Default: ") else {
        return (text.to_owned(), None);
    };
    let end = after.find(". ").map_or(after.len(), |end| end + 1);
    let (default, behind) = after.split_at(end);
    let text = format!("{}{behind}", before.trim_end());
    (text, Some(default.trim_end_matches('.').to_owned()))
}

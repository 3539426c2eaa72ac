//! Objects → YAML that every parser reads alike.
//!
//! Kubernetes reads YAML 1.1, in which `yes` is a boolean and `0b11` a number. So each text is in
//! quotes, or a block.

use std::fmt::Write;

use serde_json::Value;

use crate::diag::printable::{is_hash_command, is_safe, is_unsafe};

/// An object as a YAML document.
pub(super) fn yaml(value: &Value) -> String {
    let mut text = String::new();
    below(value, 0, &mut text);
    text.trim_start_matches(['\n', ' ']).to_owned() + "\n"
}

/// A value that follows `key:` or `-`, with its further lines indented.
fn below(value: &Value, indent: usize, text: &mut String) {
    let margin = " ".repeat(indent);
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (key, value) in fields {
                text.extend(["\n", &margin, &word(key), ":"]);
                below(value, indent + 2, text);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for item in items {
                text.extend(["\n", &margin, "-"]);
                let mut inner = String::new();
                below(item, indent + 2, &mut inner);
                // A mapping starts on the line of its dash.
                *text += " ";
                *text += inner.trim_start_matches(['\n', ' ']);
            }
        }
        Value::String(lines) if lines.contains('\n') => match block(lines, indent.max(2)) {
            Some(block) => text.extend([" ", &block]),
            None => text.extend([" ", &quoted(lines)]),
        },
        Value::String(line) => text.extend([" ", &quoted(line)]),
        // JSON is YAML.
        _ => text.extend([" ", &value.to_string()]),
    }
}

/// A text as a YAML block scalar (`|`), each line indented by `indent`, so that people can read it; in
/// quotes when some of its characters are not safe to show.
///
/// `None` for a text that a block scalar cannot hold: with tabs, starting with a space, where the
/// indentation would be ambiguous, or ending in empty lines, which would be lost.
pub(super) fn block(text: &str, indent: usize) -> Option<String> {
    if !is_safe(text) {
        // Only a quoted text can hold escapes.
        return Some(quoted(text));
    }
    let is_control = |c: char| c.is_control() && c != '\n';
    if text.starts_with([' ', '\n']) || text.ends_with("\n\n") || text.contains(is_control) {
        return None;
    }
    let margin = " ".repeat(indent);
    let mut scalar = if text.ends_with('\n') { "|" } else { "|-" }.to_owned();
    for line in text.lines() {
        scalar.push('\n');
        if !line.is_empty() {
            scalar.extend([&margin, line]);
        }
    }
    Some(scalar)
}

/// A text in double quotes.
pub(super) fn quoted(text: &str) -> String {
    as_yaml(&Value::from(text).to_string())
}

/// JSON as YAML, with escapes for what is not safe to show, and for the line breaks that only YAML knows.
pub(super) fn as_yaml(json: &str) -> String {
    let mut yaml = String::with_capacity(json.len());
    for (at, c) in json.char_indices() {
        let is_command = c == '#' && is_hash_command(&json[at..]);
        // JSON has two escapes for a character beyond 16 bits, which YAML does not know.
        let _ = match u32::from(c) {
            code @ 0x1_0000.. if is_unsafe(c) => write!(yaml, "\\U{code:08x}"),
            code if is_command || is_unsafe(c) => write!(yaml, "\\u{code:04x}"),
            _ => yaml.write_char(c),
        };
    }
    yaml
}

/// A key without quotes where that cannot be misread.
fn word(key: &str) -> String {
    let plain = key.len() > 5
        && key.starts_with(|c: char| c.is_ascii_alphabetic())
        && key
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-./_".contains(&byte));
    let known = [
        "kind", "name", "spec", "data", "type", "image", "port", "env", "from", "to", "key",
    ];
    if plain || known.contains(&key) {
        key.to_owned()
    } else {
        quoted(key)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::diag::printable::{is_safe, tests::hostile};

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            "[ -~\\nä→\t]{0,12}".prop_map(Value::from),
            hostile().prop_map(Value::from),
            prop::sample::select(vec!["yes", "0b11", "~", "1e3", "a\n\nb\n\n", " a\nb"])
                .prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 30, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[ -~]{0,9}", inner, 0..4).prop_map(|map| json!(map)),
            ]
        })
    }

    proptest! {
        #[test]
        fn every_value_survives(value in values()) {
            let text = yaml(&value);
            prop_assert!(is_safe(&text), "{}", text);
            prop_assert_eq!(crate::plan::document(&text).map_err(|e| TestCaseError::fail(e.to_string()))?, value, "{}", text);
        }
    }

    #[test]
    fn texts_that_yaml_1_1_misreads_are_in_quotes() {
        assert_eq!(
            yaml(
                &json!({"labels": {"on": "yes", "netplan/run": "0b11"}, "data": {"x.y": "a\n  b\n"}, "name": [{"name": "c", "list": []}, [1]]})
            ),
            "labels:\n  \"on\": \"yes\"\n  netplan/run: \"0b11\"\ndata:\n  \"x.y\": |\n    a\n      b\nname:\n  - name: \"c\"\n    \"list\": []\n  - - 1\n"
        );
    }
}

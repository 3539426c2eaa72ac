//! The value of a YAML scalar.

use super::tree::{Scalar, Value};

/// A scalar with its variables replaced. Within braces a variable needs quotes, so they say nothing
/// of what it is.
pub fn filled(text: String) -> Scalar {
    Scalar {
        value: resolve(&text),
        text,
        filled: true,
    }
}

/// What YAML 1.2 takes a plain scalar for, by `serde_yaml`'s rules.
pub fn resolve(text: &str) -> Value {
    let word = |c: char| c.is_ascii_alphanumeric() || "+-._~".contains(c);
    // At its start `serde_yaml` would take these for the marks of a document.
    let mark = text.starts_with("---") || text.starts_with("...");
    if mark || text.len() > 64 || !text.chars().all(word) {
        return Value::Text;
    }
    match serde_yaml::from_str(text) {
        Ok(serde_yaml::Value::Null) => Value::Null,
        Ok(serde_yaml::Value::Bool(value)) => Value::Bool(value),
        Ok(serde_yaml::Value::Number(number)) => {
            number.as_u64().map_or(Value::Number, Value::Whole)
        }
        _ => Value::Text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_follow_yaml_1_2() {
        let value = |text| resolve(text);
        assert_eq!(value("0x10"), Value::Whole(16));
        assert_eq!(value("-1"), Value::Number);
        assert_eq!(value("1.5"), Value::Number);
        assert_eq!(value("true"), Value::Bool(true));
        for text in ["no", "off", "10s", "1:30", "---", "a, b", "*a", "!x"] {
            assert_eq!(value(text), Value::Text, "{text}");
        }
        for text in ["", "~", "null"] {
            assert_eq!(value(text), Value::Null, "{text}");
        }
    }
}

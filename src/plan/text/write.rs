//! Values → YAML text, as compact as a person would write it.

use serde::{Serialize, Serializer};
use serde_yaml::Value;

use super::variables;

/// Why there is no YAML text of a plan.
#[derive(Debug, thiserror::Error)]
#[error("the plan cannot be written as YAML: {0}")]
pub struct YamlError(#[from] serde_yaml::Error);

/// A value as YAML. A text that looks like a variable is escaped, so that [`variables::fill`] does
/// not replace it when the text is read again.
///
/// # Errors
/// The writer's; no loaded plan is known to cause one.
pub fn to_yaml(value: &impl Serialize) -> Result<String, YamlError> {
    let mut value = serde_yaml::to_value(value)?;
    escape(&mut value);
    Ok(serde_yaml::to_string(&value)?)
}

/// Writes an enum as a mapping with one key instead of as a tagged value.
///
/// # Errors
/// The serializer's.
pub fn one_key<T: Serialize, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serde_yaml::with::singleton_map::serialize(value, serializer)
}

fn escape(value: &mut Value) {
    match value {
        Value::String(text) if text.contains("${") => *text = variables::escaped(text),
        Value::Sequence(items) => items.iter_mut().for_each(escape),
        Value::Mapping(map) => map.values_mut().for_each(escape),
        _ => {}
    }
}

//! YAML documents that are no plans: rendered manifests.

use serde::Deserialize;

/// Parses a text of exactly one YAML document.
///
/// # Errors
/// The parser's message with line and column, or that the text holds none or several documents.
pub fn document(text: &str) -> Result<serde_json::Value, String> {
    let mut documents = serde_yaml::Deserializer::from_str(text);
    let first = documents.next().ok_or("the text holds no YAML document")?;
    let value = serde_json::Value::deserialize(first).map_err(|error| error.to_string())?;
    if documents.next().is_some() {
        return Err("the text holds several YAML documents; one is expected".to_owned());
    }
    Ok(value)
}

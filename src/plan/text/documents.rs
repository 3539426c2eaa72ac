//! YAML documents that are not plans: rendered manifests.

use serde::Deserialize;

/// Why a text is not one YAML document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct DocumentError {
    pub what: String,
    /// Where the parser stopped, in bytes, if it says so.
    pub at: Option<usize>,
}

/// Parses a text of exactly one YAML document.
///
/// # Errors
/// The parser's message, or that the text holds none or several documents.
pub fn document(text: &str) -> Result<serde_json::Value, DocumentError> {
    let wrong = |what: &str| DocumentError {
        what: what.to_owned(),
        at: None,
    };
    let mut documents = serde_yaml::Deserializer::from_str(text);
    let first = documents
        .next()
        .ok_or_else(|| wrong("the text holds no YAML document"))?;
    let value = serde_json::Value::deserialize(first).map_err(|error| DocumentError {
        at: error.location().map(|location| location.index()),
        what: error.to_string(),
    })?;
    if documents.next().is_some() {
        return Err(wrong(
            "the text holds several YAML documents; one is expected",
        ));
    }
    Ok(value)
}

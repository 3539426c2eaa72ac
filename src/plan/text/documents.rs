//! YAML documents that are not plans: rendered manifests.

use serde::Deserialize;
use serde_json::Value;

/// Why a text does not hold the YAML documents that it should.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct DocumentError {
    pub what: String,
    /// Where the parser stopped, in bytes, if it says so.
    pub at: Option<usize>,
}

impl DocumentError {
    fn new(what: &str) -> Self {
        Self {
            what: what.to_owned(),
            at: None,
        }
    }
}

/// Parses a text of exactly one YAML document.
///
/// # Errors
/// The parser's message, or that the text holds none or several documents.
pub fn document(text: &str) -> Result<Value, DocumentError> {
    let mut documents = serde_yaml::Deserializer::from_str(text);
    let first = documents
        .next()
        .ok_or_else(|| DocumentError::new("the text holds no YAML document"))?;
    let value = read(first)?;
    if documents.next().is_some() {
        return Err(DocumentError::new(
            "the text holds several YAML documents; one is expected",
        ));
    }
    Ok(value)
}

/// Parses a text of YAML documents, at most so many; those with nothing in them are left out.
///
/// # Errors
/// The parser's message, or that there are more documents.
pub fn documents(text: &str, most: usize) -> Result<Vec<Value>, DocumentError> {
    let mut found = Vec::new();
    for document in serde_yaml::Deserializer::from_str(text) {
        let value = read(document)?;
        if value.is_null() {
            continue;
        }
        if found.len() == most {
            let what = format!("the text holds more than {most} YAML documents");
            return Err(DocumentError::new(&what));
        }
        found.push(value);
    }
    Ok(found)
}

fn read(document: serde_yaml::Deserializer<'_>) -> Result<Value, DocumentError> {
    Value::deserialize(document).map_err(|error| DocumentError {
        at: error.location().map(|location| location.index()),
        what: error.to_string(),
    })
}

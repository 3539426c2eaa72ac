//! Checks an object against the list of supported fields.

use serde_json::Value;

use super::fields::{Field, Support};
use crate::diag::one_of;

/// A field that the local cluster does not support, or not with this value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unsupported {
    /// The field's path: `spec.containers[0].image`.
    pub field: String,
    pub what: String,
}

/// Checks all fields of an object, removes the ignored ones, and turns octal file modes into numbers.
///
/// # Errors
/// The first field that is not in the list, is missing, or has an unsupported value.
pub(super) fn check(object: &mut Value, fields: Vec<Field>) -> Result<(), Unsupported> {
    SupportedFields(fields).check(object, "", "")
}

struct SupportedFields(Vec<Field>);

impl SupportedFields {
    /// Checks a value; `pattern` is its path in the list, `path` that in the object.
    fn check(&self, value: &mut Value, pattern: &str, path: &str) -> Result<(), Unsupported> {
        match (self.support(pattern), value) {
            (Some(Support::Parent), Value::Object(entries)) => {
                for (key, value) in entries.iter_mut() {
                    let (child, path) = (join(pattern, key), join(path, key));
                    // A key with a separator would look like a field further below.
                    if key.contains(['.', '[']) || self.support(&child).is_none() {
                        return unsupported(&path, self.unknown(pattern));
                    }
                    self.check(value, &child, &path)?;
                }
                let is_ignored =
                    |key: &str| self.support(&join(pattern, key)) == Some(&Support::Ignored);
                entries.retain(|key, _| !is_ignored(key));
                let is_missing = |(key, field): &(&str, &Field)| {
                    field.is_required && !key.contains(['.', '[']) && !entries.contains_key(*key)
                };
                match self.below(pattern).find(is_missing) {
                    Some((key, _)) => unsupported(&join(path, key), "the field is missing"),
                    None => Ok(()),
                }
            }
            (Some(Support::Parent), Value::Array(items)) => {
                let pattern = format!("{pattern}[]");
                let mut items = items.iter_mut().enumerate();
                items.try_for_each(|(index, item)| {
                    self.check(item, &pattern, &format!("{path}[{index}]"))
                })
            }
            (Some(support), value) => check_value(support, value, path),
            (None, _) => unsupported(path, "the local cluster does not support a list here"),
        }
    }

    /// What the list says about a path; a path that others begin with is a parent.
    fn support(&self, pattern: &str) -> Option<&Support> {
        let listed = self.0.iter().find(|field| field.path == pattern);
        match listed {
            Some(field) => Some(&field.support),
            None => self.below(pattern).next().map(|_| &Support::Parent),
        }
    }

    /// The fields below a parent, by the rest of their paths; `[]` is below a list.
    fn below<'a>(&'a self, parent: &'a str) -> impl Iterator<Item = (&'a str, &'a Field)> {
        self.0.iter().filter_map(move |field| {
            let rest = field.path.strip_prefix(parent)?;
            let is_item = rest.starts_with("[]");
            let child = Some(rest).filter(|_| parent.is_empty() || is_item);
            Some((child.or_else(|| rest.strip_prefix('.'))?, field))
        })
    }

    /// The message about a field that is not listed below this parent.
    fn unknown(&self, parent: &str) -> String {
        let mut known: Vec<&str> = self
            .below(parent)
            .filter_map(|(below, _)| below.split(['.', '[']).next())
            .filter(|name| !name.is_empty())
            .collect();
        known.sort_unstable();
        known.dedup();
        let what = "the local cluster does not support this field";
        match known.as_slice() {
            // There is a list in its place.
            [] => what.to_owned(),
            known => format!("{what}; it supports {}", one_of(known.iter().copied())),
        }
    }
}

fn check_value(support: &Support, value: &mut Value, path: &str) -> Result<(), Unsupported> {
    let is_supported = match support {
        // The same as a missing field.
        _ if value.is_null() => true,
        // The type is checked when the object is read.
        Support::Used | Support::Ignored | Support::Parent => true,
        Support::OneOf(known) => value.as_str().is_some_and(|text| known.contains(&text)),
        Support::Number(from, to) => value
            .as_u64()
            .is_some_and(|number| (from..=to).contains(&&number)),
        Support::FileMode => {
            let text = value.as_str().filter(|text| text.starts_with('0'));
            let octal = text.map(|text| u64::from_str_radix(text.trim_start_matches("0o"), 8));
            if let Some(Ok(mode)) = octal {
                *value = mode.into();
            }
            value.as_u64().is_some_and(|mode| mode <= 0o777)
        }
    };
    if is_supported {
        return Ok(());
    }
    let expected = match support {
        Support::OneOf(known) => one_of(known.iter().copied()),
        Support::Number(from, to) if from == to => from.to_string(),
        Support::Number(from, to) => format!("a whole number from {from} to {to}"),
        _ => "a file mode from 0 to 0777".to_owned(),
    };
    unsupported(path, format!("expected {expected}, not {value}"))
}

fn unsupported(field: &str, what: impl Into<String>) -> Result<(), Unsupported> {
    Err(Unsupported {
        field: field.to_owned(),
        what: what.into(),
    })
}

fn join(parent: &str, child: &str) -> String {
    if parent.is_empty() {
        child.to_owned()
    } else {
        format!("{parent}.{child}")
    }
}

#[cfg(test)]
mod tests;

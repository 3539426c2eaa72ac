//! What the language looks like: the JSON Schema, `netplan explain` and the reference page.

pub mod explain;
mod explain_text;
pub mod reference;
pub mod schema;
mod schema_rules;

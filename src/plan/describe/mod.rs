//! What the language looks like: the JSON Schema, `netplan explain` and the reference page.

pub mod explain;
pub mod key;
pub mod keys;
pub mod reference;
pub mod schema;
mod schema_rules;
mod tool_schema;

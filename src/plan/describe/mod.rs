//! What the language looks like: the JSON Schema, `netplan explain`, the reference page and the plan of
//! `netplan init`.

pub mod explain;
pub mod init;
pub mod key;
pub mod keys;
pub mod reference;
pub mod schema;
mod schema_rules;
mod tool_schema;

//! YAML with positions: text → [`tree::Tree`], with what the plan extends, sets and draws from the
//! environment. Only this folder uses the YAML crates.

pub mod attach;
pub mod documents;
pub mod extend;
pub mod parse;
pub mod scalar;
pub mod set;
pub mod source_env;
mod syntax_errors;
pub mod tree;
mod tree_builder;
pub mod variables;
pub mod write;

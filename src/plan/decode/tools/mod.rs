//! The decoders of tools: options of built-in tools, and `tools:`, which declares others.

pub mod builtin;
pub mod command;
pub mod command_check;
pub mod declared;
pub mod direction;
pub mod extractor;
pub mod parameter;

//! Tools that a plan declares.

mod command;
mod output;
mod tool;

pub use command::Declared;

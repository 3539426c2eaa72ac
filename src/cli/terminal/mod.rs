//! The terminal: printing, colour, questions.

pub(in crate::cli) mod color;
pub(in crate::cli) mod confirm;
pub(in crate::cli) mod printer;

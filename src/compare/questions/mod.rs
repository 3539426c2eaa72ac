//! What is asked of two sides: what decides, and what is only marked.

pub mod mark;
pub mod question;
pub mod subject;

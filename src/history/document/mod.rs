//! The history as a document: findings, the series that changed, and the others folded.

mod from_history;
mod names;
mod notes;
mod tables;

//! What an answer is about.

/// What is judged.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Subject {
    pub test: String,
    pub path: String,
    /// The path that it is a ratio to; only between different machines.
    pub plain: Option<String>,
    /// By the journal's name.
    pub metric: String,
}

//! What an answer is about.

/// What is judged.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Subject {
    pub test: String,
    pub path: String,
    /// The path that it is a ratio to: between different machines, and of a path under a variant.
    pub plain: Option<String>,
    /// By the journal's name.
    pub metric: String,
}

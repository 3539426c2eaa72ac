//! What a document of a comparison is for.

/// What a document of a comparison is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// A terminal: possible causes above the verdict.
    Table,
    /// A comment on a pull request: the verdict first.
    Comment,
    /// A page: the verdict first, with charts.
    Page,
}

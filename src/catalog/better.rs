//! Which of two figures of a metric is the better one.

/// Which way a metric changes for the better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Better {
    More,
    Less,
    /// It describes the sample; more and less are equally good.
    Neither,
}

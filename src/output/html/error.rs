//! Why a page cannot be made.

use minijinja::Error;

/// Why a page cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum HtmlError {
    #[error("cannot write the values of a chart: {0}")]
    Data(#[from] serde_json::Error),
    #[error("cannot fill in the page's template: {0}")]
    Template(#[from] Error),
}

//! Traffic that runs around each sample of a test.

use serde::Serialize;

use super::tools::tool::ToolSpec;

/// A tool that sends on some paths while a test measures.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Load {
    /// The tool and its options, each with one value.
    #[serde(flatten)]
    pub tool: ToolSpec,
    /// The names of single paths.
    pub paths: Vec<String>,
}

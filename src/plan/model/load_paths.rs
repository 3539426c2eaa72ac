//! The loads of a test in a plan: which run on which paths.

use super::path::Path;
use super::plan::Plan;
use super::plan_file::Test;
use super::test_load::Load;
use super::tools::tool::ToolSpec;

/// A load of a test on one of its paths, in a variant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LoadPath<'a> {
    pub tool: &'a ToolSpec,
    /// Index into the plan's paths.
    pub path: usize,
}

impl Plan {
    /// What runs around each sample of a test in a variant: load by load, path by path.
    #[must_use]
    pub fn loads_of<'a>(&'a self, test: &'a Test, variant: usize) -> Vec<LoadPath<'a>> {
        let of_load = |load: &'a Load| {
            load.paths.iter().filter_map(move |name| {
                let is_named = |path: &Path| path.variant == variant && path.plain_name() == name;
                let path = self.paths.iter().position(is_named)?;
                Some(LoadPath {
                    tool: &load.tool,
                    path,
                })
            })
        };
        test.load.iter().flat_map(of_load).collect()
    }
}

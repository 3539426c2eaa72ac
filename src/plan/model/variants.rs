//! Variants: configurations of the workers under which the same cells are measured, in pairs.

use indexmap::IndexMap;
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use super::local::LocalPods;
use super::objects::ObjectFile;
use super::pod_settings::PodSettings;
use super::tools::tool::ToolSpec;

/// In a variant's `workers:` the settings of every worker.
pub const ALL_WORKERS: &str = "all";

/// Between the name of a path and that of the variant that measures it. No name of a plan has it.
pub const VARIANT_MARK: char = '@';

/// Fewer rounds are not enough for an interval that is of use.
pub const LEAST_ROUNDS: u32 = 6;

/// What one variant changes. An empty one changes nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Variant {
    /// By the name of a worker, of a group, or [`ALL_WORKERS`].
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub workers: IndexMap<String, PodSettings>,
    /// By the name of a test, its tool with the variant's parameters.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub tests: IndexMap<String, ToolParameters>,
    /// Kubernetes objects that exist for this variant alone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub objects: Vec<ObjectFile>,
    #[serde(skip_serializing_if = "VariantLocal::is_empty")]
    pub local: VariantLocal,
}

/// What a variant changes of the local cluster.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct VariantLocal {
    #[serde(skip_serializing_if = "LocalPods::is_empty")]
    pub pods: LocalPods,
}

impl VariantLocal {
    /// Whether nothing is said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pods.is_empty()
    }
}

/// The tool of a test with some parameters changed. A plan writes these alone.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolParameters {
    /// The tool with all of its parameters.
    pub tool: ToolSpec,
    /// The names of those that the variant changes.
    pub changed: Vec<String>,
}

impl Variant {
    /// What the variant says of a worker, or of a group, by its name.
    #[must_use]
    pub fn pods_of(&self, worker: &str) -> PodSettings {
        let own = self.workers.get(worker).cloned().unwrap_or_default();
        let all = self.workers.get(ALL_WORKERS);
        all.map_or_else(|| own.clone(), |all| own.over(all))
    }
}

impl ToolParameters {
    fn has_changed(&self, name: &str) -> bool {
        self.changed.iter().any(|changed| changed == name)
    }
}

impl Serialize for ToolParameters {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.tool {
            ToolSpec::BuiltIn(used) => {
                let mut map = serializer.serialize_map(None)?;
                used.write_options(&mut map, |name| self.has_changed(name))?;
                map.end()
            }
            ToolSpec::Declared(used) => {
                let values = used.values.iter();
                serializer.collect_map(values.filter(|(name, _)| self.has_changed(name)))
            }
        }
    }
}

/// The name of a worker or of a group in a variant that is not the base.
#[must_use]
pub fn worker_of_variant(worker: &str, variant: &str) -> String {
    format!("{worker}-{variant}")
}

/// How many rounds a test with so many variants has, where the plan does not say: whole Latin squares.
#[must_use]
pub fn default_rounds(variants: usize) -> u32 {
    let variants = u32::try_from(variants).unwrap_or(u32::MAX).max(1);
    LEAST_ROUNDS.div_ceil(variants).saturating_mul(variants)
}

//! Plan → text, as compact as a person would write it.

use std::sync::Arc;

use indexmap::IndexMap;
use serde::{Serialize, Serializer};

use super::kubernetes::Kubernetes;
use super::local::Local;
use super::mesh::PathEntry;
use super::plan::{Concurrency, Order, Placement, Plan, Test};
use super::tools::declared::DeclaredTool;
use crate::plan::text::{self, write::YamlError};

impl Plan {
    /// The plan as text, every default filled in and every group's size pinned; [`load`] reads it
    /// again.
    ///
    /// [`load`]: crate::plan::load()
    ///
    /// # Errors
    /// The writer's, of which none is known for a plan that was loaded.
    pub fn to_yaml(&self) -> Result<String, YamlError> {
        text::write::to_yaml(self)
    }
}

/// A plan's keys in their order, groups and meshes as one each.
#[derive(Serialize)]
struct Written<'a> {
    version: u32,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    workers: IndexMap<String, Placement>,
    paths: Vec<PathEntry>,
    order: Order,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
    concurrency: Concurrency,
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    tools: &'a IndexMap<String, Arc<DeclaredTool>>,
    tests: &'a [Test],
    local: &'a Local,
    kubernetes: &'a Kubernetes,
}

impl Serialize for Plan {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Written {
            version: self.version,
            name: &self.name,
            description: self.description.as_deref(),
            workers: self.written_workers(true),
            paths: self.written_paths(),
            order: self.order,
            seed: self.seed,
            concurrency: self.concurrency,
            tools: &self.tools,
            tests: &self.tests,
            local: &self.local,
            kubernetes: &self.kubernetes,
        }
        .serialize(serializer)
    }
}

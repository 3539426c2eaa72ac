//! Plan → text, as compact as a person would write it.

use std::sync::Arc;

use indexmap::IndexMap;
use serde::{Serialize, Serializer};
use serde_yaml::Value;

use super::declared::DeclaredTool;
use super::kubernetes::Kubernetes;
use super::mesh::PathEntry;
use super::model::{Concurrency, Local, Order, Placement, Plan, Test};
use super::variables;

/// Why there is no text of a plan.
#[derive(Debug, thiserror::Error)]
#[error("the plan cannot be written as YAML: {0}")]
pub struct YamlError(#[from] serde_yaml::Error);

impl Plan {
    /// The plan as text, every default filled in and every group's size pinned; [`load`] reads it
    /// again.
    ///
    /// [`load`]: super::load()
    ///
    /// # Errors
    /// The writer's, of which none is known for a plan that was loaded.
    pub fn to_yaml(&self) -> Result<String, YamlError> {
        let mut value = serde_yaml::to_value(self)?;
        escape(&mut value);
        Ok(serde_yaml::to_string(&value)?)
    }
}

/// Marks what looks like a variable in the values, so that it is none when the text is read.
fn escape(value: &mut Value) {
    match value {
        Value::String(text) if text.contains("${") => *text = variables::escaped(text),
        Value::Sequence(items) => items.iter_mut().for_each(escape),
        Value::Mapping(map) => map.values_mut().for_each(escape),
        _ => {}
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

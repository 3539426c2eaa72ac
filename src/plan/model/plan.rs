//! A plan expanded for a number of nodes: every worker and every path.
//!
//! A [`PlanFile`](super::plan_file::PlanFile) has a group and a mesh in a line each; a run has hundreds of workers and many
//! thousands of paths of them.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;

use indexmap::IndexMap;

use super::family::Family;
use super::kubernetes::Kubernetes;
use super::local::Local;
use super::path::{Mesh, Path, Via};
use super::plan_file::{Concurrency, Order, Placement, Test};
use super::tools::declared::DeclaredTool;
use super::tools::tool::ToolSpec;
use super::variants::Variant;

/// What a run measures. [`PlanFile::expand`](super::plan_file::PlanFile::expand) makes it.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The plan's name; names the run's directory and objects.
    pub name: String,
    /// What the plan is for.
    pub description: Option<String>,
    /// Every worker by its name; those of a group have [`Placement::group`] and no `count`.
    pub workers: IndexMap<String, Placement>,
    /// The variants, the base first; empty in a plan without variants. Each has workers and paths of its
    /// own: those of the base are called as the plan calls them.
    pub variants: IndexMap<String, Variant>,
    /// Every path, those of a mesh one after the other.
    pub paths: Vec<Path>,
    /// The meshes among the paths, in their order.
    pub meshes: Vec<MeshPaths>,
    /// In which order the cells run.
    pub order: Order,
    /// What a shuffled order is drawn from.
    pub seed: Option<u64>,
    /// Which cells may run at the same time.
    pub concurrency: Concurrency,
    /// The declared tools by name.
    pub tools: IndexMap<String, Arc<DeclaredTool>>,
    /// What to measure, in the order of the plan.
    pub tests: Vec<Test>,
    /// The emulated nodes and links of the local cluster.
    pub local: Local,
    /// How the pods are made on Kubernetes.
    pub kubernetes: Kubernetes,
}

/// A mesh and its paths.
#[derive(Clone, Debug, PartialEq)]
pub struct MeshPaths {
    /// In a variant with the variant's group.
    pub mesh: Mesh,
    /// Indexes into the plan's paths.
    pub paths: Range<usize>,
}

impl Plan {
    /// The tool of a test in a variant.
    #[must_use]
    pub fn tool<'a>(&'a self, test: &'a Test, variant: usize) -> &'a ToolSpec {
        let variant = self.variants.get_index(variant);
        let changed = variant.and_then(|(_, variant)| variant.tests.get(&test.name));
        changed.map_or(&test.tool, |changed| &changed.tool)
    }

    /// The name of a variant by its index; `None` in a plan without variants.
    #[must_use]
    pub fn variant_name(&self, variant: usize) -> Option<&str> {
        let (name, _) = self.variants.get_index(variant)?;
        Some(name)
    }

    /// Drops the workers of all other variants than these, which are given by their indexes. Those of the base stay: the
    /// others follow them to their nodes.
    pub fn retain_variants(&mut self, variants: &BTreeSet<usize>) {
        let is_kept =
            |worker: &Placement| worker.base.is_none() || variants.contains(&worker.variant);
        self.workers.retain(|_, worker| is_kept(worker));
    }

    /// The items of `paths:`, in each variant: their names, and the paths of each.
    pub fn entries(&self) -> impl Iterator<Item = (&str, Range<usize>)> {
        let mut meshes = self.meshes.iter().peekable();
        let mut at = 0;
        std::iter::from_fn(move || {
            if let Some(mesh) = meshes.next_if(|mesh| mesh.paths.start == at) {
                at = mesh.paths.end;
                return Some((mesh.mesh.name.as_str(), mesh.paths.clone()));
            }
            let path = self.paths.get(at)?;
            at += 1;
            Some((path.plain_name(), at - 1..at))
        })
    }

    /// The paths that a test measures, as indexes, in the test's order, each once, in each variant. A
    /// mesh's name selects all of its paths.
    #[must_use]
    pub fn paths_of(&self, test: &Test) -> Vec<usize> {
        // The variants of an item follow each other.
        let mut entries: HashMap<&str, Range<usize>> = HashMap::new();
        for (name, range) in self.entries() {
            let of_name = entries.entry(name).or_insert_with(|| range.clone());
            of_name.end = range.end;
        }
        let named = test.paths.iter();
        named
            .filter_map(|name| entries.remove(name.as_str()))
            .flatten()
            .collect()
    }

    /// The family of the address that a path's client dials. `None` is the cluster's first.
    #[must_use]
    pub fn family_of(&self, path: &Path) -> Option<Family> {
        let of_all = self.kubernetes.ip_family;
        path.family.or(of_all)
    }

    /// Whether a worker's pod is on its host's network: as the worker says; else when its paths are
    /// `via: host`, and the other ends of these say nothing either.
    #[must_use]
    pub fn on_host_network(&self, worker: &str) -> bool {
        let says = |worker: &str| {
            let own = self.workers.get(worker).and_then(|p| p.pods.host_network);
            own.or(self.kubernetes.host_network)
        };
        if let Some(said) = says(worker) {
            return said;
        }
        let group = self.workers.get(worker).and_then(|p| p.group.as_deref());
        let of_group = |mesh: &MeshPaths| {
            mesh.mesh.via == Via::Host && group == Some(mesh.mesh.workers.as_str())
        };
        // Not path by path: a mesh has many.
        let singles = self.entries().filter(|(_, range)| range.len() == 1);
        let mut singles = singles.filter_map(|(_, range)| self.paths.get(range.start));
        self.meshes.iter().any(of_group)
            || singles.any(|p| {
                let is_end = p.from == worker || p.to == worker;
                let is_said = says(&p.from).or_else(|| says(&p.to)).is_some();
                p.via == Via::Host && is_end && !is_said
            })
    }
}

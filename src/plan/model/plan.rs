//! A plan expanded for a number of nodes: every worker and every path.
//!
//! A [`PlanFile`] has a group and a mesh in a line each; a run has hundreds of workers and many
//! thousands of paths of them.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use indexmap::IndexMap;

use super::kubernetes::Kubernetes;
use super::local::Local;
use super::path::{Mesh, Path, PathEntry, Via};
use super::plan_file::{Concurrency, LARGEST_GROUP, Order, Placement, PlanFile, Test};
use super::tools::declared::DeclaredTool;

/// What a run measures. [`PlanFile::expand`] makes it.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The plan's name; names the run's directory and objects.
    pub name: String,
    /// What the plan is for.
    pub description: Option<String>,
    /// Every worker by its name; those of a group have [`Placement::group`] and no `count`.
    pub workers: IndexMap<String, Placement>,
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
    pub mesh: Mesh,
    /// Indexes into the plan's paths.
    pub paths: Range<usize>,
}

impl PlanFile {
    /// The plan with every worker and every path. A group without `count` has `local.nodes` workers.
    #[must_use]
    pub fn expand(&self) -> Plan {
        let mut workers = IndexMap::new();
        for (name, placement) in &self.workers {
            if !placement.one_per_node {
                workers.insert(name.clone(), placement.clone());
                continue;
            }
            for number in 1..=self.group_size(name) {
                let member = Placement {
                    group: Some(name.clone()),
                    count: None,
                    ..placement.clone()
                };
                workers.insert(format!("{name}-{number}"), member);
            }
        }
        let mut paths = Vec::new();
        let mut meshes = Vec::new();
        for entry in &self.paths {
            match entry {
                PathEntry::Path(path) => paths.push(path.clone()),
                PathEntry::Mesh(entry) => {
                    let mesh = &entry.mesh;
                    let first = paths.len();
                    let size = self.group_size(&mesh.workers) as usize;
                    let path = |(from, to)| path_of(mesh, from, to);
                    paths.extend(pairs(size, mesh.both_directions).map(path));
                    meshes.push(MeshPaths {
                        mesh: mesh.clone(),
                        paths: first..paths.len(),
                    });
                }
            }
        }
        Plan {
            name: self.name.clone(),
            description: self.description.clone(),
            workers,
            paths,
            meshes,
            order: self.order,
            seed: self.seed,
            concurrency: self.concurrency,
            tools: self.tools.clone(),
            tests: self.tests.clone(),
            local: self.local.clone(),
            kubernetes: self.kubernetes.clone(),
        }
    }

    fn group_size(&self, group: &str) -> u32 {
        let placement = self.workers.get(group).filter(|worker| worker.one_per_node);
        placement.map_or(0, |group| {
            group.count.unwrap_or(self.local.nodes).min(LARGEST_GROUP)
        })
    }
}

impl Plan {
    /// The items of `paths:`: their names, and the paths of each.
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
            Some((path.name.as_str(), at - 1..at))
        })
    }

    /// The paths that a test measures, as indexes, in the test's order, each once. A mesh's name
    /// selects all of its paths.
    #[must_use]
    pub fn paths_of(&self, test: &Test) -> Vec<usize> {
        let mut entries: HashMap<&str, Range<usize>> = self.entries().collect();
        let named = test.paths.iter();
        named
            .filter_map(|name| entries.remove(name.as_str()))
            .flatten()
            .collect()
    }

    /// Whether a worker's pod is on its host's network: when its paths are `via: host`.
    #[must_use]
    pub fn on_host_network(&self, worker: &str) -> bool {
        let group = self.workers.get(worker).and_then(|p| p.group.as_deref());
        let of_group = |mesh: &MeshPaths| {
            mesh.mesh.via == Via::Host && group == Some(mesh.mesh.workers.as_str())
        };
        // Not path by path: a mesh has many.
        let singles = self.entries().filter(|(_, range)| range.len() == 1);
        let mut singles = singles.filter_map(|(_, range)| self.paths.get(range.start));
        self.meshes.iter().any(of_group)
            || singles.any(|p| p.via == Via::Host && (p.from == worker || p.to == worker))
    }
}

fn path_of(mesh: &Mesh, from: usize, to: usize) -> Path {
    let name = format!("{}-{from}-{to}", mesh.name);
    let label = if mesh.label == mesh.name {
        name.clone()
    } else {
        format!("{} {from}-{to}", mesh.label)
    };
    Path {
        name,
        label,
        from: format!("{}-{from}", mesh.workers),
        to: format!("{}-{to}", mesh.workers),
        via: mesh.via,
        expect: mesh.expect.clone(),
    }
}

/// Every pair of `1..=size` as in a round-robin tournament by the circle method: one stays, the
/// others move round it. For an even number there are `size - 1` rounds in which each has a partner;
/// for an odd one `size` rounds in which one rests. In both directions each round comes twice.
fn pairs(size: usize, both_directions: bool) -> impl Iterator<Item = (usize, usize)> {
    // With an odd number the one that stays is nobody: its partner rests.
    let seats = size + size % 2;
    let turning = seats.saturating_sub(1).max(1);
    let round = move |round: usize| {
        (0..seats / 2).filter_map(move |seat| {
            let here = (round + seat) % turning;
            let there = if seat == 0 {
                seats - 1
            } else {
                (round + turning - seat) % turning
            };
            (here < size && there < size).then(|| {
                let (low, high) = (here.min(there) + 1, here.max(there) + 1);
                // Each sends on half of its paths.
                if (low + high) % 2 == 1 {
                    (low, high)
                } else {
                    (high, low)
                }
            })
        })
    };
    let back = if both_directions { 2 } else { 1 };
    (0..if size < 2 { 0 } else { turning }).flat_map(move |number| {
        (0..back).flat_map(move |way| {
            round(number).map(move |(from, to)| if way == 0 { (from, to) } else { (to, from) })
        })
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_tournament_has_every_pair_in_full_rounds(size in 0..60_usize, both: bool) {
            let pairs: Vec<_> = pairs(size, both).collect();
            let times = if both { 2 } else { 1 };
            prop_assert_eq!(pairs.len(), times * size * size.saturating_sub(1) / 2);
            let unordered = |(a, b): (usize, usize)| if both { (a, b) } else { (a.min(b), a.max(b)) };
            let unique: HashSet<_> = pairs.iter().map(|pair| unordered(*pair)).collect();
            prop_assert_eq!(unique.len(), pairs.len());
            prop_assert!(pairs.iter().all(|(a, b)| a != b && (1..=size).contains(a) && (1..=size).contains(b)));
            if size > 1 {
                let mut sent = vec![0_usize; size + 1];
                for round in pairs.chunks(size / 2) {
                    let nodes: HashSet<_> = round.iter().flat_map(|(a, b)| [a, b]).collect();
                    prop_assert_eq!(nodes.len(), 2 * round.len(), "{:?}", round);
                }
                for (from, _) in &pairs {
                    sent[*from] += 1;
                }
                let (least, most) = (sent[1..].iter().min(), sent[1..].iter().max());
                prop_assert!(most.unwrap() - least.unwrap() <= 1, "{:?}", sent);
                prop_assert_eq!(pairs.len().div_ceil(size / 2), times * (size - 1 + size % 2));
            }
        }
    }
}

//! Groups of workers, one on each node, and the paths of every pair of them.
//!
//! A plan writes a group and a mesh in a line each; a run has hundreds of workers and many
//! thousands of paths of them. [`Plan::workers`] and [`Plan::paths`] are the latter; written, a plan
//! has the former, with each group's size pinned.

use std::collections::HashMap;
use std::ops::Range;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Serialize;

use super::expect::Expectations;
use super::plan::{Path, Placement, Plan, Test, Via};

/// The most workers of a group.
pub const LARGEST_GROUP: u32 = 1000;

/// Paths between every two workers of a group, named `<name>-<from>-<to>`, as in `mesh-3-7`. They
/// are in the order of a round-robin tournament, so that with `concurrency: disjoint-nodes` every
/// node has a partner at any time.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Mesh {
    /// What its paths' names begin with, and what tests call them all. Default: the group's name.
    #[schemars(length(max = 48), regex(pattern = "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"))]
    pub name: String,
    /// What its paths' labels begin with. Default: its name.
    #[schemars(length(max = 90), regex(pattern = r"^[^,;\x00-\x1f\x7f]*$"))]
    pub label: String,
    /// The group, of workers with `one_per_node`.
    pub workers: String,
    /// The address that the clients dial.
    pub via: Via,
    /// Measure each pair in both directions. Default: false, which is one direction a pair, so
    /// that each worker sends on half of its paths.
    pub both_directions: bool,
    /// What is expected of every test on these paths.
    #[serde(skip_serializing_if = "Expectations::is_empty")]
    pub expect: Expectations,
}

/// A group of workers with `one_per_node`, named `<name>-1`, `<name>-2` and so on.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    pub name: String,
    /// As it was written: `count` is missing when the cluster says how many there are.
    pub placement: Placement,
    /// Its workers, as indexes into the plan's.
    pub workers: Range<usize>,
}

/// A mesh and its paths.
#[derive(Clone, Debug, PartialEq)]
pub struct MeshPaths {
    pub mesh: Mesh,
    /// Indexes into the plan's paths.
    pub paths: Range<usize>,
}

/// An item of `paths:` as it is written.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum PathEntry {
    /// One way for traffic to go.
    Path(Path),
    /// Many.
    Mesh(MeshEntry),
}

/// Paths between every two workers of a group.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct MeshEntry {
    pub mesh: Mesh,
}

/// The ways for traffic to go: a list of paths and meshes, or a single mesh.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum PathEntries {
    List(#[schemars(length(min = 1))] Vec<PathEntry>),
    Mesh(MeshEntry),
}

/// Fewer nodes than a plan needs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the mesh `{mesh}` needs two workers, and there is a node for {nodes} of `{group}`; use a \
     cluster with more nodes that fit its labels, or let the plan say how many with `count`"
)]
pub struct TooFewNodes {
    pub mesh: String,
    pub group: String,
    pub nodes: u32,
}

/// Workers and paths of a plan, expanded.
pub struct Expanded {
    pub workers: IndexMap<String, Placement>,
    pub groups: Vec<Group>,
    pub paths: Vec<Path>,
    pub meshes: Vec<MeshPaths>,
}

/// Expands groups and meshes; a group without `count` has a worker for each of `nodes`.
pub fn expand(
    written: IndexMap<String, Placement>,
    entries: Vec<PathEntry>,
    nodes: u32,
) -> Expanded {
    let mut workers = IndexMap::new();
    let mut groups: Vec<Group> = Vec::new();
    for (name, placement) in written {
        if !placement.one_per_node {
            workers.insert(name, placement);
            continue;
        }
        let first = workers.len();
        let count = placement.count.unwrap_or(nodes).min(LARGEST_GROUP);
        for number in 1..=count {
            let member = Placement {
                group: Some(name.clone()),
                count: None,
                ..placement.clone()
            };
            workers.insert(format!("{name}-{number}"), member);
        }
        groups.push(Group {
            name,
            placement,
            workers: first..workers.len(),
        });
    }
    let mut paths = Vec::new();
    let mut meshes = Vec::new();
    for entry in entries {
        match entry {
            PathEntry::Path(path) => paths.push(path),
            PathEntry::Mesh(MeshEntry { mesh }) => {
                let group = groups.iter().find(|group| group.name == mesh.workers);
                let size = group.map_or(0, |group| group.workers.len());
                let first = paths.len();
                let path = |(from, to)| path_of(&mesh, from, to);
                paths.extend(pairs(size, mesh.both_directions).map(path));
                meshes.push(MeshPaths {
                    mesh,
                    paths: first..paths.len(),
                });
            }
        }
    }
    Expanded {
        workers,
        groups,
        paths,
        meshes,
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

impl Plan {
    /// The plan on a cluster of so many nodes that its groups fit on: each group without a `count`
    /// gets a worker for each, and its count pinned. Until then it has [`Local::nodes`] workers.
    ///
    /// [`Local::nodes`]: super::Local::nodes
    ///
    /// # Errors
    /// When a mesh would have fewer than two workers.
    pub fn with_nodes(self, nodes: u32) -> Result<Plan, TooFewNodes> {
        let (mut workers, entries) = (self.written_workers(false), self.written_paths());
        for placement in workers.values_mut().filter(|p| p.one_per_node) {
            placement.count = placement.count.or(Some(nodes.min(LARGEST_GROUP)));
        }
        for entry in &entries {
            if let PathEntry::Mesh(MeshEntry { mesh }) = entry
                && let Some(count) = workers.get(&mesh.workers).and_then(|p| p.count)
                && count < 2
            {
                return Err(TooFewNodes {
                    mesh: mesh.name.clone(),
                    group: mesh.workers.clone(),
                    nodes: count,
                });
            }
        }
        let Expanded {
            workers,
            groups,
            paths,
            meshes,
        } = expand(workers, entries, nodes);
        Ok(Plan {
            workers,
            groups,
            paths,
            meshes,
            ..self
        })
    }

    /// Whether the cluster says how many workers some group has.
    #[must_use]
    pub fn depends_on_nodes(&self) -> bool {
        self.groups
            .iter()
            .any(|group| group.placement.count.is_none())
    }

    /// The workers with each group as one, its count pinned if so wished.
    pub fn written_workers(&self, pinned: bool) -> IndexMap<String, Placement> {
        let mut written = IndexMap::new();
        let mut at = 0;
        for group in &self.groups {
            written.extend(self.singles(at..group.workers.start));
            let mut placement = group.placement.clone();
            if pinned {
                placement.count = u32::try_from(group.workers.len()).ok();
            }
            written.insert(group.name.clone(), placement);
            at = group.workers.end;
        }
        written.extend(self.singles(at..self.workers.len()));
        written
    }

    fn singles(&self, range: Range<usize>) -> impl Iterator<Item = (String, Placement)> + '_ {
        let workers = self.workers.iter().skip(range.start).take(range.len());
        workers.map(|(name, placement)| (name.clone(), placement.clone()))
    }

    /// The paths with each mesh as one.
    pub fn written_paths(&self) -> Vec<PathEntry> {
        let mesh = |range: &Range<usize>| self.meshes.iter().find(|mesh| mesh.paths == *range);
        let entry = |range: Range<usize>| match mesh(&range) {
            Some(of) => PathEntry::Mesh(MeshEntry {
                mesh: of.mesh.clone(),
            }),
            None => PathEntry::Path(self.paths[range.start].clone()),
        };
        self.entries().map(|(_, range)| entry(range)).collect()
    }

    /// The items of `paths:`: their names, and the paths that each stands for.
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
    /// stands for all of its paths.
    #[must_use]
    pub fn paths_of(&self, test: &Test) -> Vec<usize> {
        let mut entries: HashMap<&str, Range<usize>> = self.entries().collect();
        let named = test.paths.iter();
        named
            .filter_map(|name| entries.remove(name.as_str()))
            .flatten()
            .collect()
    }
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

//! Plan file → plan: every worker and every path, of each variant.

use indexmap::IndexMap;

use super::local::Local;
use super::path::{Mesh, Path, PathEntry};
use super::plan::{MeshPaths, Plan};
use super::plan_file::{LARGEST_GROUP, Placement, PlanFile};
use super::variants::{VARIANT_MARK, Variant, worker_of_variant};

impl PlanFile {
    /// The plan with every worker and every path. A group without `count` has `local.nodes` workers.
    #[must_use]
    pub fn expand(&self) -> Plan {
        let mut workers = self.workers_of(0);
        for variant in 1..self.variants.len() {
            workers.extend(self.workers_of(variant));
        }
        if let Some(base) = self.variants.first() {
            Self::add_settings(base.1, &mut workers);
        }
        let local = self.local_of(&workers);
        let mut paths = Vec::new();
        let mut meshes = Vec::new();
        for entry in &self.paths {
            for variant in 0..self.variants.len().max(1) {
                self.add_paths(entry, variant, &mut paths, &mut meshes);
            }
        }
        Plan {
            name: self.name.clone(),
            description: self.description.clone(),
            workers,
            variants: self.variants.clone(),
            paths,
            meshes,
            order: self.order,
            seed: self.seed,
            concurrency: self.concurrency,
            tools: self.tools.clone(),
            tests: self.tests.clone(),
            local,
            kubernetes: self.kubernetes.clone(),
        }
    }

    /// Every worker of the base, or of another variant. Those of a variant follow the base's to their nodes.
    fn workers_of(&self, index: usize) -> IndexMap<String, Placement> {
        let variant = self.variants.get_index(index).filter(|_| index > 0);
        let named = |name: &str| match variant {
            Some((variant, _)) => worker_of_variant(name, variant),
            None => name.to_owned(),
        };
        let mut workers = IndexMap::new();
        for (name, written) in &self.workers {
            let numbers = if written.one_per_node {
                (1..=self.group_size(name)).map(Some).collect()
            } else {
                vec![None]
            };
            for number in numbers {
                let member = |name: &str| match number {
                    Some(number) => format!("{name}-{number}"),
                    None => name.to_owned(),
                };
                let base = member(name);
                let mut placement = Placement {
                    group: number.map(|_| named(name)),
                    count: None,
                    ..written.clone()
                };
                if let Some((_, variant)) = variant {
                    let pods = variant.pods_of(name);
                    placement = if pods.choose_nodes() {
                        placement.in_variant(named)
                    } else {
                        Placement {
                            same_node_as: Some(base.clone()),
                            group: placement.group,
                            one_per_node: placement.one_per_node,
                            ..Placement::default()
                        }
                    };
                    placement.pods = pods.over(&written.pods);
                    placement.base = Some(base);
                    placement.variant = index;
                }
                workers.insert(member(&named(name)), placement);
            }
        }
        workers
    }

    /// What is emulated, with the interfaces of the workers whose variants change them.
    fn local_of(&self, workers: &IndexMap<String, Placement>) -> Local {
        let mut local = self.local.clone();
        for (name, placement) in workers {
            let variant = self.variants.get_index(placement.variant);
            let changed = variant.map(|(_, variant)| &variant.local.pods);
            if let Some(changed) = changed.filter(|changed| !changed.is_empty()) {
                let pods = changed.over(&self.local.pods);
                local.pods_of.insert(name.clone(), pods);
            }
        }
        local
    }

    /// The settings of the base variant, over those of its workers.
    fn add_settings(base: &Variant, workers: &mut IndexMap<String, Placement>) {
        for (name, placement) in workers.iter_mut().filter(|(_, p)| p.base.is_none()) {
            let written = placement.group.as_deref().unwrap_or(name);
            placement.pods = base.pods_of(written).over(&placement.pods);
        }
    }

    /// The paths of an item of `paths:` in a variant.
    fn add_paths(
        &self,
        entry: &PathEntry,
        variant: usize,
        paths: &mut Vec<Path>,
        meshes: &mut Vec<MeshPaths>,
    ) {
        let of_variant = self.variants.get_index(variant).filter(|_| variant > 0);
        let of_variant = of_variant.map(|(name, _)| name.as_str());
        let worker = |name: &str| match of_variant {
            Some(variant) => self.worker_in(name, variant),
            None => name.to_owned(),
        };
        let in_variant = |path: Path| Path {
            variant,
            ..match of_variant {
                None => path,
                Some(name) => Path {
                    name: format!("{}{VARIANT_MARK}{name}", path.name),
                    label: format!("{} {name}", path.label),
                    from: worker(&path.from),
                    to: worker(&path.to),
                    ..path
                },
            }
        };
        match entry {
            PathEntry::Path(path) => paths.push(in_variant(path.clone())),
            PathEntry::Mesh(entry) => {
                let mesh = &entry.mesh;
                let first = paths.len();
                let size = self.group_size(&mesh.workers) as usize;
                let path = |(from, to)| in_variant(path_of(mesh, from, to));
                paths.extend(pairs(size, mesh.both_directions).map(path));
                meshes.push(MeshPaths {
                    mesh: Mesh {
                        workers: worker(&mesh.workers),
                        ..mesh.clone()
                    },
                    paths: first..paths.len(),
                });
            }
        }
    }

    /// What a worker of the plan, a group or one of a group, is called in a variant.
    fn worker_in(&self, worker: &str, variant: &str) -> String {
        let mut groups = self.workers.iter().filter(|(_, p)| p.one_per_node);
        let member = groups.find_map(|(group, _)| {
            let number = member(worker, group)?;
            Some(format!("{}-{number}", worker_of_variant(group, variant)))
        });
        member.unwrap_or_else(|| worker_of_variant(worker, variant))
    }

    fn group_size(&self, group: &str) -> u32 {
        let placement = self.workers.get(group).filter(|worker| worker.one_per_node);
        placement.map_or(0, |group| {
            group.count.unwrap_or(self.local.nodes).min(LARGEST_GROUP)
        })
    }
}

/// The group whose worker may have this name, and the worker's number in it.
pub fn group_and_number(name: &str) -> Option<(&str, u32)> {
    let (group, number) = name.rsplit_once('-')?;
    let is_number = !number.starts_with('0') && number.bytes().all(|byte| byte.is_ascii_digit());
    let number = number.parse().ok().filter(|_| is_number)?;
    Some((group, number))
}

/// The number of a group's worker, by its name.
pub fn member(name: &str, group: &str) -> Option<u32> {
    let (of, number) = group_and_number(name)?;
    (of == group).then_some(number)
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
        family: mesh.family,
        expect: mesh.expect.clone(),
        variant: 0,
    }
}

impl Placement {
    /// The same rules about the workers of a variant.
    fn in_variant(self, named: impl Fn(&str) -> String) -> Placement {
        let rule = |other: Option<String>| other.map(|other| named(&other));
        Placement {
            same_node_as: rule(self.same_node_as),
            other_node_than: rule(self.other_node_than),
            same_zone_as: rule(self.same_zone_as),
            other_zone_than: rule(self.other_zone_than),
            ..self
        }
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
    use crate::diag::Source;
    use crate::plan::load;

    #[test]
    fn a_worker_of_a_group_whose_name_begins_as_another_has_its_own_name_in_a_variant() {
        let text = "version: 1
name: p
workers: { a: { one_per_node: true }, a-b: { one_per_node: true, count: 2 }, c: {} }
variants: { plain: {}, x: {} }
paths: [{ name: one, from: a-b-1, to: c, via: pod_ip }]
tests: [netperf: { test: TCP_RR }]
";
        let plan = load(Source::new("p.yaml", text), &[]).unwrap();
        let path = plan.paths.last().unwrap();
        assert_eq!((path.from.as_str(), path.to.as_str()), ("a-b-x-1", "c-x"));
        assert!(plan.workers.contains_key("a-b-x-1"));
    }

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

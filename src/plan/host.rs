//! Paths over the host network.

use std::collections::HashMap;

use super::decode::{At, Decoder};
use super::mesh::MeshPaths;
use super::model::{Plan, Via};
use super::read_paths::{Ends, FoundPath};
use super::read_workers::KnownWorkers;
use crate::diag::{Place, Problem, quote};

impl Plan {
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

/// A pod is on its host's network or on the pod network: finds the workers that would have to be
/// on both.
pub fn check(decoder: &Decoder<'_>, paths: &[FoundPath<'_>], workers: Option<&KnownWorkers<'_>>) {
    let mut seen: HashMap<&str, (Via, Place)> = HashMap::new();
    for path in paths {
        let ends = match path.ends {
            Ends::Path { from, to } => from.zip(to).map(|(from, to)| [from, to]),
            Ends::Mesh { group, .. } => group.map(|group| [group, group]),
        };
        let (Some(via), Some(ends)) = (path.via, ends) else {
            continue;
        };
        for At {
            value: worker,
            place,
        } in ends
        {
            // What one worker of a group is, all are.
            let worker = workers.map_or(worker, |workers| workers.group_of(worker));
            let (first, first_place) = *seen.entry(worker).or_insert((via.value, via.place));
            if (first == Via::Host) != (via.value == Via::Host) {
                let what = format!(
                    "{} is on the host network for one path and on the pod network for another",
                    quote(worker)
                );
                let sits = match path.ends {
                    Ends::Path { .. } => format!("same_node_as: {worker}"),
                    Ends::Mesh { .. } => "one_per_node: true".to_owned(),
                };
                let help = format!(
                    "give the host network workers of its own, as in `{worker}-host: {{ {sits} }}`"
                );
                decoder.report(
                    Problem::new(place, what)
                        .related(first_place, "the other network")
                        .help(help),
                );
                // Once a worker is enough.
                seen.insert(worker, (via.value, via.place));
            }
        }
    }
}

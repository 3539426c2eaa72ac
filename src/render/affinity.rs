//! The placement of workers → the affinity of each of their pods.
//!
//! The rules of a plan name workers; a scheduler places one pod after the other, knows no pods to
//! come, and places a pod again when it was evicted. So that the rules hold whichever pod comes first
//! or comes back:
//!
//! - Workers of one node form a group, and so do those of one zone, each around the one that the
//!   others follow. The followers ask to be near that one. It asks to be near any of its group, which
//!   Kubernetes lets pass for the first pod of a group, as it carries the group's label itself.
//! - What one worker of a group asks of its node, all ask; and to be away from one of a group is to
//!   be away from all of it. Else the first one could sit where the others cannot follow.
//!
//! No pod asks to be near by two rules at once: Kubernetes would look for one pod that fits both.

use indexmap::{IndexMap, IndexSet};
use serde::Serialize;

use super::workers::WorkerPorts;
use crate::plan::StringMap;

/// On the pods of workers that share a node: the one that the others follow.
const NODE_GROUP: &str = "netplan/node-group";
/// The same for a zone.
const ZONE_GROUP: &str = "netplan/zone-group";
/// The label of pods of workers that each have their own node.
const GROUP: &str = "netplan/group";
/// On every worker's pods: its name.
const WORKER: &str = "netplan/worker";

/// What the pods of a worker require of the scheduler, and the labels by which others select them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Affinity {
    pub labels: IndexMap<&'static str, String>,
    pub near: Option<Neighbours>,
    pub far: IndexSet<Neighbours>,
    pub node: Option<String>,
    pub node_selector: StringMap,
}

/// The pods with this label, on a node or in a zone.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub(super) struct Neighbours {
    pub scope: Scope,
    pub label: &'static str,
    pub value: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Scope {
    Node,
    Zone,
}

/// What each worker's pods ask for, in the workers' order.
pub(super) fn affinities(workers: &[WorkerPorts<'_>]) -> Vec<Affinity> {
    let groups = Groups::new(workers);
    (0..workers.len())
        .map(|worker| groups.affinity(workers, worker))
        .collect()
}

/// For each worker the one that its group follows, by index.
struct Groups {
    node: Vec<usize>,
    zone: Vec<usize>,
}

impl Groups {
    fn new(workers: &[WorkerPorts<'_>]) -> Self {
        let leader = |zones: bool, mut at: usize| {
            // A plan's rules go in no circle; should they, this ends all the same.
            for _ in workers {
                let placement = workers[at].placement;
                let zone = placement.same_zone_as.as_ref().filter(|_| zones);
                let followed = placement.same_node_as.as_ref().or(zone);
                match followed.and_then(|name| index(workers, name)) {
                    Some(other) => at = other,
                    None => break,
                }
            }
            at
        };
        Self {
            node: (0..workers.len()).map(|at| leader(false, at)).collect(),
            zone: (0..workers.len()).map(|at| leader(true, at)).collect(),
        }
    }

    fn affinity(&self, workers: &[WorkerPorts<'_>], own: usize) -> Affinity {
        let mut affinity = Affinity::default();
        for (label, leaders) in [(NODE_GROUP, &self.node), (ZONE_GROUP, &self.zone)] {
            if self.group_label(label, own) == label {
                let leader = workers[leaders[own]].name.to_owned();
                affinity.labels.insert(label, leader);
            }
        }
        if let Some(group) = &workers[own].placement.group {
            affinity.labels.insert(GROUP, group.clone());
            affinity.far.insert(Neighbours {
                scope: Scope::Node,
                label: GROUP,
                value: group.clone(),
            });
        }
        affinity.near = self.near(workers, own);
        for (other, worker) in workers.iter().enumerate() {
            let placement = worker.placement;
            let far = |scope, label, name: &Option<String>| {
                let from = index(workers, name.as_deref()?)?;
                let label = self.group_label(label, from);
                let leader = match label {
                    NODE_GROUP => self.node[from],
                    ZONE_GROUP => self.zone[from],
                    _ => from,
                };
                let value = workers[leader].name.to_owned();
                Some(Neighbours {
                    scope,
                    label,
                    value,
                })
            };
            if self.node[own] == self.node[other] {
                let node = far(Scope::Node, NODE_GROUP, &placement.other_node_than);
                affinity.far.extend(node);
                affinity.node = affinity.node.or_else(|| placement.node.clone());
                for (key, value) in &placement.pods.node_selector {
                    let entry = affinity.node_selector.entry(key.clone());
                    entry.or_insert_with(|| value.clone());
                }
            }
            if self.zone[own] == self.zone[other] {
                let zone = far(Scope::Zone, ZONE_GROUP, &placement.other_zone_than);
                affinity.far.extend(zone);
            }
        }
        affinity
    }

    fn near(&self, workers: &[WorkerPorts<'_>], own: usize) -> Option<Neighbours> {
        let (on_node, in_zone) = (self.node[own], self.zone[own]);
        let neighbours = |scope, label, leader: usize| {
            let value = workers[leader].name.to_owned();
            Some(Neighbours {
                scope,
                label,
                value,
            })
        };
        if on_node != own {
            neighbours(Scope::Node, WORKER, on_node)
        } else if in_zone != own {
            neighbours(Scope::Zone, WORKER, in_zone)
        } else if self.group_label(NODE_GROUP, own) == NODE_GROUP {
            neighbours(Scope::Node, NODE_GROUP, own)
        } else if self.group_label(ZONE_GROUP, own) == ZONE_GROUP {
            neighbours(Scope::Zone, ZONE_GROUP, own)
        } else {
            None
        }
    }

    /// The label that finds all of a worker's group: that of the node where no more share the zone,
    /// and the worker's own where it is alone.
    fn group_label(&self, label: &'static str, worker: usize) -> &'static str {
        let size = |leaders: &[usize]| {
            let same = |leader: &&usize| **leader == leaders[worker];
            leaders.iter().filter(same).count()
        };
        let (on_node, in_zone) = (size(&self.node), size(&self.zone));
        if label == ZONE_GROUP && in_zone > on_node {
            ZONE_GROUP
        } else if on_node > 1 {
            NODE_GROUP
        } else {
            WORKER
        }
    }
}

fn index(workers: &[WorkerPorts<'_>], name: &str) -> Option<usize> {
    workers.iter().position(|worker| worker.name == name)
}

#[cfg(test)]
mod tests;

//! Paths on which nothing answers, and the layers of the network that are broken there.

use std::collections::{BTreeSet, HashMap};

use super::super::message::{Place, Session, Unreached};
use crate::connectivity::{Endpoint, Evidence, Layer, find_all};
use crate::plan::{Path, Via};

/// What was found of the destinations that did not answer.
#[derive(Debug, Default)]
pub(super) struct Silence {
    /// With the path's index in the plan.
    found: Vec<(usize, Evidence)>,
    /// The nodes of origins and destinations between which something answered.
    answered: BTreeSet<[String; 2]>,
    /// The explanations by the path's index, until a sample shows that the path works.
    explained: HashMap<usize, String>,
}

/// A path whose destination is dialled.
#[derive(Debug)]
pub(super) struct Asked {
    pub path: usize,
    /// The destination.
    pub to: Session,
    ends: [Endpoint; 2],
    via: Via,
}

impl Silence {
    /// The destination of a path has answered.
    pub fn note_answer(&mut self, asked: &Asked) {
        if asked.via != Via::Host {
            self.answered.insert(asked.nodes());
        }
    }

    /// The destination of a path has not answered.
    pub fn add(&mut self, asked: &Asked, unreached: Unreached) {
        self.found.push((asked.path, asked.evidence(unreached)));
    }

    /// Finds the broken layers of what was added: the paths' indexes, and what is broken.
    pub fn explain(&mut self) -> Vec<(usize, String)> {
        let (paths, evidence): (Vec<usize>, Vec<Evidence>) = self.found.drain(..).unzip();
        let answered = std::mem::take(&mut self.answered);
        let layers = find_all(&evidence.iter().collect::<Vec<_>>(), |one| {
            answered.contains(&[one.from.node.clone(), one.to.node.clone()])
        });
        let all = paths.into_iter().zip(evidence.iter().zip(layers));
        let explained: Vec<(usize, String)> = all
            .filter(|(_, (_, layer))| *layer != Layer::Nothing)
            .map(|(path, (one, layer))| (path, layer.explain(one)))
            .collect();
        self.explained.extend(explained.iter().cloned());
        explained
    }

    /// The explanation of a path that has not worked yet.
    pub fn of(&self, path: usize) -> Option<&str> {
        self.explained.get(&path).map(String::as_str)
    }

    /// The path works.
    pub fn end(&mut self, path: usize) {
        self.explained.remove(&path);
    }
}

impl Asked {
    pub fn new(index: usize, path: &Path, to: Session, places: [&Place; 2]) -> Self {
        let endpoint = |worker: &str, place: &Place| Endpoint {
            name: format!("worker `{worker}`"),
            node: place.node.clone(),
            ips: [Some(&place.pod_ip), place.other_pod_ip.as_ref()]
                .into_iter()
                .flatten()
                .filter_map(|ip| ip.parse().ok())
                .collect(),
        };
        let [from_place, to_place] = places;
        Self {
            path: index,
            to,
            ends: [
                endpoint(&path.from, from_place),
                endpoint(&path.to, to_place),
            ],
            via: path.via,
        }
    }

    fn nodes(&self) -> [String; 2] {
        self.ends.each_ref().map(|end| end.node.clone())
    }

    fn evidence(&self, unreached: Unreached) -> Evidence {
        let [from, to] = self.ends.clone();
        let (pod, service) = match self.via {
            Via::ClusterIp => (unreached.pod_address, Some(unreached.address)),
            Via::PodIp | Via::Host => (Some(unreached.address), None),
        };
        Evidence {
            from,
            to,
            pod: pod.into_iter().collect(),
            service: service.into_iter().collect(),
            name: None,
            name_servers: Vec::new(),
            is_listening: true,
            is_host: self.via == Via::Host,
        }
    }
}

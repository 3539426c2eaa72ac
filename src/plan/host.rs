//! Paths over the host network.

use std::collections::HashMap;

use super::decode::{At, Decoder};
use super::model::{Plan, Via};
use super::read::FoundPath;
use crate::diag::{Place, Problem, quote};

impl Plan {
    /// Whether a worker's pod is on its host's network: when its paths are `via: host`.
    #[must_use]
    pub fn on_host_network(&self, worker: &str) -> bool {
        self.paths
            .iter()
            .any(|path| path.via == Via::Host && (path.from == worker || path.to == worker))
    }
}

/// A pod is on its host's network or on the pod network: finds the workers that would have to be
/// on both.
pub fn check(decoder: &Decoder<'_>, paths: &[FoundPath<'_>]) {
    let mut seen: HashMap<&str, (Via, Place)> = HashMap::new();
    for path in paths {
        let (Some(via), Some(from), Some(to)) = (path.via, path.from, path.to) else {
            continue;
        };
        for At {
            value: worker,
            place,
        } in [from, to]
        {
            let (first, first_place) = *seen.entry(worker).or_insert((via.value, via.place));
            if (first == Via::Host) != (via.value == Via::Host) {
                let what = format!(
                    "{} is on the host network for one path and on the pod network for another",
                    quote(worker)
                );
                let help = format!(
                    "give the host network workers of its own, as in \
                     `{worker}-host: {{ same_node_as: {worker} }}`"
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

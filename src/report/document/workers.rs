//! Where the workers are and what they found there, each text once where they agree.

use std::collections::BTreeMap;

use indexmap::IndexMap;

use crate::report::Report;
use crate::results::environment::OFFLOADS;
use crate::results::{IMPORTED, WorkerEnvironment};

/// `local cluster`, or `imported`; None if it is unknown.
pub fn cluster(report: &Report) -> Option<String> {
    let cluster = report.environment.cluster.as_ref()?;
    Some(match cluster.kind.as_str() {
        IMPORTED => IMPORTED.to_owned(),
        kind => format!("{kind} cluster"),
    })
}

/// The names of the workers on each node.
pub fn by_node(report: &Report) -> BTreeMap<&str, Vec<&str>> {
    let mut nodes: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, worker) in &report.environment.workers {
        nodes.entry(&worker.node).or_default().push(name);
    }
    nodes
}

/// The texts that describe what the workers found, and the workers of each.
pub fn by_text(
    report: &Report,
    describe: impl Fn(&WorkerEnvironment) -> String,
) -> IndexMap<String, Vec<&str>> {
    let mut texts: IndexMap<String, Vec<&str>> = IndexMap::new();
    for (name, worker) in &report.environment.workers {
        let text = describe(&worker.environment);
        texts.entry(text).or_default().push(name);
    }
    texts
}

/// `TSO GSO GRO off`; each state once.
pub fn offloads(seen: &WorkerEnvironment) -> Vec<String> {
    [(true, "on"), (false, "off")]
        .into_iter()
        .filter_map(|(state, word)| {
            let names: Vec<&str> = OFFLOADS
                .iter()
                .filter(|(long, _)| seen.offloads.get(*long) == Some(&state))
                .map(|(_, short)| *short)
                .collect();
            (!names.is_empty()).then(|| format!("{} {word}", names.join(" ")))
        })
        .collect()
}

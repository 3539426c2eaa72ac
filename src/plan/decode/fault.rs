//! The decoder of a fault.

use super::tree::decoder::Decoder;
use super::workers::KnownWorkers;
use crate::diag::Problem;
use crate::plan::describe::keys::LOSSY_LINK;
use crate::plan::model::fault::{Fault, LossyLink};
use crate::plan::model::local::EmulatedNode;
use crate::plan::text::tree::NodeId;

/// What faults can break.
#[derive(Clone, Copy, Debug)]
pub struct Targets<'w> {
    /// The number of emulated nodes.
    pub nodes: u32,
    /// `None` when the workers could not be read.
    pub workers: Option<&'w KnownWorkers<'w>>,
}

/// Reads the value of the key of a fault, one of [`FAULT_KEYS`](crate::plan::describe::keys::FAULT_KEYS).
pub fn fault(decoder: &Decoder<'_>, key: &str, id: NodeId, targets: Targets<'_>) -> Option<Fault> {
    match key {
        "cut" => two_nodes(decoder, id, targets.nodes).map(Fault::Cut),
        "loss" => {
            let fields = decoder.mapping(id, &LOSSY_LINK)?;
            let between = fields.value("between");
            let percent = fields.percent("percent");
            let between = two_nodes(decoder, between?, targets.nodes)?;
            let percent = percent?;
            Some(Fault::Loss(LossyLink { between, percent }))
        }
        "remove_service" => worker(decoder, id, targets).map(Fault::RemoveService),
        "freeze" => worker(decoder, id, targets).map(Fault::Freeze),
        _ => None,
    }
}

fn worker(decoder: &Decoder<'_>, id: NodeId, targets: Targets<'_>) -> Option<String> {
    let name = targets.workers?.single(decoder, id)?;
    Some(name.value.to_owned())
}

fn two_nodes(decoder: &Decoder<'_>, id: NodeId, nodes: u32) -> Option<[EmulatedNode; 2]> {
    let example = "`[node-1, node-2]`";
    let all: Vec<EmulatedNode> = (1..=nodes).map(EmulatedNode).collect();
    let names: Vec<String> = all.iter().map(EmulatedNode::to_string).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let items = decoder.list(id, example)?;
    let [first, second] = items else {
        let what = format!("expected two nodes, not {}", items.len());
        let problem = Problem::new(decoder.place(id), what);
        decoder.report(problem.help(format!("name the two ends of a link: {example}")));
        return None;
    };
    let node = |id: NodeId| {
        let name = decoder.reference(id, "node", &names)?.value;
        all.iter().copied().find(|node| node.to_string() == name)
    };
    let (near, far) = (node(*first), node(*second));
    let (near, far) = (near?, far?);
    if near == far {
        let what = format!("`{near}` is listed twice");
        let problem = Problem::new(decoder.place(*second), what);
        decoder.report(problem.help("name two nodes: a node has no link to itself"));
        return None;
    }
    Some([near, far])
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use indexmap::IndexMap;

    use super::*;
    use crate::diag::{Problems, Source};
    use crate::plan::Placement;
    use crate::plan::describe::key::{Key, MAPPING, Mapping};
    use crate::plan::describe::keys::FAULT_KEYS;
    use crate::plan::text::parse;
    use crate::plan::text::tree::Tree;

    static ENTRY: Mapping = Mapping {
        name: "Entry",
        what: "a fault",
        one_of: || FAULT_KEYS,
        ..MAPPING
    };

    /// The fault, or what is wrong, on a cluster of two nodes with the worker `w1`.
    fn read(text: &str) -> Result<Fault, String> {
        let mut tree = Tree::default();
        let mut problems = Problems::new(Source::new("f.yaml", text.to_owned()));
        let root = parse::parse(&mut tree, &mut problems, 0, 0, text).unwrap();
        let decoder = Decoder::new(&tree, problems, HashSet::new(), true);
        let workers = IndexMap::from([("w1".to_owned(), Placement::default())]);
        let workers = KnownWorkers::new(&workers);
        let targets = Targets {
            nodes: 2,
            workers: Some(&workers),
        };
        let fields = decoder.mapping(root, &ENTRY).unwrap();
        let has = |key: &&Key| fields.key_place(key.name).is_some();
        let key = FAULT_KEYS.iter().find(has).unwrap().name;
        let read = fault(&decoder, key, fields.value(key).unwrap(), targets);
        let problems = decoder.finish();
        match read {
            Some(fault) if problems.is_empty() => Ok(fault),
            _ => Err(problems.iter().map(|one| one.what.clone()).collect()),
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        for text in [
            r#"{"cut":["node-1","node-2"]}"#,
            r#"{"loss":{"between":["node-2","node-1"],"percent":"12.5%"}}"#,
            r#"{"remove_service":"w1"}"#,
            r#"{"freeze":"w1"}"#,
        ] {
            let fault = read(text).unwrap();
            assert_eq!(serde_json::to_string(&fault).unwrap(), text);
        }
    }

    #[test]
    fn what_is_not_there_is_refused() {
        for (text, what) in [
            ("cut: [node-1, node-3]", "there is no node named `node-3`"),
            ("cut: [node-1]", "expected two nodes, not 1"),
            ("cut: [node-2, node-2]", "`node-2` is listed twice"),
            (
                "loss: { between: [node-1, node-2], percent: 0% }",
                "`0%` is out of range",
            ),
            ("loss: { percent: 1% }", "the key `between` is missing"),
            ("remove_service: w7", "there is no worker named `w7`"),
            ("freeze: [w1]", "expected text"),
        ] {
            let problem = read(text).unwrap_err();
            assert!(problem.contains(what), "{text}: {problem}");
        }
    }
}

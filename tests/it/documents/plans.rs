//! Plans and parts of plans in documents.

use std::time::Duration;

use netplan::diag::Source;
use netplan::plan::{self, Plan};
use netplan::schedule::{Schedule, Selection};
use netplan::tools;
use serde_yaml::Value;

use super::Document;

/// What completes a part of a plan.
const REST: &str = "\
version: 1
name: part
workers: { w1: {}, w2: { same_node_as: w1 }, w3: { other_node_than: w1 } }
paths: [ { name: remote-pod, from: w3, to: w2, via: pod_ip } ]
tests: [ iperf3: {} ]
";

/// The plan of a block of YAML: it is one itself, or `REST` completes it. None for what is no part of a plan.
#[track_caller]
fn plan_of(document: &Document, block: &str) -> Option<Plan> {
    let name = document.path.display().to_string();
    let Value::Mapping(part) = serde_yaml::from_str(block).unwrap() else {
        return None;
    };
    let text = if part.contains_key("version") {
        block.to_owned()
    } else {
        let Value::Mapping(mut whole) = serde_yaml::from_str(REST).unwrap() else {
            unreachable!("a mapping is written above");
        };
        whole.extend(part);
        serde_yaml::to_string(&whole).unwrap()
    };
    Some(plan::load(Source::new(name, text), &[]).unwrap_or_else(|problems| panic!("{problems}")))
}

/// The plans in a document, and the parts of plans.
fn plans(document: &Document) -> Vec<Plan> {
    let blocks = document.markdown.blocks.iter();
    blocks
        .filter(|block| block.language == "yaml")
        .filter_map(|block| plan_of(document, &block.text))
        .collect()
}

#[test]
fn plans_in_documents_are_right() {
    let found: usize = Document::all()
        .iter()
        .map(|document| plans(document).len())
        .sum();
    assert!(found >= 6, "{found} plans");
}

#[test]
fn the_plan_of_the_guide_takes_a_minute() {
    let guide = Document::read("docs/plans.md");
    let plan = plans(&guide).remove(0);
    let forecast = tools::forecast(&plan, &Schedule::new(&plan, &Selection::all()));
    assert!(forecast.is_exact());
    let minute = Duration::from_secs(60);
    assert!(forecast.most <= minute, "{forecast:?}");
    assert!(forecast.most >= minute / 2, "{forecast:?}");
}

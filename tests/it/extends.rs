//! Plans over other plans, and variables in them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::HashMap;
use std::path::Path;

use netplan::diag::{Problems, Source};
use netplan::plan::{self, PlanFile, SourceEnv, Unreadable};
use proptest::prelude::*;

const BASE: &str = "
version: 1
name: base
workers: { w1: {}, w2: { same_node_as: w1 } }
paths: [{ name: near, from: w1, to: w2, via: pod_ip }]
defaults: { duration: 2s, repeat: 3 }
tests: [{ iperf3: { streams: 4 } }, { netperf: {} }]
local: { nodes: 3, links: { rate: 1 Gbit/s, mtu: 9000 } }
kubernetes: { namespace: '${NS:-bench}' }
";

/// Files and variables by name.
struct Made<'a>(HashMap<&'a str, &'a str>);

impl SourceEnv for Made<'_> {
    fn read(&self, file: &Path) -> Result<String, Unreadable> {
        let text = self.0.get(file.to_str().unwrap());
        Ok((*text.ok_or(Unreadable::Missing)?).to_owned())
    }

    fn files(&self, folder: &Path) -> Vec<String> {
        let paths = self.0.keys().map(Path::new);
        let inside = paths.filter(|path| path.parent() == Some(folder));
        inside
            .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
            .collect()
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.0.get(name).map(|value| (*value).to_owned())
    }
}

fn load(around: &[(&str, &str)], text: &str, set: &[&str]) -> Result<PlanFile, Problems> {
    let around = Made(around.iter().copied().collect());
    let set: Vec<String> = set.iter().map(|set| (*set).to_owned()).collect();
    plan::load_file(&around, Source::new("plans/own.yaml", text), &set)
}

#[test]
fn mappings_merge_and_all_else_replaces() {
    let own = "extends: ../shared/base.yaml
name: own
workers: { w3: { other_node_than: w1 }, w2: }
tests: [{ iperf3: {} }]
local: { links: { delay: 1ms } }
";
    let plan = load(&[("shared/base.yaml", BASE)], own, &["defaults.repeat=5"]).unwrap();
    assert_eq!(
        (&*plan.name, plan.workers.len(), plan.tests.len()),
        ("own", 3, 1)
    );
    assert_eq!(plan.workers["w2"], plan::Placement::default());
    let timing = &plan.tests[0].timing;
    assert_eq!(
        (timing.duration.0.as_secs(), timing.repeat.clone()),
        (2, plan::Repeat::Times(5))
    );
    let links = &plan.local.links;
    assert_eq!(
        (plan.local.nodes, links.mtu, links.delay.is_some()),
        (3, Some(9000), true)
    );
    assert_eq!(plan.kubernetes.namespace, "bench");
}

#[test]
fn later_bases_lie_over_earlier_ones() {
    let around = [
        ("plans/a.yaml", BASE),
        (
            "plans/b.yaml",
            "extends: a.yaml\nname: b\nlocal: { nodes: 4 }",
        ),
        (
            "plans/c.yaml",
            "extends: ./sub/../a.yaml\nlocal: { nodes: 5 }",
        ),
    ];
    let plan = load(&around, "extends: [b.yaml, c.yaml]", &[]).unwrap();
    // `c` brings the name of `a` along.
    assert_eq!((&*plan.name, plan.local.nodes), ("base", 5));
}

#[test]
fn a_variable_may_be_any_value_and_is_stored_as_what_it_was() {
    let own = "extends: ${BASE}.yaml
description: 'of ${USER}: $${HOME}, {{ mss }}'
defaults: { repeat: '${N}', duration: '${D:-7s}' }
";
    let around = [
        ("plans/base.yaml", BASE),
        ("BASE", "base"),
        ("USER", "7"),
        ("N", "4"),
        ("NS", "123"),
    ];
    let plan = load(&around, own, &[]).unwrap();
    assert_eq!(
        plan.description.as_deref(),
        Some("of 7: ${HOME}, {{ mss }}")
    );
    assert_eq!(plan.kubernetes.namespace, "123");
    assert_eq!(plan.tests[0].timing.repeat, plan::Repeat::Times(4));
    assert_eq!(plan.tests[0].timing.duration.0.as_secs(), 7);
    let text = plan.to_yaml().unwrap();
    assert!(text.contains("$${HOME}"), "{text}");
    // The resolved plan needs nothing around it.
    assert_eq!(
        plan::load_file(&plan::Alone, Source::new("plan.yaml", &*text), &[]).unwrap(),
        plan
    );
}

proptest! {
    #[test]
    fn any_files_are_read_or_refused(
        own in "(extends: ([abo]\\.yaml|\\[a.yaml, b.yaml\\]|\\$\\{A\\}|~|\\{\\})\n)?(x: \\$\\{?[AB]?\\}?\n)?(tests: 1\n)?",
        a in "(extends: ([abo]\\.yaml|own\\.yaml)\n)?([xy]: \\{ a: [0-9] \\}\n)?",
        b in "(extends: [abo]\\.yaml\n)?([xy]: \\{ [a-c]: [0-9] \\}\n)?(- 1)?",
    ) {
        let around = [("plans/a.yaml", &*a), ("plans/b.yaml", &*b), ("A", "b.yaml")];
        let problems = load(&around, &own, &[]).unwrap_err();
        prop_assert!(!problems.is_empty() && !problems.to_string().is_empty());
    }
}

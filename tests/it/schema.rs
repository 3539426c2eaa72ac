//! What is generated from the model of the language: the JSON Schema and the reference. The schema
//! takes every good plan, and of the bad ones refuses all that a schema can.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};

use jsonschema::Validator;
use serde_json::Value;

use crate::plan::{SMALL, shipped_file};
use netplan::plan;

/// The cases that the schema takes, by what it cannot express. All others it refuses, or they are no
/// YAML as a JSON document.
const BEYOND: &[(&str, &[&str])] = &[
    (
        "that names are there, and there once",
        &[
            "alias_repeats_name",
            "duplicate_names",
            "expect_own_metrics",
            "mesh_expect",
            "unknown_names",
            "variants_names",
            "variants_search",
            "variants_until",
        ],
    ),
    (
        "where the workers sit that paths and rules name",
        &[
            "host_and_pod",
            "host_on_one_node",
            "loopback_path",
            "mesh_of_one",
            "placement_circle",
            "placement_contradiction",
            "placement_contradiction_far",
            "placement_itself",
            "placement_two_labels",
            "variants_host",
        ],
    ),
    (
        "arithmetic",
        &[
            "link_queue",
            "link_queue_short",
            "mesh_too_large",
            "variants_alone",
            "variants_resources",
            "range_end_out_of_range",
            "sweep_descending",
            "timeout_too_short",
            "too_many_cells",
            "tools_values",
            "warmup_too_long",
        ],
    ),
    (
        "what is in other files, or on the command line",
        &[
            "extends_circle",
            "extends_folders",
            "extends_itself",
            "extends_set",
            "extended/again",
            "extended/round",
            "set_problems",
        ],
    ),
    ("keys that the reader of YAML drops", &["duplicate_key"]),
    (
        "what Kubernetes knows of pods",
        &[
            "kubernetes_pod_field",
            "kubernetes_pod_null",
            "kubernetes_pod_type",
        ],
    ),
];

/// The cases that are no YAML, or YAML without a counterpart in JSON.
const NO_JSON: &[&str] = &[
    "alias_in_itself",
    "bad_indentation",
    "colon_in_text",
    "comma_missing",
    "expect_unquoted",
    "expect_unquoted_flow",
    "extended/broken",
    "key_is_a_list",
    "key_too_deep",
    "key_without_colon",
    "tab",
    "tags",
    "template",
    "two_documents",
    "unclosed_bracket",
    "unclosed_list_before_a_key",
    "unclosed_quote",
    "unknown_anchor",
    "unknown_escape",
    "variable_in_braces",
];

fn validator() -> Validator {
    jsonschema::validator_for(&plan::schema()).unwrap()
}

fn instance(text: &str) -> Value {
    serde_yaml::from_str(text).unwrap()
}

/// The plans of a folder by their names from the repository's root, without the ending.
fn plans_of(folder: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = std::fs::read_dir(root.join(folder)).unwrap();
    let mut plans: Vec<(String, String)> = files
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "yaml"))
        .map(|path| {
            let name = path.strip_prefix(root).unwrap().with_extension("");
            let text = std::fs::read_to_string(&path).unwrap();
            (name.to_str().unwrap().to_owned(), text)
        })
        .collect();
    plans.sort();
    plans
}

/// The plans that ship, of all folders.
fn shipped_plans() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut plans = plans_of("plans");
    for entry in std::fs::read_dir(root.join("plans")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            let folder = path.strip_prefix(root).unwrap().to_str().unwrap();
            let found = plans_of(folder);
            assert!(!found.is_empty(), "{folder} has no plans");
            plans.extend(found);
        }
    }
    plans
}

/// Holds a committed file against what the model says; writes it when `NETPLAN_UPDATE` is set.
pub fn committed(name: &str, generated: &str) {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    if std::env::var_os("NETPLAN_UPDATE").is_some() {
        std::fs::write(&path, generated).unwrap();
    } else {
        let there = std::fs::read_to_string(&path).unwrap();
        assert!(there == generated, "{name}: NETPLAN_UPDATE=1 writes it");
    }
}

#[test]
fn the_committed_schema_is_that_of_the_model() {
    let text = serde_json::to_string_pretty(&plan::schema()).unwrap() + "\n";
    committed("plans/plan.schema.json", &text);
}

#[test]
fn the_committed_reference_is_that_of_the_model() {
    committed("docs/language.md", &plan::reference().unwrap());
}

#[test]
fn the_committed_plan_of_init_is_that_of_the_model() {
    committed("plans/init.yaml", &plan::init_text().unwrap());
}

#[test]
fn the_schema_takes_every_shipped_plan() {
    let validator = validator();
    let mut good = vec![("small".to_owned(), SMALL.to_owned())];
    for (name, text) in shipped_plans() {
        let resolved = shipped_file(name.strip_prefix("plans/").unwrap());
        good.push((format!("{name}, resolved"), resolved.to_yaml().unwrap()));
        good.push((name, text));
    }
    for folder in ["selftest", "tools", "variants", "outages"] {
        let start = format!("plans/{folder}/");
        assert!(
            good.iter().any(|(name, _)| name.starts_with(&start)),
            "{folder}"
        );
    }
    for (name, text) in good {
        let errors: Vec<String> = validator
            .iter_errors(&instance(&text))
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{name}: {errors:#?}");
    }
}

#[test]
fn the_schema_refuses_every_bad_plan_but_those_beyond_it() {
    let validator = validator();
    let beyond: Vec<&str> = BEYOND
        .iter()
        .flat_map(|(_, names)| *names)
        .copied()
        .collect();
    let cases = ["tests/cases", "tests/cases/extended"]
        .map(plans_of)
        .concat();
    let mut wrong = Vec::new();
    for (name, text) in &cases {
        let name = name.strip_prefix("tests/cases/").unwrap();
        let found = match serde_yaml::from_str::<Value>(text) {
            Err(_) => "is no JSON document",
            Ok(plan) if validator.is_valid(&plan) => "is taken",
            Ok(_) => "is refused",
        };
        let listed = match (NO_JSON.contains(&name), beyond.contains(&name)) {
            (true, _) => "is no JSON document",
            (_, true) => "is taken",
            _ => "is refused",
        };
        if found != listed {
            wrong.push(format!("{name} {found}; by the lists it {listed}"));
        }
    }
    let there = |name: &&str| {
        cases
            .iter()
            .any(|(case, _)| case.ends_with(&format!("/{name}")))
    };
    wrong.extend(
        beyond
            .iter()
            .chain(NO_JSON)
            .filter(|name| !there(name))
            .map(|name| format!("{name} is listed, and there is no such case")),
    );
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A test of the small plan with these keys.
fn with_test(test: &str) -> Value {
    let plan = SMALL.replace("  - iperf3:\n", &format!("  - {test}\n"));
    assert_ne!(plan, SMALL);
    instance(&plan)
}

#[test]
fn the_schema_refuses_keys_that_do_not_go_together() {
    let validator = validator();
    for (good, bad) in [
        ("iperf3: { mss: 88 }", "iperf3: { mss: 87 }"),
        ("iperf3: { mss: 9216 }", "iperf3: { mss: 9217 }"),
        ("iperf3: { mss: [96, 88] }", "iperf3: { mss: [96, 87] }"),
        (
            "iperf3: { mss: { from: 96, to: 104, step: 8 } }",
            "iperf3: { mss: { from: 8, to: 96, step: 8 } }",
        ),
        (
            "iperf3: { streams: { from: 1, to: 3, step: 1 } }",
            "iperf3: { streams: { from: 1, to: 3, step: 0 } }",
        ),
        (
            "iperf3: { rate: [1 Mbit/s, 2 Mbit/s] }",
            "iperf3: { rate: [1 Mbit/s, 1 Mbit/s] }",
        ),
        (
            "iperf3: { protocol: udp, datagram: 16, zerocopy: false }",
            "iperf3: { protocol: udp, datagram: 16, zerocopy: true }",
        ),
        (
            "iperf3: { protocol: '${P}', mss: 96 }",
            "iperf3: { protocol: udp, mss: 96 }",
        ),
        (
            "iperf3: { protocol: '${P}', datagram: 96 }",
            "iperf3: { datagram: 96 }",
        ),
        (
            "netperf: { test: UDP_RR, request: 9 }",
            "netperf: { request: 9 }",
        ),
        (
            "{ iperf3: { protocol: udp }, find: { rate: max, while: 'lost_percent <= 1' } }",
            "{ iperf3: { protocol: tcp }, find: { rate: max, while: 'lost_percent <= 1' } }",
        ),
        (
            "{ netperf: { test: TCP_RR }, expect: { latency.p99: '< 1ms' } }",
            "{ netperf: { test: TCP_RR }, expect: { latency.p98: '< 1ms' } }",
        ),
        (
            "{ iperf3: , expect: { throughput: '>= 85 % of far' } }",
            "{ iperf3: , expect: { throughput: '>= 85 %' } }",
        ),
        (
            "{ iperf3: , duration: 2000ms }",
            "{ iperf3: , duration: 500ms }",
        ),
        (
            "{ iperf3: , duration: 0.5m }",
            "{ iperf3: , duration: 0.5s }",
        ),
        ("{ iperf3: , warmup: 0s }", "{ iperf3: , duration: 0s }"),
        (
            "{ iperf3: , duration: '${D}' }",
            "{ iperf3: , duration: D }",
        ),
        (
            "{ iperf3: , paths: [near] }",
            "{ iperf3: , paths: [near, near] }",
        ),
    ] {
        assert!(validator.is_valid(&with_test(good)), "{good}");
        assert!(!validator.is_valid(&with_test(bad)), "{bad}");
    }
}

/// Tools that the plan declares measure what netplan does not know; meshes expect it too.
#[test]
fn metrics_are_known_only_where_no_tool_is_declared() {
    let validator = validator();
    let tools = "tools: { t: { client: { command: [t] }, metrics: { own: { unit: count, regex: '(?<value>x)' } } } }";
    let mesh = "paths: { mesh: { workers: w1, via: pod_ip, expect: { own: '>= 1' } } }\n";
    let paths = SMALL
        .lines()
        .find(|line| line.starts_with("paths:"))
        .unwrap();
    let plan = SMALL.replace(paths, mesh);
    assert!(!validator.is_valid(&instance(&plan)));
    assert!(validator.is_valid(&instance(&format!("{plan}{tools}"))));
    assert!(validator.is_valid(&instance(
        &plan.replace("own:", "rtt:").replace(">= 1", "< 1ms")
    )));
}

//! What `describe/keys/` says of a key is what the decoder, the schema and the reference do.

use std::collections::HashSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::diag::Source;
use crate::plan::describe::key::{Form, Key, Kind, Limits, Mapping, Presence};
use crate::plan::describe::keys::{MOST_CELLS, PLAN};
use crate::plan::{self, Alone};

/// A plan with every section.
const BASE: &str = "version: 1
name: base
workers: { w1: {}, g: { one_per_node: true, count: 2, tolerations: [{ key: a, effect: NoExecute }], ports: [{ port: 1 }] } }
variants: { m: { workers: { g: { tolerations: [{ key: a, effect: NoExecute }], ports: [{ port: 1 }] } }, objects: [{ file: a, text: b }] }, n: {} }
paths:
  - { name: p, from: w1, to: w1, via: cluster_ip }
  - mesh: { workers: g, via: pod_ip }
tools:
  t:
    parameters: { size: {} }
    ports: [{ name: a, port: 1 }]
    server: { command: [x], ready: { port: a } }
    client: { command: [x, [-s, '{{ size }}']] }
    metrics: { m: { unit: count, json: /m } }
tests:
  - iperf3: { protocol: udp }
    find: { rate: max, while: 'lost_percent <= 1' }
    load: [{ iperf3: { protocol: udp }, paths: [p] }]
  - netperf: { test: TCP_RR }
  - t: { size: 1 }
  - probe: {}
    during: [{ at: 1s, for: 1s, loss: { between: [node-1, node-2], percent: 5% } }]
kubernetes: { tolerations: [{ key: a, effect: NoExecute }], ports: [{ port: 1 }], pull_secrets: [a] }
";

/// Visits each key with a path at which BASE can have it.
fn each_key(see: &mut impl FnMut(&str, &Key)) {
    fn inside(kind: &Kind, path: &str, see: &mut impl FnMut(&str, &Key)) {
        match kind {
            Kind::Map(mapping) => keys(mapping, path, see),
            Kind::Names(_, of) => {
                let last = path.rsplit('.').next().unwrap_or_default();
                let names = [("workers", "g"), ("tools", "t"), ("parameters", "size")];
                let name = names.iter().find(|(key, _)| *key == last);
                inside(of, &format!("{path}.{}", name.map_or("m", |(_, n)| n)), see);
            }
            Kind::List(list) => inside(&list.item, &format!("{path}.0"), see),
            Kind::Either(kinds) => kinds.iter().for_each(|kind| inside(kind, path, see)),
            _ => {}
        }
    }
    fn keys(mapping: &Mapping, path: &str, see: &mut impl FnMut(&str, &Key)) {
        for key in mapping.all_keys() {
            let dot = if path.is_empty() { "" } else { "." };
            let path = format!("{path}{dot}{}", key.name)
                .replace("paths.0.mesh", "paths.1.mesh")
                .replace("paths.mesh", "paths.1.mesh")
                .replace("tests.0.netperf", "tests.1.netperf")
                .replace("tests.0.probe", "tests.3.probe")
                .replace("tests.0.during", "tests.3.during");
            see(&path, key);
            inside(&key.kind, &path, see);
        }
    }
    keys(&PLAN, "", see);
}

/// What is said of the plan with this value.
fn problems(path: &str, value: &str) -> String {
    let set = [format!("{path}={value}")];
    match plan::load_file(&Alone, Source::new("base", BASE), &set) {
        Ok(_) => String::new(),
        Err(problems) => problems.to_string(),
    }
}

/// Whether a value is within the limits of its key, whatever else is said of it.
fn is_within(path: &str, value: &str) -> bool {
    let said = problems(path, value);
    ![
        "out of range",
        "too long",
        "too short",
        "would send nothing",
        "of at most",
        "names no package",
        " entries",
    ]
    .iter()
    .any(|limit| said.contains(limit))
}

/// Values at the edges of a kind, and whether each is within.
fn edges(kind: &Kind) -> Vec<(String, bool)> {
    let numbers = |limits: Limits, unit: &str| {
        let Limits { least, most, .. } = limits;
        let below = least.checked_sub(1).map(|value| (value, false));
        let above = most.checked_add(1).map(|value| (value, false));
        let edges = [below, Some((least, true)), Some((most, true)), above];
        let edges = edges.into_iter().flatten();
        edges
            .map(|(value, is_in)| (format!("{value}{unit}"), is_in))
            .collect()
    };
    let lengths = |longest: usize| {
        let text = |length| "a".repeat(length);
        vec![(text(longest), true), (text(longest + 1), false)]
    };
    match kind {
        Kind::Number(limits) | Kind::Rate(limits) | Kind::Bytes(limits) => numbers(*limits, ""),
        Kind::Duration(limits) | Kind::WholeSeconds(limits) => numbers(*limits, "s"),
        Kind::ShortDuration(limits) => numbers(*limits, "us"),
        Kind::Percent(least, most) => vec![
            (format!("{least}%"), true),
            (format!("{most}%"), true),
            (format!("{}%", most + 1.0), false),
        ],
        Kind::Sweep(of) => {
            let one = edges(of);
            let listed = one
                .iter()
                .map(|(value, is_in)| (format!("[{value}]"), *is_in));
            listed.chain(one.iter().cloned()).collect()
        }
        Kind::Text(
            Form::DnsLabel(longest)
            | Form::Label(longest)
            | Form::Sentence(longest)
            | Form::Package(longest),
        ) => lengths(*longest),
        Kind::Either(kinds) => kinds.iter().flat_map(edges).collect(),
        _ => Vec::new(),
    }
}

/// A list, or names, with so many entries.
fn many(kind: &Kind, entries: usize) -> String {
    let is_names = matches!(kind, Kind::Names(..));
    let entry = |n| {
        if is_names {
            format!("a{n}: 1")
        } else {
            "1".to_owned()
        }
    };
    let all = (0..entries).map(entry).collect::<Vec<_>>().join(", ");
    if is_names {
        format!("{{{all}}}")
    } else {
        format!("[{all}]")
    }
}

#[test]
fn the_decoder_takes_each_limit_and_nothing_beyond() {
    assert_eq!(problems("name", "base"), "");
    let (mut tried, mut wrong) = (0, Vec::new());
    each_key(&mut |path, key| {
        let entries = key.most.into_iter().flat_map(|most| {
            [(most.entries, true), (most.entries + 1, false)]
                .map(|(entries, expected)| (many(&key.kind, entries), expected))
        });
        for (value, expected) in edges(&key.kind).into_iter().chain(entries) {
            tried += 1;
            if is_within(path, &value) != expected {
                wrong.push(format!("{path}={value}: {}", problems(path, &value)));
            }
        }
    });
    assert!(tried > 120, "{tried}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_most_cells_are_described() {
    let tests = PLAN.key("tests").unwrap();
    assert!(tests.text.contains(&format!("{MOST_CELLS} cells")));
}

#[test]
fn each_limit_on_entries_says_what_to_do() {
    each_key(&mut |path, key| {
        assert!(key.most.is_none_or(|most| !most.help.is_empty()), "{path}");
    });
}

#[test]
fn the_decoder_knows_each_key_and_each_word() {
    let (mut tried, mut wrong) = (0, Vec::new());
    each_key(&mut |path, key| {
        let kind = match &key.kind {
            Kind::Either([words @ Kind::Words(_), ..]) => words,
            kind => kind,
        };
        let words = match kind {
            Kind::Word(words) => words().into_iter().map(|word| word.name).collect(),
            Kind::Words(words) => words.iter().map(|(word, _)| (*word).to_owned()).collect(),
            _ => vec!["1".to_owned()],
        };
        for word in words {
            tried += 1;
            let said = problems(path, &word);
            let unknown = format!("unknown key `{}`", key.name);
            if said.contains(&unknown) || said.contains("unknown value") {
                wrong.push(format!("{path}={word}: {said}"));
            }
        }
    });
    assert!(tried > 130, "{tried}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_key_is_in_the_schema_and_in_the_reference() {
    let schema = plan::schema();
    let definitions = schema["definitions"].as_object().unwrap().values();
    let described: HashSet<&String> = std::iter::once(&schema)
        .chain(definitions)
        .filter_map(|definition| definition["properties"].as_object())
        .flat_map(serde_json::Map::keys)
        .collect();
    let reference = plan::reference().unwrap();
    each_key(&mut |path, key| {
        assert!(described.contains(&key.name.to_owned()), "{path}");
        let row = format!("\n| `{}` | ", key.name);
        assert!(reference.contains(&row), "{path}");
    });
}

/// A default that is a value is the one that the decoder fills in.
#[test]
fn each_default_is_that_of_the_decoder() {
    let small = "version: 1
name: base
workers: { w1: {} }
paths: [{ name: p, from: w1, to: w1, via: cluster_ip }]
tests: [{ iperf3: {} }, { netperf: {} }, { iperf3: {}, name: b }, { probe: {} }]
";
    let file = plan::load_file(&Alone, Source::new("small", small), &[]).unwrap();
    let resolved = serde_json::to_value(&file).unwrap();
    let mut compared = 0;
    each_key(&mut |path, key| {
        let Presence::Default(default) = key.presence else {
            return;
        };
        let pointer = format!("/{}", path.replace('.', "/"));
        let Some(value) = resolved.pointer(&pointer) else {
            return;
        };
        let value = match value {
            Value::String(text) => text.clone(),
            value if value.is_object() || value.is_array() => return,
            value => value.to_string(),
        };
        let default = default.trim_matches('`');
        let is_word = default.split([' ', ',']).next() == Some(&value);
        let is_prose = ["name", "label"].contains(&key.name);
        assert!(
            is_word || is_prose,
            "{path}: {value}, described as {default}"
        );
        compared += 1;
    });
    assert!(compared > 10, "{compared}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_schema_takes_the_numbers_that_the_decoder_takes(near in 0_u64..4, at: prop::sample::Index) {
        let mut keys = Vec::new();
        each_key(&mut |path, key| {
            let kind = match key.kind {
                Kind::Sweep(of) => *of,
                kind => kind,
            };
            // The schema refuses a mapping that is one of several forms as a whole.
            if let Kind::Number(limits) | Kind::Rate(limits) | Kind::Bytes(limits) = kind
                && !path.contains("repeat.")
            {
                keys.push((path.to_owned(), limits));
            }
        });
        let (path, limits) = at.get(&keys);
        for edge in [limits.least, limits.most] {
            for value in [edge.saturating_sub(near), edge.saturating_add(near)] {
                let taken = takes(path, value);
                prop_assert_eq!(taken, is_within(path, &value.to_string()), "{}={}", path, value);
            }
        }
    }
}

/// Whether the schema takes a number at a path of BASE.
fn takes(path: &str, value: u64) -> bool {
    let schema = plan::schema();
    let mut instance: Value =
        serde_json::to_value(plan::load_file(&Alone, Source::new("base", BASE), &[]).unwrap())
            .unwrap();
    let (parent, key) = path.rsplit_once('.').unwrap_or(("", path));
    let mut at = &mut instance;
    for step in parent.split('.').filter(|step| !step.is_empty()) {
        at = if let Ok(index) = step.parse::<usize>() {
            &mut at[index]
        } else {
            // A mapping may replace a single value.
            if !at[step].is_object() && !at[step].is_array() {
                at[step] = json!({});
            }
            &mut at[step]
        };
    }
    at[key] = json!(value);
    let validator = jsonschema::validator_for(&schema).unwrap();
    let end = format!("/{}", path.replace('.', "/"));
    // Only what is said of this value counts: others keys may not go with it.
    !validator.iter_errors(&instance).any(|error| {
        let place = error.instance_path().to_string();
        place == end && !error.to_string().contains("False schema")
    })
}

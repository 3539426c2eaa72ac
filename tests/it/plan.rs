//! The plan language: what ships loads, what is loaded survives its own text, what is too much is
//! refused, and nothing panics.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::path::Path;
use std::time::{Duration, Instant};

use netplan::diag::{Problems, Source};
use netplan::plan::sweep::Sweep;
use netplan::plan::{self, Plan, PlanFile, Repeat, ToolSpec};

fn load(text: &str, set: &[&str]) -> Result<Plan, Problems> {
    let set: Vec<String> = set.iter().map(|set| (*set).to_owned()).collect();
    plan::load(Source::new("plan.yaml", text), &set)
}

pub fn shipped(name: &str) -> Plan {
    shipped_file(name).expand()
}

pub fn shipped_file(name: &str) -> PlanFile {
    let path = format!("{}/plans/{name}.yaml", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap();
    crate::cases::load(&format!("plans/{name}.yaml"), &text, &[])
        .unwrap_or_else(|problems| panic!("{path}\n{problems}"))
}

/// How many rows and cells a plan has.
fn matrix(plan: &Plan) -> (u64, u64) {
    let sizes = plan.tests.iter().map(|test| {
        let (rest, size) = match &test.tool {
            ToolSpec::BuiltIn(used) => {
                let values = |option| used.numbers(option).map_or(1, Sweep::len);
                let rest = ["streams", "rate", "write_size", "request", "response"];
                (
                    rest.map(values).iter().product::<u64>(),
                    values("mss") * values("datagram"),
                )
            }
            ToolSpec::Declared(used) => (used.values.values().map(Sweep::len).product(), 1),
        };
        let rows = test.paths.len() as u64 * rest;
        (rows, rows * size)
    });
    sizes.fold((0, 0), |(rows, cells), (r, c)| (rows + r, cells + c))
}

#[test]
fn shipped_plans_have_their_cells() {
    for (name, rows, cells) in [
        ("default", 13, 118),
        ("nptest", 13, 118),
        ("quick", 13, 38),
        ("latency", 12, 12),
        ("udp", 2, 10),
        ("link", 1, 3),
        ("streams", 10, 10),
        ("base", 2, 2),
        ("nightly", 4, 4),
        ("gate", 10, 10),
        ("adaptive", 5, 110),
        ("find", 1, 2),
    ] {
        let plan = shipped(name);
        assert_eq!(plan.name, name);
        assert_eq!(matrix(&plan), (rows, cells), "{name}");
    }
}

#[test]
fn every_file_in_plans_loads_and_names_its_schema() {
    for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("plans")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if path
            .extension()
            .is_some_and(|extension| extension == "yaml")
        {
            shipped(&name);
            let text = std::fs::read_to_string(&path).unwrap();
            let first = "# yaml-language-server: $schema=plan.schema.json\n";
            assert!(name == "init" || text.starts_with(first), "{name}");
        }
    }
}

#[test]
fn the_plans_of_the_selftest_load_and_name_their_schema() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("plans/selftest");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let first = "# yaml-language-server: $schema=../plan.schema.json\n";
        assert!(text.starts_with(first), "{}", path.display());
        let name = path.file_stem().unwrap().to_str().unwrap();
        assert_eq!(
            shipped(&format!("selftest/{name}")).name,
            format!("selftest-{name}")
        );
        seen += 1;
    }
    assert_eq!(seen, 7);
}

#[test]
fn the_rows_of_nptest_have_its_labels() {
    let plan = shipped("default");
    let mut rows = Vec::new();
    for test in &plan.tests {
        for name in &test.paths {
            let path = plan.paths.iter().find(|path| path.name == *name).unwrap();
            rows.push(format!("{} {} {}", rows.len() + 1, test.label, path.label));
        }
    }
    assert_eq!(
        rows,
        [
            "1 iperf TCP. Same VM using Pod IP",
            "2 iperf TCP. Same VM using Virtual IP",
            "3 iperf TCP. Remote VM using Pod IP",
            "4 iperf TCP. Remote VM using Virtual IP",
            "5 iperf TCP. Hairpin Pod to own Virtual IP",
            "6 iperf UDP. Same VM using Pod IP",
            "7 iperf UDP. Same VM using Virtual IP",
            "8 iperf UDP. Remote VM using Pod IP",
            "9 iperf UDP. Remote VM using Virtual IP",
            "10 netperf. Same VM using Pod IP",
            "11 netperf. Same VM using Virtual IP",
            "12 netperf. Remote VM using Pod IP",
            "13 netperf. Remote VM using Virtual IP",
        ]
    );
}

pub const SMALL: &str = "\
version: 1
name: small
workers: { w1: {}, w2: }
paths: [{ name: near, from: w1, to: w2, via: pod_ip }]
tests:
  - iperf3:
  - &t { iperf3: { protocol: udp } }
  - *t
";

#[test]
fn what_is_left_out_is_filled_in() {
    let source = Source::new("plan.yaml", SMALL);
    let file = plan::load_file(&plan::Alone, source, &[]).unwrap();
    crate::support::snapshots().bind(|| {
        insta::assert_snapshot!("plan_resolved", file.to_yaml().unwrap());
    });
}

#[test]
fn set_overrides_without_touching_what_an_alias_shares() {
    let plan = load(
        SMALL,
        &[
            "tests.1.duration=3s",
            "paths.near.label=Near",
            "defaults.repeat=4",
            "local.links.rate=100Mbit/s",
            "tests.0.iperf3.mss=[96, 1460]",
            "tests.0.iperf3.mss.1=536",
        ],
    )
    .unwrap();
    let seconds: Vec<u64> = plan
        .tests
        .iter()
        .map(|t| t.timing.duration.0.as_secs())
        .collect();
    assert_eq!(seconds, [10, 3, 10]);
    assert_eq!(plan.paths[0].label, "Near");
    assert!(
        plan.tests
            .iter()
            .all(|test| test.timing.repeat == Repeat::Times(4))
    );
    assert_eq!(plan.local.links.rate.unwrap().0, 100_000_000);
    let sizes = plan.tests[0].tool.values("mss").unwrap();
    assert_eq!(sizes.values().collect::<Vec<_>>(), [96, 536]);
}

#[test]
fn too_much_is_refused_at_once() {
    let plan = |tests: &str| SMALL.replace("  - iperf3:\n", tests);
    let lines = |count: u32, line: &dyn Fn(u32) -> String| {
        let lines: Vec<String> = (0..count).map(line).collect();
        lines.concat()
    };
    let laughs = lines(40, &|level| {
        let item = level
            .checked_sub(1)
            .map_or("x".to_owned(), |below| format!("*x{below}"));
        format!("x{level}: &x{level} [{}]\n", [item.as_str(); 9].join(", "))
    });
    let deep = lines(700, &|level| format!("{}a:\n", " ".repeat(level as usize)));
    let keys = lines(90_000, &|key| format!("k{key}: 1\n"));
    let million = format!("a: &a x\nb: [{}]\n", "*a,".repeat(340_000));
    let texts = [
        ("megabytes", "# ".repeat(2 << 20), "at most 1 MiB"),
        ("laughs", laughs, "at most 100000 values"),
        ("aliases", million, "at most 100000 values"),
        ("depth", "[".repeat(500_000), "64 deep"),
        ("block depth", deep, "64 deep"),
        ("keys", keys, "more problems"),
        (
            "cells",
            plan(
                "  - iperf3: { mss: { from: 88, to: 9216, step: 1 }, streams: { from: 1, to: 128, step: 1 } }\n",
            ),
            "cells",
        ),
        (
            "endless",
            plan("  - iperf3: { rate: { from: 1000, to: 1000000000000, step: 1 } }\n"),
            "cells",
        ),
        (
            "a long line",
            format!("a: \"{}\"", "é".repeat(500_000)),
            "unknown key",
        ),
    ];
    for (name, text, words) in texts {
        let started = Instant::now();
        let problems = load(&text, &[]).unwrap_err().to_string();
        // Generous for a debug build on a busy machine; a release build takes less than a second.
        assert!(
            started.elapsed() < Duration::from_secs(20),
            "{name}: {:?}",
            started.elapsed()
        );
        assert!(problems.contains(words), "{name}: {problems}");
        assert!(problems.len() < 50_000, "{name}: {}", problems.len());
        eprintln!("{name}: {:?}", started.elapsed());
    }
}

#[test]
fn the_plan_of_init_shows_every_key() {
    let text = plan::init_text().unwrap();
    load(&text, &[]).unwrap();
    let schema = plan::schema();
    let mut keys: Vec<String> = Vec::new();
    let definitions = schema["definitions"].as_object().unwrap().iter();
    // A metric is a word of `expect:` like any other.
    let metrics = ["Expectations", "KnownMetrics"];
    let definitions = definitions.filter(|(name, _)| !metrics.contains(&name.as_str()));
    for definition in std::iter::once(&schema).chain(definitions.map(|(_, of)| of)) {
        if let Some(properties) = definition["properties"].as_object() {
            keys.extend(properties.keys().cloned());
        }
    }
    assert!(keys.len() > 30);
    for key in keys {
        assert!(text.contains(&format!("{key}:")), "{key}");
    }
}

/// Every key of the schema has a text, and is explained by its path.
#[test]
fn every_key_is_explained() {
    let mut open = vec![String::new()];
    let mut explained = 0;
    while let Some(path) = open.pop() {
        let found = plan::explain(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        assert_eq!(found.path, path);
        assert!(
            !found.kind.is_empty() && found.kind != "value",
            "{path}: {}",
            found.kind
        );
        for key in found.keys {
            let is_end = [".from", ".to", ".step"]
                .iter()
                .any(|end| key.path.ends_with(end));
            assert!(is_end || !key.text.is_empty(), "{} has no text", key.path);
            open.push(key.path);
        }
        explained += 1;
    }
    assert!(explained > 100, "{explained}");
}

/// What YAML would take for the start of a text of several lines.
#[test]
fn a_bound_may_be_set_without_quotes_of_its_own() {
    let text =
        std::fs::read_to_string(format!("{}/plans/mesh.yaml", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let bare = load(&text, &["tests.0.expect.throughput=>= 9 Gbit/s"]).unwrap();
    let quoted = load(&text, &["tests.0.expect.throughput='>= 9 Gbit/s'"]).unwrap();
    assert_eq!(bare.tests, quoted.tests);
}

#[test]
fn a_path_is_explained_with_and_without_names() {
    let explained = |path: &str| plan::explain(path).map_err(|error| error.to_string());
    let mss = explained("tests.iperf3.mss").unwrap();
    assert_eq!(explained("tests.0.iperf3.mss").unwrap(), mss);
    assert_eq!(
        mss.kind,
        "number, list of number or mapping; from 88 to 9216"
    );
    assert_eq!(mss.default.as_deref(), Some("the path's own"));
    assert_eq!(
        explained("workers.w1.count").unwrap(),
        explained("workers.count").unwrap()
    );
    assert_eq!(explained("paths.via").unwrap().words.len(), 3);
    let ready = explained("tools.server.ready").unwrap();
    assert_eq!(ready.kind, "word or mapping");
    assert_eq!((ready.words.len(), ready.keys.len()), (1, 2));
    // The parameters of declared tools are not keys of a test.
    let tests = explained("tests").unwrap();
    assert_eq!(tests.kind, "list of mapping");
    assert!(tests.keys.iter().all(|key| key.name != "step"));
    for (path, words) in [
        ("wrokers", "did you mean `workers`?"),
        (
            "workers.same_nod_as",
            "did you mean `workers.same_node_as`?",
        ),
        (
            "local.links.zzz",
            "keys there are `rate`, `delay`, `queue`, `loss` and `mtu`",
        ),
        ("name.x", "`name` has no keys"),
        (
            "repeat",
            "did you mean `tests.repeat` or `defaults.repeat`?",
        ),
    ] {
        let error = explained(path).unwrap_err();
        assert!(error.ends_with(words), "{error}");
    }
}

/// What a run recorded stays readable, also where it asked for what a plan may not ask for today.
#[test]
fn a_plan_that_was_checked_before_may_have_a_longer_warmup() {
    let text = SMALL.replace("  - iperf3:\n", "  - warmup: 2m\n    iperf3:\n");
    assert_ne!(text, SMALL);
    let plan = load(&text, &[]).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(plan.tests[0].timing.warmup.0, Duration::from_secs(120));
    let problems = crate::cases::load("plan.yaml", &text, &[]).unwrap_err();
    assert!(
        problems.to_string().contains("too long for iperf3"),
        "{problems}"
    );
}

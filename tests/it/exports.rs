//! Formats for other programs: `OpenMetrics`, perfdash, Bencher; each checked against its own rules.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use netplan::catalog::BUILT_IN_TOOLS;
use netplan::diag::Source;
use netplan::import::nptest;
use netplan::output::exports::{bmf, openmetrics, perfdash};
use netplan::plan::{self, BuiltInUse, Test, ToolSpec};
use netplan::report::Report;
use netplan::results::EventKind;
use netplan::schedule::{Schedule, Selection};
use serde_json::Value;

use crate::made::{self, End, Fate};
use crate::support::{ROOT, snapshots};

const SAMPLE: &str = include_str!("../data/nptest-sample.csv");

/// A run of several samples a cell, one with failures, and an imported one.
fn reports() -> Vec<Report> {
    let run = |tests: &[Test], fails: bool| {
        let plan = made::plan(tests);
        let schedule = Schedule::new(&plan, &Selection::all());
        let events = made::events(&plan, &schedule, &End::Complete, |cell, _| {
            if fails && cell.id.0.contains("hairpin") {
                Fate::Skipped("iperf3 is not on w2")
            } else {
                Fate::Measured
            }
        });
        Report::fold(&events, plan, schedule)
    };
    let imported = nptest::run("sample", &nptest::read(SAMPLE), Timestamp::UNIX_EPOCH).unwrap();
    vec![
        run(&[made::tcp(256, 3), made::udp(), made::rr(3)], false),
        run(&[made::tcp(640, 1), made::stream()], true),
        Report::from_events(&imported.run.events).unwrap(),
    ]
}

fn is_name(text: &str) -> bool {
    let mut letters = text.chars();
    letters
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && letters.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Reads labels up to `}`: names and unescaped values; what follows.
fn labels(text: &str) -> (BTreeMap<String, String>, &str) {
    let mut labels = BTreeMap::new();
    let mut rest = text;
    loop {
        let (name, after) = rest.split_once("=\"").unwrap();
        assert!(is_name(name), "{text}");
        let mut value = String::new();
        let mut letters = after.char_indices();
        let end = loop {
            match letters.next().unwrap() {
                (at, '"') => break at,
                (_, '\\') => value.push(letters.next().unwrap().1),
                (_, c) => value.push(c),
            }
        };
        assert_eq!(labels.insert(name.to_owned(), value), None, "{text}");
        rest = &after[end + 1..];
        if let Some(behind) = rest.strip_prefix('}') {
            return (labels, behind);
        }
        rest = rest.strip_prefix(',').unwrap();
    }
}

/// Checks a text by the rules of `OpenMetrics` 1.0 that concern gauges, and gives the series of each family.
fn series(text: &str) -> BTreeMap<String, Vec<BTreeMap<String, String>>> {
    let body = text
        .strip_suffix("# EOF\n")
        .expect("the text ends in its end mark");
    let mut families: BTreeMap<String, Vec<BTreeMap<String, String>>> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    let (mut family, mut before) = (String::new(), "");
    for line in body.lines() {
        let words: Vec<&str> = line.splitn(4, ' ').collect();
        match words[..] {
            ["#", "TYPE", name, "gauge"] => {
                assert!(is_name(name) && name.starts_with("netplan_"), "{line}");
                // A family is in one piece, and begins with its type.
                assert!(
                    families.insert(name.to_owned(), Vec::new()).is_none(),
                    "{line}"
                );
                name.clone_into(&mut family);
            }
            ["#", "UNIT", name, unit] => {
                assert_eq!((name, before), (&*family, "TYPE"));
                assert!(name.ends_with(&format!("_{unit}")), "{line}");
            }
            ["#", "HELP", name, help] => {
                assert_eq!(name, family);
                assert!(
                    matches!(before, "TYPE" | "UNIT") && !help.is_empty(),
                    "{line}"
                );
            }
            _ => {
                let (name, rest) = line.split_once('{').unwrap();
                assert_eq!(name, family, "a sample of another family");
                let (labels, value) = labels(rest);
                // No time follows the value.
                let value: f64 = value.strip_prefix(' ').unwrap().parse().unwrap();
                assert!(value.is_finite(), "{line}");
                assert!(
                    seen.insert((family.clone(), labels.clone())),
                    "twice: {line}"
                );
                families.get_mut(&family).unwrap().push(labels);
            }
        }
        before = words.get(1).copied().unwrap_or_default();
    }
    families
}

#[test]
fn openmetrics_keeps_to_its_rules() {
    for report in reports() {
        let families = series(&openmetrics::render(&report));
        let rates = &families["netplan_throughput_bits_per_second"];
        assert!(
            rates
                .iter()
                .all(|labels| labels["plan"] == report.plan.name)
        );
        assert!(families.values().all(|series| !series.is_empty()));
    }
    let text = openmetrics::render(&reports()[1]);
    snapshots().bind(|| insta::assert_snapshot!("openmetrics", text));
}

/// A declared tool names its metrics as it likes.
#[test]
fn each_metric_has_a_family_of_its_own() {
    let text = "version: 1\nname: p\nworkers: { w1: {}, w2: { other_node_than: w1 } }\n\
                paths: [ { name: a, from: w1, to: w2, via: pod_ip } ]\n\
                tools:\n\
                \x20 t:\n\
                \x20   client: { command: [x] }\n\
                \x20   metrics:\n\
                \x20     a.b: { json: /a, unit: count }\n\
                \x20     a_b: { json: /b, unit: count }\n\
                \x20     cells: { json: /c, unit: count }\n\
                tests: [ t: {} ]\n";
    let plan = plan::load(Source::new("plan", text), &[]).unwrap();
    let schedule = Schedule::new(&plan, &Selection::all());
    let mut events = made::events(&plan, &schedule, &End::Complete, |_, _| Fate::Measured);
    for event in &mut events {
        if let EventKind::Sample(sample) = &mut event.kind {
            for (metric, value) in [("a.b", 1.0), ("a_b", 2.0), ("cells", 3.0)] {
                sample.metrics.set(metric, value);
            }
        }
    }
    let text = openmetrics::render(&Report::fold(&events, plan, schedule));
    assert_eq!(series(&text)["netplan_cells"].len(), 5);
    for (family, mean) in [("a_b", 1.0), ("a_b_2", 2.0), ("cells", 3.0)] {
        let labels = r#"plan="p",test="t",path="a",statistic="mean""#;
        let line = format!("netplan_tool_{family}{{{labels}}} {mean:?}\n");
        assert!(text.contains(&line), "{line}{text}");
    }
}

/// Their number would grow with the square of the nodes.
#[test]
fn a_mesh_is_one_path() {
    let text = "version: 1\nname: mesh\nworkers: { n: { one_per_node: true, count: 30 } }\n\
                paths: [ { mesh: { name: all, workers: n, via: pod_ip, both_directions: false } } ]\n\
                tests: [ { iperf3: { protocol: tcp } } ]\n";
    let plan = plan::load(Source::new("mesh", text), &[]).unwrap();
    let schedule = Schedule::new(&plan, &Selection::all());
    assert_eq!(schedule.cells.len(), 30 * 29 / 2);
    let report = Report::fold(&[], plan, schedule);
    let families = series(&openmetrics::render(&report));
    let cells = &families["netplan_cells"];
    let states: Vec<&str> = cells.iter().map(|labels| &*labels["state"]).collect();
    assert_eq!(
        states,
        ["failed", "measured", "missing", "partial", "skipped"]
    );
    assert!(cells.iter().all(|labels| labels["path"] == "all"));
}

/// All names that some run of a built-in tool, or any run, has.
fn known_metrics() -> BTreeSet<String> {
    let uses = BUILT_IN_TOOLS.iter().flat_map(|tool| {
        let modes = tool.modes.iter();
        modes.map(|mode| ToolSpec::BuiltIn(BuiltInUse::with_defaults(tool, mode)))
    });
    let of_tools = uses.flat_map(|tool| {
        let test = Test {
            tool,
            ..made::tcp(256, 1)
        };
        openmetrics::metric_names(&test)
    });
    let of_runs = reports().into_iter().flat_map(|report| {
        let families = series(&openmetrics::render(&report));
        families.into_keys().collect::<Vec<_>>()
    });
    of_tools.chain(of_runs).collect()
}

#[test]
fn the_dashboard_uses_metrics_that_exist() {
    let file = std::fs::read_to_string(format!("{ROOT}/docs/grafana-dashboard.json")).unwrap();
    let dashboard: Value = serde_json::from_str(&file).unwrap();
    let known = known_metrics();
    let mut used = BTreeSet::new();
    for (at, _) in file.match_indices("netplan_") {
        let rest = &file[at..];
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        used.insert(rest[..end.unwrap()].to_owned());
    }
    let unknown: Vec<&String> = used.difference(&known).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    assert!(used.len() > 5, "{used:?}");
    let panels = dashboard["panels"].as_array().unwrap();
    let ids: BTreeSet<u64> = panels
        .iter()
        .map(|panel| panel["id"].as_u64().unwrap())
        .collect();
    assert_eq!(ids.len(), panels.len());
    assert!(
        panels
            .iter()
            .all(|panel| panel["targets"][0]["expr"].is_string())
    );
}

fn json(write: impl Fn(&mut dyn std::io::Write) -> std::io::Result<()>) -> (String, Value) {
    let mut bytes = Vec::new();
    write(&mut bytes).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let value = serde_json::from_str(&text).unwrap();
    (text, value)
}

#[test]
fn perfdash_reads_its_items() {
    for report in reports() {
        let (_, data) = json(|writer| perfdash::write(&report, writer));
        assert_eq!(data["version"], "v1");
        let mut seen = BTreeSet::new();
        for item in data["dataItems"].as_array().unwrap() {
            let labels = item["labels"].as_object().unwrap();
            assert!(labels.values().all(Value::is_string), "{item}");
            // Items with the same labels are one.
            assert!(seen.insert(item["labels"].to_string()), "{item}");
            let buckets = item["data"].as_object().unwrap();
            assert!(
                !buckets.is_empty() && buckets.values().all(Value::is_number),
                "{item}"
            );
            assert!(item["unit"].is_string());
        }
        assert!(!seen.is_empty());
    }
    let (text, _) = json(|writer| perfdash::write(&reports()[0], writer));
    let head = text.lines().take(60).collect::<Vec<_>>().join("\n");
    snapshots().bind(|| insta::assert_snapshot!("perfdash", head));
}

#[test]
fn bencher_reads_benchmarks_with_bounds_around_their_values() {
    for report in reports() {
        let (_, benchmarks) = json(|writer| bmf::write(&report, writer));
        let benchmarks = benchmarks.as_object().unwrap();
        let measured = report.cells.iter().filter(|cell| !cell.samples.is_empty());
        assert_eq!(benchmarks.len(), measured.count());
        for measure in benchmarks.values().flat_map(|of| of.as_object().unwrap()) {
            let (name, metric) = measure;
            assert!(
                name.len() <= 64
                    && name
                        .chars()
                        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'),
                "{name}"
            );
            let value = metric["value"].as_f64().unwrap();
            let bound = |key: &str| metric.get(key).map(|bound| bound.as_f64().unwrap());
            assert!(
                bound("lower_value").is_none_or(|bound| bound <= value),
                "{metric}"
            );
            assert!(
                bound("upper_value").is_none_or(|bound| bound >= value),
                "{metric}"
            );
        }
    }
    let (text, _) = json(|writer| bmf::write(&reports()[0], writer));
    let head: String = text.lines().take(40).collect::<Vec<_>>().join("\n");
    assert!(head.contains("lower_value"), "{head}");
    snapshots().bind(|| insta::assert_snapshot!("bmf", head));
}

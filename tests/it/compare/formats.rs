//! What people and programs read of a comparison.

use netplan::compare::{Comparison, Options};
use netplan::output::comparison::{github, json, junit};
use netplan::output::{html, markdown, terminal};
use netplan::report::document::{Block, Document};
use serde_json::Value;

use super::runs::{Made, changed, limits, side, two, usual};
use crate::support::{ROOT, snapshots};

/// One path slower, one faster, one cell lost, another kernel.
fn mixed(options: Options) -> Comparison {
    let factor = |cell: &str, metric: &str| match (cell, metric) {
        ("iperf3-tcp/hairpin/mss=96", _) => None,
        (cell, "throughput_bps") if cell.contains("tcp/remote-service") => Some(0.9),
        (cell, "latency_us.p99") if cell.contains("remote-pod") => Some(0.8),
        (_, "retransmits") => Some(4.0),
        _ => Some(1.0),
    };
    let runs = (5..10).map(|number| {
        Made {
            kernel: "6.18.2",
            factor: &factor,
            ..usual(number)
        }
        .run()
    });
    let new = netplan::compare::Side::new("new", runs.collect());
    two(side("base", 0..5), new, options)
}

fn one_run() -> Comparison {
    let new = changed("new", 1..2, &|_, _| Some(0.97));
    two(side("base", 0..1), new, Options::default())
}

#[test]
fn people_read_tables() {
    let table = |comparison: &Comparison, width| {
        terminal::render(&Document::from_comparison(comparison), width, false)
    };
    snapshots().bind(|| {
        insta::assert_snapshot!("compare_table_100", table(&mixed(Options::default()), 100));
        insta::assert_snapshot!("compare_table_limit_80", table(&mixed(limits(&["5%"])), 80));
        insta::assert_snapshot!("compare_table_one_run_80", table(&one_run(), 80));
    });
}

#[test]
fn pull_requests_get_markdown() {
    let text = markdown::render(&Document::from_comparison(&mixed(Options::default())));
    snapshots().bind(|| insta::assert_snapshot!("compare_markdown", text));
}

#[test]
fn a_page_has_the_changes_and_both_curves() {
    let document = Document::page_from_comparison(&mixed(Options::default()));
    fn charts(blocks: &[Block]) -> (usize, usize) {
        let each = blocks.iter().map(|block| match block {
            Block::Chart(chart) => {
                let names: Vec<&str> = chart.series.iter().map(|it| &*it.name).collect();
                assert_eq!(names, ["base", "new"]);
                (0, 1)
            }
            Block::DotPlot(_) => (1, 0),
            Block::Fold(fold) => charts(&fold.blocks),
            _ => (0, 0),
        });
        each.fold((0, 0), |(plots, curves), (p, c)| (plots + p, curves + c))
    }
    // Throughput, p50 and p99; the curves of TCP on two paths, since the third has two sizes left.
    assert_eq!(charts(&document.blocks), (3, 2));
    let page = html::render(&document).unwrap();
    assert!(page.contains("<svg") && page.contains("new compared with base"));
    assert!(page.len() < 300_000, "{} bytes", page.len());
}

#[test]
fn ci_servers_get_their_formats() {
    let comparison = mixed(limits(&["5%"]));
    snapshots().bind(|| {
        insta::assert_snapshot!("compare_junit", junit::render(&comparison).unwrap());
        insta::assert_snapshot!("compare_github", github::render(&comparison));
    });
}

#[test]
fn json_is_as_its_schema_says() {
    let schema = std::fs::read_to_string(format!("{ROOT}/docs/compare.schema.json")).unwrap();
    let schema: Value = serde_json::from_str(&schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let many = netplan::compare::compare(
        side("a", 0..3),
        vec![side("b", 3..6), side("c", 6..9)],
        Options::default(),
        &netplan::compare::Floors::default(),
    );
    let foreign = Options {
        same_machine: Some(false),
        ..limits(&["5%"])
    };
    let all = [
        mixed(limits(&["5%", "lost_percent=1%"])),
        one_run(),
        many,
        mixed(foreign),
    ];
    for comparison in &all {
        let value: Value = serde_json::from_str(&json::render(comparison).unwrap()).unwrap();
        let errors: Vec<String> = validator
            .iter_errors(&value)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{errors:#?}");
    }
    // A schema that takes anything would take this.
    let mut wrong: Value = serde_json::from_str(&json::render(&all[0]).unwrap()).unwrap();
    wrong["versus"][0]["verdicts"][0]["answer"] = "quicker".into();
    assert!(!validator.is_valid(&wrong));
    snapshots().bind(|| {
        insta::assert_snapshot!("compare_json", json::render(&all[0]).unwrap());
    });
}

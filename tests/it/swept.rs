//! What is beside the headline where a size is swept.

use netplan::diag::Source;
use netplan::plan::{self, Plan};

use netplan::report::Report;
use netplan::results::EventKind;
use netplan::schedule::{Schedule, Selection};

use crate::made::{self, End, Fate, table};

/// A run of a plan, whose tool says these figures too.
fn table_of(tools: &str, tests: &str, figures: &[(&str, f64)]) -> String {
    let yaml = format!(
        "{{ version: 1, name: p, workers: {{ w1: , w2: , w3: }}, \
         paths: [{{ name: a, from: w1, to: w2, via: pod_ip }}], {tools} tests: [{tests}] }}"
    );
    let plan: Plan = plan::load(Source::new("plan", &yaml), &[]).unwrap_or_else(|e| panic!("{e}"));
    let schedule = Schedule::new(&plan, &Selection::all());
    let mut events = made::events(&plan, &schedule, &End::Complete, |_, _| Fate::Measured);
    for event in &mut events {
        if let EventKind::Sample(sample) = &mut event.kind {
            for (metric, value) in figures {
                sample.metrics.set(metric, *value);
            }
        }
    }
    table(&Report::fold(&events, plan, schedule), 100, false)
}

#[test]
fn latencies_stand_beside_transactions() {
    let text = table_of("", "{ netperf: { test: TCP_RR, mss: [100, 200] } }", &[]);
    assert!(
        text.contains("transactions a second, latency in µs"),
        "{text}"
    );
    for caption in ["latency p50, in µs", "latency p99, in µs"] {
        assert!(text.contains(caption), "{caption}:\n{text}");
    }
}

#[test]
fn all_figures_of_a_declared_tool_stand_there() {
    let tools = "tools: { t: { client: { command: [x, [-m, '{{ datagram }}']] }, metrics: { \
                 throughput: { json: /t, unit: bit/s }, latency.p99: { json: /l, unit: us }, \
                 queue: { json: /q, unit: bytes }, inner: { json: /i, unit: bit/s }, \
                 dropped: { json: /d, unit: count } } } },";
    let figures = [
        ("throughput_bps", 2e9),
        ("latency_us.p99", 71.5),
        ("queue_bytes", 1234.0),
        ("inner_bps", 3.25e9),
        ("dropped", 17.0),
    ];
    let text = table_of(tools, "{ t: { datagram: [100, 200] } }", &figures);
    for (caption, figure) in [
        ("latency p99, in µs", " 72"),
        ("queue, in bytes", " 1234"),
        ("inner, in Gbit/s", " 3.25"),
        ("dropped", " 17"),
    ] {
        let of_caption = text.split(&format!("{caption}\n")).nth(1);
        let grid = of_caption.unwrap_or_else(|| panic!("{caption}:\n{text}"));
        let lines: Vec<&str> = grid.lines().take(7).collect();
        let figures = lines.iter().filter(|line| line.ends_with(figure));
        assert_eq!(figures.count(), 2, "{caption}:\n{text}");
    }
}

//! What reports say of the rate that a search has found.

use std::io;

use netplan::output::csv::samples as samples_csv;
use netplan::output::exports::{bmf, openmetrics, perfdash};
use netplan::output::json;
use netplan::plan::units::{BitRate, Percent};
use netplan::plan::{Bound, Comparison, Condition, Expectation, Find, Goal, Repeat};
use netplan::report::Report;
use netplan::report::gate::{self, Verdict};
use netplan::results::environment::host_metrics;
use netplan::results::{EventKind, Outcome, Warning};
use netplan::schedule::search::Found;
use netplan::schedule::{Param, Schedule, Selection};
use netplan::tools::name;

use crate::made::{self, End, Fate, metric, table};

const MBIT: u64 = 1_000_000;

/// A run of one cell: its probes, each with its rate, what arrived and how much was lost.
fn searched(repeat: u32, probes: &[(u64, f64, f64)], found: Found) -> Report {
    let mut udp = made::udp();
    udp.paths.truncate(1);
    udp.timing.repeat = Repeat::Times(repeat);
    udp.find = Some(Find {
        rate: Goal::Max,
        from: BitRate(10 * MBIT),
        to: BitRate(100 * MBIT),
        within: Percent(5.0),
        condition: Condition {
            metric: metric("lost_percent"),
            comparison: Comparison::AtMost,
            bound: 0.1,
        },
    });
    let expected = Expectation {
        comparison: Comparison::AtMost,
        bound: Bound::Absolute(0.1),
    };
    udp.expect.0.insert(metric("lost_percent"), expected);
    let plan = made::plan(&[udp]);
    let schedule = Schedule::new(&plan, &Selection::all());
    let count = u32::try_from(probes.len()).unwrap();
    let mut events = made::events(&plan, &schedule, &End::Complete, |_, _| Fate::Begun(count));
    let mut probes = probes.iter();
    for event in &mut events {
        if let EventKind::Sample(sample) = &mut event.kind {
            let (rate, arrived, lost) = probes.next().unwrap();
            sample.params.0.push((Param::Rate, *rate));
            sample.metrics.set(name::THROUGHPUT_BPS, *arrived);
            sample.metrics.set(name::LOST_PERCENT, *lost);
            if *lost > 0.1 {
                sample.warnings.push(Warning::CpuSaturated {
                    end: host_metrics::End::Server,
                    busy_percent: 99.0,
                });
            }
        }
    }
    let mut ended = events.last().unwrap().clone();
    ended.kind = EventKind::CellEnded {
        cell: made::cells(&plan, &schedule)[0].id.clone(),
        outcome: Outcome::Measured {
            samples: count,
            reached: None,
            found: Some(found),
        },
    };
    events.insert(events.len() - 1, ended);
    Report::fold(&events, plan, schedule)
}

fn at(mbit: u64) -> Found {
    Found {
        rate_bps: mbit * MBIT,
        at_bound: false,
    }
}

/// A miss at the rate that is found in the end, and one above.
fn with_a_miss() -> Report {
    searched(
        1,
        &[
            (32 * MBIT, 32e6, 0.0),
            (56 * MBIT, 53e6, 5.0),
            (56 * MBIT, 56e6, 0.0),
            (75 * MBIT, 56e6, 25.0),
            (75 * MBIT, 56e6, 25.0),
        ],
        at(56),
    )
}

#[test]
fn its_figure_is_of_the_probes_that_kept_the_condition() {
    let report = with_a_miss();
    let cell = &report.cells[0];
    let lost = cell.measured(name::LOST_PERCENT).unwrap();
    assert_eq!((lost.count, lost.mean.to_bits()), (1, 0.0f64.to_bits()));
    assert_eq!(gate::judge(&report)[0].verdict, Verdict::Pass);
    let text = table(&report, 300, false);
    let said = "; 1 sample at a found rate missed it and does not count";
    assert!(text.contains(said) && !text.contains('±'), "{text}");
    let csv = String::from_utf8(samples_csv::render(&report).unwrap()).unwrap();
    assert_eq!(csv.matches(",56000000\n").count(), 1, "{csv}");
}

#[test]
fn every_format_for_programs_has_it() {
    let report = with_a_miss();
    let written = |write: fn(&Report, &mut dyn io::Write) -> io::Result<()>| {
        let mut bytes = Vec::new();
        write(&report, &mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    };
    let (bencher, perfdash) = (written(bmf::write), written(perfdash::write));
    let openmetrics = openmetrics::render(&report);
    let found = [
        (&bencher, "\"found-rate-bps\": {\n      \"value\": 56000000"),
        (&perfdash, "\"metric\": \"found_rate\""),
        (&openmetrics, "netplan_found_rate_bits_per_second{"),
    ];
    for (text, rate) in found {
        assert!(text.contains(rate), "{rate}\n{text}");
    }
}

#[test]
fn its_interval_is_explained() {
    let probes = [
        (56 * MBIT, 55e6, 0.0),
        (56 * MBIT, 56e6, 0.1),
        (56 * MBIT, 57e6, 0.0),
    ];
    let text = table(&searched(3, &probes, at(56)), 200, false);
    let said = "found within 5%, mean ± half of its 95 % interval, 3 samples";
    assert!(text.contains(said), "{text}");
}

#[test]
fn probes_that_do_not_count_raise_no_warning() {
    let report = with_a_miss();
    let text = table(&report, 200, false);
    assert!(!text.contains("CPU saturated"), "{text}");
    let document: serde_json::Value =
        serde_json::from_str(&json::render(&report).unwrap()).unwrap();
    let cell = &document["cells"][0];
    assert_eq!(cell["warnings"], serde_json::json!([]), "{cell:#}");
    // Each probe keeps its own.
    assert_eq!(cell["samples"][4]["warnings"].as_array().unwrap().len(), 1);
}

#[test]
fn programs_read_whether_more_may_be_possible() {
    for at_bound in [false, true] {
        let found = Found {
            at_bound,
            ..at(100)
        };
        let report = searched(1, &[(100 * MBIT, 100e6, 0.0)], found);
        let document: serde_json::Value =
            serde_json::from_str(&json::render(&report).unwrap()).unwrap();
        let said = serde_json::json!({ "rate_bps": 100 * MBIT, "at_bound": at_bound });
        assert_eq!(document["cells"][0]["found"], said);
    }
}

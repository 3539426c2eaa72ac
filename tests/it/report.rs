//! What a run reads like, in every format.

use netplan::output::csv::nptest::Dialect;
use netplan::output::csv::{nptest as nptest_csv, samples as samples_csv};
use netplan::output::{json, markdown};
use netplan::plan::{Plan, Test};
use netplan::report::document::Document;
use netplan::report::{Report, RunState};
use netplan::results::environment::host_metrics;
use netplan::results::{Cluster, Event, EventKind, Warning, journal};
use netplan::schedule::{Schedule, Selection};
use netplan::tools::{Cause, name};

use crate::made::{self, Cell, End, Fate, table};
use crate::support::snapshots;

struct Made {
    plan: Plan,
    schedule: Schedule,
    events: Vec<Event>,
}

impl Made {
    fn new(tests: &[Test], end: &End, fate: impl Fn(&Cell, &str) -> Fate) -> Made {
        let plan = made::plan(tests);
        let schedule = Schedule::new(&plan, &Selection::all());
        let events = made::events(&plan, &schedule, end, fate);
        Made {
            plan,
            schedule,
            events,
        }
    }

    fn report(&self) -> Report {
        let cluster = Cluster {
            kind: "local".to_owned(),
            description: serde_json::json!({ "nodes": 2 }),
        };
        Report::fold(&self.events, self.plan.clone(), self.schedule.clone()).on(Some(cluster))
    }
}

fn complete() -> Report {
    Made::new(&made::thirteen_rows(64), &End::Complete, |_, _| {
        Fate::Measured
    })
    .report()
}

/// A run that meets everything: failures, cells without a tool, and a Ctrl-C.
fn partial() -> Report {
    let tests = [made::tcp(256, 1), made::udp(), made::stream(), made::rr(1)];
    Made::new(&tests, &End::Cancelled, |cell, path| {
        let id = cell.id.0.as_str();
        if id == "iperf3-tcp/hairpin/mss=608" || id == "iperf3-tcp/hairpin/mss=864" {
            Fate::Failed(
                Cause::Timeout,
                "iperf3 was killed at its deadline; it had said: interrupt - the client has terminated by signal Terminated(15)",
            )
        } else if id.starts_with("netperf-tcp-stream") && path.ends_with("service") {
            Fate::Failed(
                Cause::DataPortUnreachable,
                "establish control: are you sure there is a netserver listening on 10.96.0.2 at \
                 port 12866?",
            )
        } else if id.starts_with("iperf3-udp/remote") {
            Fate::Skipped("iperf3 is not on w3")
        } else if id.starts_with("netperf-tcp-rr") && !path.starts_with("same-node") {
            Fate::Missing
        } else {
            Fate::Measured
        }
    })
    .report()
}

fn repeats() -> Report {
    let tests = [made::tcp(256, 3), made::rr(3)];
    Made::new(&tests, &End::Complete, |_, _| Fate::Measured).report()
}

/// Interrupted in its third round: each cell has two samples or three of the three that it needs.
fn interrupted() -> Report {
    let tests = [made::tcp(256, 3), made::rr(3)];
    Made::new(&tests, &End::Cancelled, |cell, path| {
        if cell.id.0.starts_with("netperf-tcp-rr") && path == "hairpin" {
            Fate::Missing
        } else if cell.id.0.starts_with("netperf") || path == "hairpin" {
            Fate::Begun(2)
        } else {
            Fate::Measured
        }
    })
    .report()
}

/// Other parameters than the size vary; some sizes are more than the path carries.
fn crossed() -> Report {
    let tests = [made::tcp_streams(), made::udp_rates()];
    Made::new(&tests, &End::CutOff, |cell, _| {
        if cell.id.0 == "udp-rates/remote-service/rate=1000000000" {
            Fate::Missing
        } else {
            Fate::Measured
        }
    })
    .report()
}

#[test]
fn tables() {
    let cases = vec![
        ("table_complete_80", complete(), 80),
        ("table_complete_120", complete(), 120),
        ("table_partial_80", partial(), 80),
        ("table_repeats_80", repeats(), 80),
        ("table_repeats_120", repeats(), 120),
        ("table_complete_60", complete(), 60),
        ("table_crossed_80", crossed(), 80),
        ("table_repeats_50", repeats(), 50),
        ("table_interrupted_80", interrupted(), 80),
    ];
    snapshots().bind(|| {
        for (name, report, width) in cases {
            let text = table(&report, width, false);
            insta::assert_snapshot!(name, text);
            for line in text.lines() {
                assert!(line.chars().count() <= width, "{name} is too wide: {line}");
                assert!(
                    !line.ends_with(' '),
                    "{name} has a trailing space: {line:?}"
                );
            }
        }
    });
}

#[test]
fn markdown_has_all_that_the_tables_have() {
    let cases = [
        ("markdown_partial", partial()),
        ("markdown_repeats", repeats()),
        ("markdown_warnings", report_with_warnings()),
    ];
    snapshots().bind(|| {
        for (name, report) in cases {
            let text = markdown::render(&Document::from_report(&report));
            insta::assert_snapshot!(name, text);
        }
    });
}

/// Each warning on some cells, and one that is the rule.
fn report_with_warnings() -> Report {
    let tests = [made::tcp(256, 1), made::udp()];
    let mut made = Made::new(&tests, &End::Complete, |_, _| Fate::Measured);
    let samples = made
        .events
        .iter_mut()
        .filter_map(|event| match &mut event.kind {
            EventKind::Sample(sample) => Some(sample),
            _ => None,
        });
    for (i, sample) in samples.enumerate() {
        let end = host_metrics::End::Server;
        sample.warnings.push(Warning::CpuSaturated {
            end,
            busy_percent: 96.0 + i as f64 / 10.0,
        });
        let more = match i {
            2 => Warning::OtherTraffic {
                end,
                bps: 42.1e6,
                percent: 11.2,
            },
            3 | 4 => Warning::RetransmitBurst {
                retransmits: 900.0 * i as f64,
                percent: i as f64,
            },
            5 => Warning::Throttled {
                end,
                periods: 7.0,
                throttled_us: 312_400.0,
            },
            6 => Warning::ElapsedOff {
                asked_s: 1.0,
                elapsed_s: 1.31,
            },
            7 => Warning::CpuStolen {
                end,
                steal_percent: 8.2,
            },
            8 => Warning::MssDiffers {
                asked: 864,
                effective: 800.0,
            },
            9 => {
                sample.metrics.set(name::EFFECTIVE_MSS, 852.0);
                Warning::Loopback
            }
            10 => Warning::Offloaded {
                features: vec!["TSO at client and server".to_owned()],
            },
            _ => continue,
        };
        sample.warnings.push(more);
    }
    made.report()
}

#[test]
fn warnings_are_marked_where_they_are_the_exception() {
    let report = report_with_warnings();
    let csv = String::from_utf8(samples_csv::render(&report).unwrap()).unwrap();
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let column = reader
        .headers()
        .unwrap()
        .iter()
        .position(|name| name == "warnings");
    let by_csv: Vec<String> = reader
        .records()
        .map(|record| record.unwrap()[column.unwrap()].to_owned())
        .collect();
    assert_eq!(
        by_csv[2..4],
        [
            "cpu_saturated other_traffic",
            "cpu_saturated retransmit_burst"
        ]
    );
    let json: serde_json::Value = serde_json::from_str(&json::render(&report).unwrap()).unwrap();
    assert_eq!(
        json["cells"][2]["warnings"],
        serde_json::json!(["cpu_saturated", "other_traffic"])
    );
    assert_eq!(json["cells"][2]["samples"][0]["warnings"][1]["bps"], 42.1e6);
    snapshots().bind(|| {
        insta::assert_snapshot!("table_with_warnings_100", table(&report, 100, false));
        insta::assert_snapshot!(
            "report_json_warnings",
            serde_json::to_string_pretty(&json["warnings"]).unwrap()
        );
    });
}

/// A journal that is older than warnings reads as one without warnings.
#[test]
fn an_older_journal_still_reads() {
    let made = Made::new(&[made::udp()], &End::Complete, |_, _| Fate::Measured);
    for event in &made.events {
        let text = serde_json::to_string(event).unwrap();
        assert!(!text.contains("warnings"), "{text}");
        assert_eq!(serde_json::from_str::<Event>(&text).unwrap(), *event);
    }
}

/// Version 1 called the warnings of a sample `doubts`.
#[test]
fn a_journal_of_version_1_reads_with_its_warnings() {
    let made = Made::new(&[made::udp()], &End::Complete, |_, _| Fate::Measured);
    let mut events = made.events;
    let sample = events.iter_mut().find_map(|event| match &mut event.kind {
        EventKind::Sample(sample) => Some(sample),
        _ => None,
    });
    sample.unwrap().warnings.push(Warning::Loopback);
    let mut version_1 = String::new();
    for event in &events {
        let line = serde_json::to_string(event).unwrap();
        let line = line.replacen("{\"v\":2,", "{\"v\":1,", 1);
        version_1 += &line.replace("\"warnings\":", "\"doubts\":");
        version_1.push('\n');
    }
    assert!(version_1.contains("\"doubts\":[{\"kind\":\"loopback\"}]"));
    assert!(!version_1.contains("\"v\":2"));
    let recovered = journal::read_bytes(version_1.as_bytes());
    assert_eq!(recovered.torn, None);
    assert_eq!(recovered.events, events);
}

#[test]
fn colour_only_adds_to_what_signs_say() {
    let report = partial();
    let plain = table(&report, 80, false);
    let colour = table(&report, 80, true);
    assert!(colour.contains("\u{1b}[31m✗1\u{1b}[0m"), "{colour}");
    let mut stripped = String::new();
    let mut rest = colour.as_str();
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        stripped.push_str(before);
        rest = after.split_once('m').unwrap().1;
    }
    stripped.push_str(rest);
    assert_eq!(stripped, plain);
}

#[test]
fn every_width_shows_every_figure() {
    for report in [complete(), partial(), repeats()] {
        for width in (40..=200).step_by(8) {
            let text = table(&report, width, false);
            for line in text.lines().filter(|l| !l.contains('·')) {
                assert!(line.chars().count() <= width.max(60), "{width}: {line}");
            }
            for cell in &report.cells {
                if let Some(figure) = report.headline(cell) {
                    let mbit = format!("{:.0}", figure.summary.mean / 1e6);
                    let gbit = format!("{:.2}", figure.summary.mean / 1e9);
                    let plain = format!("{:.0}", figure.summary.mean);
                    assert!(
                        [mbit, gbit, plain].iter().any(|f| text.contains(f)),
                        "{width}: {cell:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_journal_that_went_through_its_file_gives_the_same_report() {
    let made = Made::new(&made::thirteen_rows(256), &End::Complete, |_, _| {
        Fate::Measured
    });
    let lines: Vec<String> = made
        .events
        .iter()
        .map(|event| netplan::results::journal::to_line(event).unwrap() + "\n")
        .collect();
    let recovered = netplan::results::journal::read_bytes(lines.concat().as_bytes());
    assert!(recovered.complete);
    let stored = Report::from_events(&recovered.events).unwrap();
    let live = Report::fold(&made.events, made.plan.clone(), made.schedule.clone());
    assert_eq!(stored, live);
    assert_eq!(json::render(&stored).unwrap(), json::render(&live).unwrap());
}

#[test]
fn a_journal_damaged_before_its_end_says_so_in_its_report() {
    let made = Made::new(&made::thirteen_rows(256), &End::Complete, |_, _| {
        Fate::Measured
    });
    let mut lines: Vec<String> = made
        .events
        .iter()
        .map(|event| netplan::results::journal::to_line(event).unwrap() + "\n")
        .collect();
    let read = |lines: &[String]| {
        Report::recovered(&netplan::results::journal::read_bytes(
            lines.concat().as_bytes(),
        ))
    };
    let cut = [&lines[..20], &["{\"v\":1,\"se".to_owned()]].concat();
    let shown = |report: &Report| table(report, 80, false);
    assert!(!shown(&read(&cut).unwrap()).contains("damaged"));
    lines[20] = "scratched\n".to_owned();
    let report = read(&lines).unwrap();
    assert!(shown(&report).contains("! the journal is damaged"));
    assert!(!report.is_complete());
    lines[0] = "scratched\n".to_owned();
    let error = read(&lines).unwrap_err().to_string();
    assert!(
        error.contains("line 1: the line is not an event"),
        "{error}"
    );
}

#[test]
fn csv_in_both_dialects() {
    snapshots().bind(|| {
        insta::assert_snapshot!(
            "result_csv",
            nptest_csv::render(&complete(), Dialect::Nptest)
        );
        insta::assert_snapshot!(
            "result_csv_partial_fork",
            nptest_csv::render(&partial(), Dialect::Fork)
        );
    });
}

#[test]
fn csv_without_a_sweep_still_has_a_header() {
    let csv = |tests: &[Test]| {
        let report = Made::new(tests, &End::Complete, |_, _| Fate::Measured).report();
        let csv = nptest_csv::render(&report, Dialect::Nptest);
        csv.lines().next().unwrap().to_owned()
    };
    assert_eq!(
        csv(&[made::udp()]),
        format!("{:<45}, Maximum, 1460,", "MSS")
    );
    assert_eq!(
        csv(&[made::stream()]),
        format!("{:<45}, Maximum, Value,", "MSS")
    );
    assert_eq!(
        csv(&[made::udp(), made::stream()]),
        format!("{:<45}, Maximum, Value,", "MSS")
    );
    assert_eq!(csv(&[]), format!("{:<45}, Maximum,", "MSS"));
}

#[test]
fn samples_and_json() {
    let tests = [made::tcp(1024, 2), made::stream()];
    let report = Made::new(&tests, &End::CutOff, |cell, path| match path {
        "remote-pod" => Fate::Failed(Cause::Refused, "unable to connect, \"refused\"\nsorry"),
        "remote-service" => Fate::Skipped("netperf is not on w3"),
        "hairpin" if cell.params.size() > Some(96) => Fate::Missing,
        "hairpin" => Fate::Begun(1),
        _ => Fate::Measured,
    })
    .report();
    let samples = samples_csv::render(&report).unwrap();
    let lines = csv::Reader::from_reader(&*samples).records().count();
    assert_eq!(lines, 11 + 7, "samples, and cells without one");
    snapshots().bind(|| {
        insta::assert_snapshot!("samples_csv", String::from_utf8(samples).unwrap());
        insta::assert_snapshot!("report_json", json::render(&report).unwrap());
    });
}

#[test]
fn a_run_that_was_cut_off_says_so() {
    let made = Made::new(&made::thirteen_rows(256), &End::Complete, |_, _| {
        Fate::Measured
    });
    for n in 0..made.events.len() {
        let report = Report::fold(&made.events[..n], made.plan.clone(), made.schedule.clone());
        assert_eq!(report.state, RunState::CutOff);
        let counts = report.counts();
        assert_eq!(
            counts.measured + counts.partial + counts.missing,
            counts.cells
        );
        assert!(!report.is_complete());
        let text = table(&report, 80, false);
        assert!(
            text.contains("partial: the journal stops before the run's end"),
            "{text}"
        );
    }
    let whole = Report::fold(&made.events, made.plan.clone(), made.schedule.clone());
    assert!(whole.is_complete() && !whole.has_failures());
}

#[test]
fn a_journal_without_its_start_makes_no_report() {
    let error = |events: &[Event]| Report::from_events(events).unwrap_err().to_string();
    let tests = [made::stream()];
    let mut events = Made::new(&tests, &End::Complete, |_, _| Fate::Measured).events;
    assert_eq!(
        error(&[]),
        "the journal has no event, so there is nothing to report"
    );
    assert!(error(&events[1..]).contains("does not begin with the run's start"));
    if let netplan::results::EventKind::RunStarted { only, .. } = &mut events[0].kind {
        *only = Some("path=hairpin".to_owned());
    }
    assert!(
        Report::from_events(&events).is_err(),
        "the test has no such path"
    );
    if let netplan::results::EventKind::RunStarted { only, .. } = &mut events[0].kind {
        *only = Some("path=remote-pod".to_owned());
    }
    let report = Report::from_events(&events).unwrap();
    assert_eq!((report.cells.len(), report.counts().measured), (1, 1));
    assert!(report.strangers > 0);
}

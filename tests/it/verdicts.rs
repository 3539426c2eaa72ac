//! What reports say of how sure a figure is, of baselines, and of what a plan expects.

use netplan::output::ci::{github, junit};
use netplan::output::csv::samples as samples_csv;
use netplan::output::json;
use netplan::plan::units::Percent;
use netplan::plan::{Bound, Comparison, Expectation, Family, Path, Placement, Repeat, Until, Via};
use netplan::report::Report;
use netplan::report::baseline::{self, Difference};
use netplan::report::gate::{self, Tally, Verdict};
use netplan::results::{Event, EventKind, Outcome};
use netplan::schedule::search::Found;
use netplan::schedule::{Schedule, Selection};
use netplan::tools::{Cause, name};
use proptest::prelude::*;
use quick_junit::{NonSuccessKind, TestCaseStatus};

use crate::made::{self, End, Fate, metric, table};
use crate::support::snapshots;

fn expectation(comparison: Comparison, bound: f64) -> Expectation {
    Expectation {
        comparison,
        bound: Bound::Absolute(bound),
    }
}

fn at_least_of(percent: f64, path: &str) -> Expectation {
    Expectation {
        comparison: Comparison::AtLeast,
        bound: Bound::OfPath {
            percent,
            path: path.to_owned(),
        },
    }
}

/// Three samples a cell; every verdict occurs, of tests and of paths, absolute and as shares.
fn judged() -> Report {
    let mut stream = made::stream();
    stream.timing.repeat = Repeat::Times(3);
    stream.expect.0.insert(
        metric("throughput"),
        expectation(Comparison::AtLeast, 4.15e9),
    );
    stream.expect.0.insert(
        metric("retransmits"),
        expectation(Comparison::AtMost, 100.0),
    );
    let mut tcp = made::tcp(512, 3);
    tcp.expect
        .0
        .insert(metric("retransmits"), expectation(Comparison::Below, 10.0));
    let mut plan = made::plan(&[stream, tcp]);
    plan.paths[3]
        .expect
        .0
        .insert(metric("throughput"), at_least_of(85.0, "remote-pod"));
    plan.paths[4]
        .expect
        .0
        .insert(metric("throughput"), at_least_of(85.0, "same-node-pod"));
    plan.paths[4]
        .expect
        .0
        .insert(metric("latency.p99"), expectation(Comparison::Below, 1e3));
    let schedule = Schedule::new(&plan, &Selection::all());
    let events = made::events(&plan, &schedule, &End::Complete, |cell, _| {
        match cell.id.0.as_str() {
            "netperf-tcp-stream/same-node-service" => {
                Fate::Failed(Cause::Refused, "unable to <connect> & \"refused\"")
            }
            "iperf3-tcp/hairpin/mss=96" => Fate::Skipped("iperf3 is not on w2"),
            _ => Fate::Measured,
        }
    });
    Report::fold(&events, plan, schedule)
}

/// Samples until ±2 %: some cells need more, some have an outlier, one does not get there.
fn adaptive() -> Report {
    let mut test = made::tcp(512, 1);
    test.timing.repeat = Repeat::Until(Until {
        min: 3,
        max: 12,
        until: Percent(2.0).into(),
    });
    let plan = made::plan(&[test]);
    let schedule = Schedule::new(&plan, &Selection::all());
    let mut events = made::events(&plan, &schedule, &End::Complete, |_, _| Fate::Measured);
    for (at, cell) in made::cells(&plan, &schedule).iter().enumerate() {
        let spread = [0.002, 0.006, 0.01, 0.03][at % 4];
        repeat(&mut events, &cell.id, spread, at % 5 == 2);
    }
    Report::fold(&events, plan, schedule)
}

/// Gives a cell as many samples as its spread calls for, without drawing any of them.
fn repeat(events: &mut Vec<Event>, cell: &netplan::schedule::CellId, spread: f64, outlier: bool) {
    let of_cell = |event: &Event| match &event.kind {
        EventKind::Sample(sample) => sample.cell == *cell,
        _ => false,
    };
    let at = events.iter().position(of_cell).unwrap();
    let first = events[at].clone();
    events.retain(|event| !of_cell(event));
    let samples = match spread {
        s if s < 0.005 => 3,
        s if s < 0.02 => 6,
        _ => 12,
    };
    for n in 0..samples {
        let mut event = first.clone();
        if let EventKind::Sample(sample) = &mut event.kind {
            sample.sample = n + 1;
            let wave = [-1.0, 0.4, 1.1, -0.5, 0.9, -0.8][n as usize % 6];
            let far = if outlier && n == 4 { 0.7 } else { 1.0 };
            let bps = sample.metrics.get(name::THROUGHPUT_BPS).unwrap();
            let bps = bps * (1.0 + spread * wave) * far;
            sample.metrics.set(name::THROUGHPUT_BPS, bps);
        }
        events.insert(at + n as usize, event);
    }
    for event in events.iter_mut() {
        if let EventKind::CellEnded { cell: of, outcome } = &mut event.kind
            && of == cell
        {
            *outcome = Outcome::Measured {
                samples,
                found: None,
                reached: Some(samples < 12),
            };
        }
    }
}

#[test]
fn tables_say_how_sure_they_are() {
    snapshots().bind(|| {
        for (name, report, width) in [
            ("table_judged_80", judged(), 80),
            ("table_judged_120", judged(), 120),
            ("table_adaptive_100", adaptive(), 100),
            ("table_adaptive_60", adaptive(), 60),
        ] {
            let text = table(&report, width, false);
            assert!(
                text.lines().all(|line| line.chars().count() <= width),
                "{name} is too wide:\n{text}"
            );
            insta::assert_snapshot!(name, text);
        }
    });
}

#[test]
fn a_ratios_interval_is_shown_by_its_ends() {
    let mut stream = made::stream();
    stream.paths.truncate(2);
    stream.timing.repeat = Repeat::Times(3);
    let plan = made::plan(&[stream]);
    let schedule = Schedule::new(&plan, &Selection::all());
    let mut events = made::events(&plan, &schedule, &End::Complete, |_, _| Fate::Measured);
    let mut gbit = [10.0, 10.0, 10.0, 11.63, 13.0, 14.37].into_iter();
    for event in &mut events {
        if let EventKind::Sample(sample) = &mut event.kind {
            let bps = gbit.next().unwrap() * 1e9;
            sample.metrics.set(name::THROUGHPUT_BPS, bps);
        }
    }
    let text = table(&Report::fold(&events, plan, schedule), 100, false);
    let line = "same-node-service / same-node-pod   130.0    100.1..168.9";
    assert!(text.lines().any(|l| l.trim_end() == line), "{text}");
}

#[test]
fn every_width_says_every_verdict() {
    let report = judged();
    for width in 40..=160 {
        let text = table(&report, width, true);
        let plain = anstream::adapter::strip_str(&text).to_string();
        let flat = plain.split_whitespace().collect::<Vec<_>>().join(" ");
        for word in [
            "✗ falls short:",
            "? undecided:",
            "– not measured:",
            "✓ kept:",
        ] {
            assert!(flat.contains(word), "{word} at {width}:\n{plain}");
        }
    }
}

#[test]
fn programs_read_it_too() {
    let report = judged();
    let document: serde_json::Value =
        serde_json::from_str(&json::render(&report).unwrap()).unwrap();
    let parts = serde_json::json!({
        "verdicts": document["verdicts"],
        "baselines": document["baselines"],
        "expectations": document["expectations"],
        "statistics": document["cells"][0]["statistics"]["throughput_bps"],
    });
    let adaptive = adaptive();
    let samples = String::from_utf8(samples_csv::render(&adaptive).unwrap()).unwrap();
    let outliers = samples
        .lines()
        .filter(|line| line.contains(",measured,yes,"))
        .count();
    assert_eq!(outliers, 2, "{samples}");
    snapshots().bind(|| {
        insta::assert_json_snapshot!("report_json_verdicts", parts);
        insta::assert_snapshot!("report_junit", junit::render(&report, false).unwrap());
        insta::assert_snapshot!("report_github", github::render(&report, false));
    });
}

#[test]
fn an_undecided_expectation_fails_only_where_it_is_told_to() {
    let report = judged();
    let tally = Tally::new(&gate::judge(&report));
    assert!(tally.undecided > 0 && tally.failed > 0 && tally.not_measured > 0 && tally.passed > 0);
    let failures = |strict| count(&junit::render(&report, strict).unwrap());
    let (lenient, strict) = (failures(false), failures(true));
    assert_eq!(lenient.failures, tally.failed);
    assert_eq!(strict.failures, tally.failed + tally.undecided);
    assert_eq!(lenient.errors, tally.not_measured);
    let annotations = |strict, level: &str| {
        let text = github::render(&report, strict);
        text.lines().filter(|line| line.starts_with(level)).count()
    };
    assert_eq!(
        annotations(false, "::error "),
        tally.failed + tally.not_measured
    );
    assert_eq!(annotations(false, "::warning "), tally.undecided);
    assert_eq!(annotations(true, "::warning "), 0);
    assert!(
        Tally {
            undecided: 1,
            ..Tally::default()
        }
        .falls_short(true)
    );
    assert!(
        !Tally {
            undecided: 1,
            ..Tally::default()
        }
        .falls_short(false)
    );
}

struct Counts {
    cases: usize,
    failures: usize,
    errors: usize,
}

/// Reads JUnit XML back, as CI servers do.
fn count(xml: &str) -> Counts {
    let suites = quick_junit::Report::deserialize_from_str(xml).unwrap();
    let cases = suites
        .test_suites
        .iter()
        .flat_map(|suite| &suite.test_cases);
    let of = |wanted: NonSuccessKind| {
        let is = |case: &&quick_junit::TestCase| matches!(&case.status, TestCaseStatus::NonSuccess { kind, .. } if *kind == wanted);
        cases.clone().filter(is).count()
    };
    let counts = Counts {
        cases: cases.clone().count(),
        failures: of(NonSuccessKind::Failure),
        errors: of(NonSuccessKind::Error),
    };
    assert_eq!(suites.tests, counts.cases);
    assert_eq!(suites.failures, counts.failures);
    assert_eq!(suites.errors, counts.errors);
    counts
}

#[test]
fn what_was_not_selected_is_not_judged() {
    let whole = judged();
    let only = Selection::parse("path=remote-service", &whole.plan).unwrap();
    let schedule = Schedule::new(&whole.plan, &only);
    let events = made::events(&whole.plan, &schedule, &End::Complete, |_, _| {
        Fate::Measured
    });
    let report = Report::fold(&events, whole.plan, schedule);
    let judgements = gate::judge(&report);
    assert!(judgements.iter().all(|j| j.verdict != Verdict::NotMeasured));
    let of_path = judgements
        .iter()
        .find(|j| j.origin == gate::Origin::Path)
        .unwrap();
    assert_eq!(of_path.verdict, Verdict::Undecided);
    assert_eq!(
        of_path.reason.as_deref(),
        Some("the same cell on remote-pod was not selected")
    );
}

/// The cells that are judged, each with its verdict.
fn verdicts(plan: netplan::plan::Plan) -> Vec<(String, Verdict)> {
    let schedule = Schedule::new(&plan, &Selection::all());
    let events = made::events(&plan, &schedule, &End::Complete, |_, _| Fate::Measured);
    let report = Report::fold(&events, plan, schedule);
    let judgements = gate::judge(&report).into_iter();
    let verdicts = judgements.map(|j| (j.cell.id.0.clone(), j.verdict));
    verdicts.collect()
}

#[test]
fn a_path_is_not_judged_by_itself() {
    let mut stream = made::stream();
    stream.paths.truncate(2);
    stream.timing.repeat = Repeat::Times(3);
    let bound = Expectation {
        comparison: Comparison::Below,
        ..at_least_of(100.0, "same-node-pod")
    };
    stream.expect.0.insert(metric("throughput"), bound);
    let service = "netperf-tcp-stream/same-node-service".to_owned();
    assert_eq!(verdicts(made::plan(&[stream])), [(service, Verdict::Pass)]);
}

#[test]
fn a_share_of_another_path_is_for_tests_of_both() {
    let mut both = made::stream();
    both.paths.truncate(2);
    let mut one = both.clone();
    one.name = "one".to_owned();
    one.paths.remove(0);
    let mut plan = made::plan(&[both, one]);
    let bound = at_least_of(80.0, "same-node-pod");
    plan.paths[1].expect.0.insert(metric("throughput"), bound);
    let service = "netperf-tcp-stream/same-node-service".to_owned();
    assert_eq!(verdicts(plan), [(service, Verdict::Pass)]);
}

#[test]
fn a_single_sample_is_judged_by_its_value() {
    let mut stream = made::stream();
    stream
        .expect
        .0
        .insert(metric("throughput"), expectation(Comparison::AtLeast, 1e9));
    let plan = made::plan(&[stream]);
    let schedule = Schedule::new(&plan, &Selection::all());
    let events = made::events(&plan, &schedule, &End::Complete, |_, _| Fate::Measured);
    let report = Report::fold(&events, plan, schedule);
    assert!(
        gate::judge(&report)
            .iter()
            .all(|j| j.verdict == Verdict::Pass)
    );
    let text = table(&report, 200, false);
    let kept = "by 4 cells; the closest is netperf-tcp-stream/remote-service with";
    assert!(
        text.contains(kept) && text.contains("(a single sample)"),
        "{text}"
    );
}

/// As the table's `↑` does.
#[test]
fn a_rate_at_the_bound_is_told_as_one() {
    let mut report = judged();
    let said =
        "found 100.00 Gbit/s, the highest that may be tried, and more may be possible: raise";
    for (at_bound, times) in [(false, 0), (true, 1)] {
        report.cells[0].found = Some(Found {
            rate_bps: 100_000_000_000,
            at_bound,
        });
        let junit = junit::render(&report, false).unwrap();
        let github = github::render(&report, false);
        // The cell has two expectations, and a case for each.
        assert_eq!(
            junit.matches(&format!("<system-out>{said}")).count(),
            2 * times
        );
        let title = format!("more may be possible%3A {}", report.cells[0].id.0);
        let line = format!("::notice title={title}::{said}");
        assert_eq!(github.matches(&line).count(), times, "{github}");
    }
}

#[test]
fn every_path_finds_its_plain_counterpart() {
    let plan = made::plan(&[made::stream()]);
    let names = |plan: &netplan::plan::Plan| {
        let name = |at: usize| plan.paths[at].name.clone();
        let pairs = baseline::counterparts(plan).into_iter();
        let named = pairs.map(|p| (name(p.path), name(p.plain), p.difference));
        named.collect::<Vec<_>>()
    };
    let pair =
        |path: &str, plain: &str, difference| (path.to_owned(), plain.to_owned(), difference);
    assert_eq!(
        names(&plan),
        [
            pair("same-node-service", "same-node-pod", Difference::VirtualIp),
            pair("remote-service", "remote-pod", Difference::VirtualIp),
            pair("hairpin", "same-node-pod", Difference::Hairpin),
        ]
    );
    // On the hosts' network, beside the pods' workers; and without the plain path there is no pair.
    let mut hosts = plan.clone();
    for (name, beside) in [("h2", "w2"), ("h3", "w3")] {
        let placement = Placement {
            same_node_as: Some(beside.to_owned()),
            ..Placement::default()
        };
        hosts.workers.insert(name.to_owned(), placement);
    }
    hosts.paths.retain(|path| path.name.starts_with("remote"));
    hosts.paths.push(Path {
        variant: 0,
        name: "host".to_owned(),
        label: "host".to_owned(),
        from: "h3".to_owned(),
        to: "h2".to_owned(),
        via: Via::Host,
        family: None,
        expect: netplan::plan::Expectations::default(),
    });
    assert_eq!(
        names(&hosts),
        [
            pair("remote-pod", "host", Difference::PodNetwork),
            pair("remote-service", "remote-pod", Difference::VirtualIp),
        ]
    );
    hosts.paths.retain(|path| path.name == "remote-service");
    assert_eq!(names(&hosts), []);
    // IPv4 is plain to IPv6; without it a path is compared within its family.
    let mut dual = plan.clone();
    dual.paths.retain(|path| path.name.starts_with("remote"));
    for at in 0..2 {
        let path = dual.paths[at].clone();
        dual.paths.push(Path {
            name: format!("{}-6", path.name),
            family: Some(Family::Ipv6),
            ..path
        });
    }
    let virtual_ip = pair("remote-service", "remote-pod", Difference::VirtualIp);
    let family = |path: &str| pair(&format!("{path}-6"), path, Difference::AddressFamily);
    assert_eq!(
        names(&dual),
        [
            virtual_ip.clone(),
            family("remote-pod"),
            family("remote-service")
        ]
    );
    dual.paths.retain(|path| path.name != "remote-service");
    let within = pair("remote-service-6", "remote-pod-6", Difference::VirtualIp);
    assert_eq!(names(&dual), [family("remote-pod"), within]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever a tool says, the XML is well-formed and each command stays on its line.
    #[test]
    fn any_words_of_a_tool_come_through(words in "(?s).{0,60}") {
        let mut report = judged();
        for cell in &mut report.cells {
            if let netplan::report::CellState::Failed(failure) = &mut cell.state {
                failure.words.clone_from(&words);
            }
        }
        let xml = junit::render(&report, false).unwrap();
        prop_assert_eq!(count(&xml).cases, 4 * 2 + 5 * 3 + 4 + 3);
        let annotations = github::render(&report, false);
        let all_commands = annotations.split('\n').filter(|line| !line.is_empty());
        for line in all_commands {
            prop_assert!(line.starts_with("::") && !line.contains('\r'), "{}", line);
        }
    }
}

/// What scripts and CI servers meet, from stored runs.
mod exit_codes {
    use netplan::results::{Journal, RunDir};

    use super::*;
    use crate::support::Netplan;

    fn code(events: &[Event], arguments: &[&str]) -> Option<i32> {
        let folder = tempfile::tempdir().unwrap();
        let dir = RunDir::create(folder.path().join("run")).unwrap();
        let mut journal = Journal::create(dir.path()).unwrap();
        for event in events {
            journal.append(event).unwrap();
        }
        let report = Netplan::in_folder(&folder).args(["report", "run"]);
        report.args(arguments).run().code
    }

    /// A journal of one test that expects so much of every path.
    fn events(gbit: f64, repeat: u32, fate: fn() -> Fate) -> Vec<Event> {
        events_until(gbit, repeat, fate, &End::Complete)
    }

    fn events_until(gbit: f64, repeat: u32, fate: fn() -> Fate, end: &End) -> Vec<Event> {
        let mut stream = made::stream();
        stream.timing.repeat = Repeat::Times(repeat);
        let bound = expectation(Comparison::AtLeast, gbit * 1e9);
        stream.expect.0.insert(metric("throughput"), bound);
        stream.paths.truncate(2);
        let plan = made::plan(&[stream]);
        let schedule = Schedule::new(&plan, &Selection::all());
        made::events(&plan, &schedule, end, |_, path| match path {
            "same-node-pod" => Fate::Measured,
            _ => fate(),
        })
    }

    #[test]
    fn say_how_a_run_came_out() {
        let measured = || Fate::Measured;
        assert_eq!(code(&events(5.0, 3, measured), &[]), Some(0));
        assert_eq!(code(&events(9.0, 3, measured), &[]), Some(4));
        assert_eq!(
            code(&events(9.0, 3, measured), &["--format", "junit"]),
            Some(4)
        );
    }

    #[test]
    fn undecided_fails_only_on_request() {
        let undecided = || events(5.75, 3, || Fate::Measured);
        assert_eq!(code(&undecided(), &[]), Some(0));
        assert_eq!(code(&undecided(), &["--undecided", "fail"]), Some(4));
    }

    #[test]
    fn a_stored_run_that_is_not_whole_fails() {
        let missing = |gbit, end: &End| {
            let fate = || Fate::Missing;
            code(&events_until(gbit, 3, fate, end), &[])
        };
        for end in [End::CutOff, End::Cancelled] {
            assert_eq!(missing(5.0, &end), Some(3));
            assert_eq!(missing(9.0, &end), Some(4), "too little was measured");
        }
        let begun = events_until(5.0, 3, || Fate::Begun(2), &End::Cancelled);
        assert_eq!(code(&begun, &[]), Some(3));
    }

    #[test]
    fn a_broken_expectation_outweighs_a_failed_cell() {
        let failed = || Fate::Failed(Cause::Refused, "refused");
        assert_eq!(code(&events(5.0, 3, failed), &[]), Some(3));
        assert_eq!(code(&events(9.0, 3, failed), &[]), Some(4));
        let skipped = || Fate::Skipped("netperf is not on w2");
        assert_eq!(code(&events(5.0, 3, skipped), &[]), Some(4));
    }
}

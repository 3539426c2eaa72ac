//! Text of tools, plans, nodes and journals: whatever it holds, nothing that shows it is commanded by it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;

use netplan::diag::printable::{is_safe, is_unsafe, styled};
use netplan::output::ci::{github, junit};
use netplan::output::csv::nptest::Dialect;
use netplan::output::csv::{nptest as nptest_csv, samples as samples_csv};
use netplan::output::{html, json, markdown, svg};
use netplan::plan::Plan;
use netplan::report::Report;
use netplan::report::document::Document;
use netplan::results::journal::{Journal, to_line};
use netplan::results::{Event, EventKind};
use netplan::schedule::{Params, Schedule, Selection};
use netplan::tools::{self, Cause, Ended, Failure, How, Job, name};
use proptest::prelude::*;

use crate::made::{self, End, Fate, table};
use crate::schedule::timing;
use crate::support::{self, Netplan};

/// All that is known to be obeyed by terminals, spreadsheets, XML parsers and CI servers.
const HOSTILE: &str = "=cmd|' /C calc'!A0\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}31m a\u{202e}b\u{2066}c \
    \u{fffe}\u{ffff}\u{0}\r::error::x\n::error file=a,line=1::100% injected\r\n  ::stop-commands::y\n\
    ##[error]z ##vso[task.setvariable]w\u{2028}::warning::v\u{85}]]><a>&";

const FORMATS: [&str; 10] = [
    "table", "markdown", "csv", "csv-fork", "samples", "json", "junit", "html", "svg", "github",
];

/// A run in which everybody says this.
fn events(said: &str) -> (Plan, Schedule, Vec<Event>) {
    let tests = [made::tcp(512, 3), made::udp(), made::rr(1)];
    let mut plan = made::plan(&tests);
    plan.description = Some(said.to_owned());
    let comma_less = said.replace([',', ';'], " ");
    let label = comma_less.replace(char::is_control, " ");
    plan.paths[0].label = label.chars().take(80).collect();
    let schedule = Schedule::new(&plan, &Selection::all());
    let mut events = made::events(&plan, &schedule, &End::Complete, |_, path| match path {
        "remote-pod" => Fate::Failed(Cause::ToolError, ""),
        "remote-service" => Fate::Skipped(""),
        _ => Fate::Measured,
    });
    let own = || said.to_owned();
    for event in &mut events {
        match &mut event.kind {
            EventKind::RunStarted { run, netplan, .. } => (*run, *netplan) = (own(), own()),
            EventKind::WorkerJoined {
                node, environment, ..
            } => {
                *node = own();
                (environment.kernel, environment.cpu, environment.os) = (own(), own(), own());
                environment.tools.insert(own(), own());
            }
            EventKind::Sample(sample) => {
                sample.command = [said, "-c"].map(Into::into).into();
                sample.metrics.set(said, 1.0);
                sample.raw = Some(own());
            }
            EventKind::AttemptFailed { failure, .. } => failure.words = own(),
            EventKind::CellEnded { outcome, .. } => match outcome {
                netplan::results::Outcome::Failed(failure) => failure.words = own(),
                netplan::results::Outcome::Skipped { reason } => *reason = own(),
                netplan::results::Outcome::Measured { .. } => {}
            },
            _ => {}
        }
    }
    (plan, schedule, events)
}

fn report(said: &str) -> Report {
    let (plan, schedule, events) = events(said);
    Report::fold(&events, plan, schedule)
}

/// Text of others adds no program, picture, comment or handler to a page.
fn check_markup(report: &Report) -> Result<(), TestCaseError> {
    let page = html::render(&Document::page_from_report(report)).unwrap();
    let harmless = html::render(&Document::page_from_report(&self::report("x"))).unwrap();
    for part in ["<script", "</script", "<svg", "<figure", "<!--"] {
        let count = |text: &str| text.matches(part).count();
        prop_assert_eq!(count(&page), count(&harmless), "{}", part);
    }
    let handler = regex::Regex::new(r"<[^>]*\son\w+\s*=").unwrap();
    prop_assert!(!handler.is_match(&page));
    Ok(())
}

/// What every format makes of it.
fn check_formats(said: &str) -> Result<(), TestCaseError> {
    let report = report(said);
    let page = Document::page_from_report(&report);
    let samples = String::from_utf8(samples_csv::render(&report).unwrap()).unwrap();
    for (format, text) in [
        ("table", table(&report, 80, false)),
        (
            "markdown",
            markdown::render(&Document::from_report(&report)),
        ),
        ("csv", nptest_csv::render(&report, Dialect::Nptest)),
        ("csv-fork", nptest_csv::render(&report, Dialect::Fork)),
        ("samples", samples.clone()),
        ("json", json::render(&report).unwrap()),
        ("junit", junit::render(&report, false).unwrap()),
        ("html", html::render(&page).unwrap()),
        ("svg", svg::from_document(&page).unwrap()),
    ] {
        prop_assert!(is_safe(&text), "{}: {:?}", format, text);
    }
    let coloured = table(&report, 80, true);
    prop_assert_eq!(&styled(&coloured), &coloured);
    let clears = coloured.contains("\u{1b}[2J");
    prop_assert!(!clears, "{:?}", coloured);

    check_markup(&report)?;

    // Not more commands than there is to say, each on its line.
    let github = github::render(&report, false);
    prop_assert!(!github.contains(is_unsafe));
    for line in github.lines() {
        let level = line
            .strip_prefix("::")
            .and_then(|rest| rest.split(' ').next());
        prop_assert!(
            matches!(level, Some("error" | "warning" | "notice")),
            "{:?}",
            line
        );
    }
    let harmless = github::render(&self::report("x"), false);
    prop_assert_eq!(github.lines().count(), harmless.lines().count());

    let mut reader = csv::Reader::from_reader(samples.as_bytes());
    let titles = reader.headers().unwrap().clone();
    for record in std::iter::once(titles).chain(reader.records().map(Result::unwrap)) {
        for field in &record {
            let formula = field
                .trim_start()
                .starts_with(['=', '+', '-', '@', '\t', '\r']);
            prop_assert!(!formula || field.parse::<f64>().is_ok(), "{:?}", field);
        }
    }
    // JSON and the journal give back the very text.
    let json: serde_json::Value = serde_json::from_str(&json::render(&report).unwrap()).unwrap();
    prop_assert_eq!(&json["run"], said);
    let (_, _, events) = events(said);
    for event in events {
        let line = to_line(&event).unwrap();
        prop_assert!(is_safe(&line) && !line.contains('\n'), "{:?}", line);
        prop_assert_eq!(serde_json::from_str::<Event>(&line).unwrap(), event);
    }
    Ok(())
}

#[test]
fn no_format_is_commanded_by_the_worst_text() {
    check_formats(HOSTILE).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn no_format_is_commanded_by_any_text(
        said in prop_oneof![
            any::<String>(),
            "[ -~\\n\\r\\t\\x1b\u{85}\u{9b}\u{202e}\u{2028}\u{feff}\u{fffe}]{0,30}",
            "(::error::|##\\[|\\n|\\r|=|-|@|\\x1b\\[31m|[a-z ]){0,12}",
        ],
    ) {
        check_formats(&said)?;
    }
}

/// The words of a recorded iperf3 document, of which two characters cannot be in XML.
#[test]
fn words_of_a_tool_make_well_formed_xml() {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/data/odd/iperf3-error-characters.json"
    );
    let plan = made::plan(&[made::udp()]);
    let (params, timing) = (Params::default(), timing(0, 1));
    let job = Job {
        params: &params,
        timing: &timing,
        target: "10.0.0.1",
        slot: 0,
    };
    let ended = Ended::new(How::Code(1), fs::read(file).unwrap(), Vec::new());
    let Failure { words, .. } = tools::from_spec(&plan.tests[0].tool)
        .read(&job, &ended)
        .unwrap_err();
    assert!(
        words.contains('\u{fffe}') && words.contains("\n::error"),
        "{words:?}"
    );
    let words: &'static str = words.leak();
    let schedule = Schedule::new(&plan, &Selection::all());
    let failed = |_: &made::Cell, _: &str| Fate::Failed(Cause::ToolError, words);
    let events = made::events(&plan, &schedule, &End::Complete, failed);
    let report = Report::fold(&events, plan, schedule);
    let xml = junit::render(&report, false).unwrap();
    // The characters of XML 1.0 (production 2).
    let is_char = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    assert!(xml.chars().all(is_char), "{xml}");
    assert!(xml.contains("bad\\u{fffe}\\u{ffff} 100%"), "{xml}");
    assert!(
        !xml.lines().any(|line| line.trim_start().starts_with("::")),
        "{xml}"
    );
    let annotations = github::render(&report, false);
    let first = annotations.lines().next().unwrap();
    assert!(
        first.contains("bad\\u{fffe}\\u{ffff} 100%25 done%0A\\u{3a}:error file=a"),
        "{first}"
    );
}

fn stored(folder: &Path, said: &str) {
    let (_, _, events) = events(said);
    let mut journal = Journal::create(folder).unwrap();
    for event in &events {
        journal.append(event).unwrap();
    }
}

fn netplan(arguments: &[&str], folder: &Path) -> support::Ended {
    Netplan::in_folder(folder).args(arguments).run()
}

#[track_caller]
fn assert_neutral(ended: &support::Ended, may_command: bool) {
    let (stdout, stderr) = (&ended.stdout, &ended.stderr);
    assert!(is_safe(stderr), "{stderr:?}");
    assert!(may_command || is_safe(stdout), "{stdout:?}");
    assert!(!stdout.contains(is_unsafe), "{stdout:?}");
}

#[test]
fn the_program_prints_no_command_of_a_stored_run() {
    let folder = tempfile::tempdir().unwrap();
    stored(folder.path(), HOSTILE);
    for format in FORMATS {
        let output = netplan(&["report", ".", "--format", format], folder.path());
        assert_eq!(output.code, Some(3), "{output:?}");
        assert!(!output.stdout.is_empty(), "{format}");
        assert_neutral(&output, format == "github");
    }
    // Also where it writes files of its own.
    let output = netplan(&["run", "--resume", "."], folder.path());
    assert_neutral(&output, false);
    for file in [
        "samples.csv",
        "result.csv",
        "environment.json",
        "report.html",
    ] {
        let text = fs::read_to_string(folder.path().join(file)).unwrap();
        assert!(is_safe(&text), "{file}: {text:?}");
    }
}

#[test]
fn messages_print_no_command_of_arguments_plans_and_file_names() {
    let folder = tempfile::tempdir().unwrap();
    let name = "x\u{1b}[35m\n::error::y\u{202e}.yaml";
    fs::write(
        folder.path().join(name),
        "version: 1\nname: p\ndescription: \"a\\x1b[31m\\u202e\"\nworkers: { \"w\u{9b}31m\u{200f}\": {} }\n\
         paths: []\n\"k\u{2028}::\": 1\n",
    )
    .unwrap();
    for arguments in [
        &["check", name][..],
        &["check", "\u{1b}]0;x\u{7}\n::error::none.yaml"],
        &["report", "\n ::error::\u{9b}2J"],
        &["\u{1b}[35m\n::error::no-such-command"],
        &["run", "--format", "\u{1b}[35m"],
        &["explain", "\u{1b}[35m\n::error::x"],
        &["render", name, "--templates", "\n::error::\u{1b}[2J"],
        &["schedule", name, "--only", "\n::error::\u{1b}[2J"],
        &["check", name, "--set", "\u{1b}[35m=\n::error::x"],
        &["init", name],
    ] {
        let output = netplan(arguments, folder.path());
        assert_ne!(output.code, Some(0), "{arguments:?}");
        assert_neutral(&output, false);
        let colored = Netplan::in_folder(folder.path()).args(arguments);
        let stderr = colored.env("CLICOLOR_FORCE", "1").run().stderr;
        assert_eq!(styled(&stderr), stderr, "{arguments:?}");
        assert!(!stderr.contains("\u{1b}[35m"), "{arguments:?}: {stderr:?}");
    }
}

/// A plan's free texts come into manifests, charts and the plan of a run.
#[test]
fn manifests_show_a_text_and_keep_it() {
    let folder = tempfile::tempdir().unwrap();
    let plan = "version: 1\nname: p\nworkers: { w1: {}, w2: {} }\n\
        description: \"a\\x1b[35m\\u202eb\\n::error::x\\n##[group]y \\U0001FFFF\"\n\
        paths: [{ name: a, label: \"l\\u202e\\u2066\", from: w1, to: w2, via: pod_ip }]\n\
        tests: [iperf3: {}]\n\
        kubernetes: { annotations: { note: \"n\\u2066\\u0085##[x]\" } }\n";
    fs::write(folder.path().join("plan.yaml"), plan).unwrap();
    let output = netplan(&["render", "plan.yaml"], folder.path());
    assert_eq!(output.code, Some(0), "{output:?}");
    assert_neutral(&output, false);
    let text = output.stdout;
    let objects: Vec<serde_json::Value> = text
        .split("---\n")
        .filter(|text| !text.is_empty())
        .map(|text| netplan::plan::document(text).unwrap())
        .collect();
    let config = objects
        .iter()
        .find(|object| object["kind"] == "ConfigMap")
        .unwrap();
    let inner = config["data"]["plan.yaml"].as_str().unwrap();
    let read = netplan::plan::load(netplan::diag::Source::new("p", inner), &[]).unwrap();
    let description = "a\u{1b}[35m\u{202e}b\n::error::x\n##[group]y \u{1ffff}";
    assert_eq!(read.description.as_deref(), Some(description));
    assert_eq!(read.paths[0].label, "l\u{202e}\u{2066}");
    assert!(
        objects
            .iter()
            .any(
                |object| object["metadata"]["annotations"]["note"] == "n\u{2066}\u{85}##[x]"
                    || object.pointer("/spec/template/metadata/annotations/note")
                        == Some(&serde_json::json!("n\u{2066}\u{85}##[x]"))
            ),
        "{text}"
    );
    let output = netplan(&["render", "plan.yaml", "--helm", "chart"], folder.path());
    assert_eq!(output.code, Some(0), "{output:?}");
    for part in ["chart/files", "chart/templates"] {
        for file in fs::read_dir(folder.path().join(part)).unwrap() {
            let text = fs::read_to_string(file.unwrap().path()).unwrap();
            assert!(is_safe(&text), "{text:?}");
        }
    }
    let output = netplan(&["schedule", "plan.yaml"], folder.path());
    assert_neutral(&output, false);
}

/// Effective MSS and such are numbers; a metric's name is a column.
#[test]
fn figures_stay_numbers() {
    let samples = String::from_utf8(samples_csv::render(&report("-1.5")).unwrap()).unwrap();
    let mut reader = csv::Reader::from_reader(samples.as_bytes());
    let titles = reader.headers().unwrap().clone();
    let first = reader.records().next().unwrap().unwrap();
    let field = |name: &str| &first[titles.iter().position(|title| title == name).unwrap()];
    assert!(field(name::THROUGHPUT_BPS).parse::<f64>().is_ok());
    assert_eq!(field("raw"), "-1.5");
    assert_eq!(field("command"), "'-1.5 -c");
}

//! Every built-in tool is complete: what the catalogue says of it is decoded, documented and run.
//!
//! The tests walk the catalogue, so that a new tool with a forgotten place fails here.

use std::collections::BTreeSet;

use netplan::catalog::{
    BOTH_WAYS, BUILT_IN_TOOLS, BuiltInTool, Kind, KnownMetric, METRICS, Metric, Mode, OWN_PROGRAM,
    ToolOption, Unit,
};
use netplan::diag::Source;
use netplan::plan::{self, Alone, BuiltInUse, PlanFile, ToolSpec};
use netplan::schedule::{Params, Schedule, Selection};
use netplan::tools::{self, Cause, Ended, How, Installed, Job, Use};
use serde_json::{Value, json};

use crate::support::Netplan;

/// A plan with one test: this tool with these options, in flow style.
fn load(tool: &str, options: &str) -> Result<PlanFile, String> {
    let text = format!(
        "{{ version: 1, name: p, workers: {{ w1: {{}}, w2: {{}} }}, \
         paths: [{{ name: a, from: w1, to: w2, via: pod_ip }}], \
         tests: [{{ {tool}: {{ {options} }} }}] }}\n"
    );
    plan::load_file(&Alone, Source::new("p", text), &[]).map_err(|problems| problems.to_string())
}

fn mode_option(tool: &BuiltInTool, mode: &Mode) -> String {
    let key = tool.mode_key.map(|key| format!("{key}: {}", mode.word));
    key.unwrap_or_default()
}

fn modes() -> impl Iterator<Item = (&'static BuiltInTool, &'static Mode)> {
    let tools = BUILT_IN_TOOLS.into_iter();
    tools.flat_map(|tool| tool.modes.iter().map(move |mode| (tool, mode)))
}

fn spec(tool: &BuiltInTool, mode: &Mode) -> ToolSpec {
    ToolSpec::BuiltIn(BuiltInUse::new(tool.name, mode.word).unwrap())
}

/// Whether the values of the option are numbers with limits.
fn is_number(option: &ToolOption) -> bool {
    matches!(
        option.kind,
        Kind::Number(_) | Kind::Bytes | Kind::BitRate | Kind::Duration
    )
}

/// A value of the option as plans write it.
fn written(option: &ToolOption, value: u64) -> String {
    match option.kind {
        Kind::BitRate => format!("{value} bit/s"),
        Kind::Duration => format!("{value}us"),
        _ => value.to_string(),
    }
}

#[test]
fn each_option_is_taken_at_its_limits_and_refused_beyond_them() {
    for (tool, mode) in modes() {
        for option in tool.options.iter().filter(|option| is_number(option)) {
            let decode = |value| {
                let option = format!("{}: {}", option.name, written(option, value));
                load(tool.name, &format!("{}, {option}", mode_option(tool, mode)))
            };
            let (least, most) = option.limits_in(mode).into_inner();
            let place = format!("{} of {}", option.name, tool.title(mode));
            assert!(least < most, "{place}");
            if option.is_for(mode) {
                for value in [least, most] {
                    let plan = decode(value).unwrap();
                    let values = plan.tests[0].tool.values(option.name).unwrap();
                    assert_eq!(values.values().collect::<Vec<_>>(), [value], "{place}");
                }
                for value in [least - 1, most + 1] {
                    let problem = decode(value).unwrap_err();
                    let refused = problem.contains("out of range") || problem.contains("rate of 0");
                    assert!(refused, "{place}: {problem}");
                }
            } else {
                let problem = decode(most).unwrap_err();
                let what = format!("`{}` does nothing for {}", option.name, tool.title(mode));
                assert!(problem.contains(&what), "{problem}");
            }
        }
    }
}

#[test]
fn each_option_is_described() {
    for tool in BUILT_IN_TOOLS {
        let keys: Vec<&str> = tool.keys().collect();
        let distinct: BTreeSet<&str> = keys.iter().copied().collect();
        assert_eq!(keys.len(), distinct.len(), "{}", tool.name);
        for option in tool.options {
            let place = format!("{}.{}", tool.name, option.name);
            assert!(
                !option.text.is_empty() && !option.text.ends_with('.'),
                "{place}"
            );
            let known = |word: &&&str| tool.mode(word).is_some();
            assert_eq!(
                option.modes.iter().filter(known).count(),
                option.modes.len(),
                "{place}"
            );
            if let Some(default) = option.default {
                assert!(option.limits.contains(&default), "{place}");
            }
            let has_default = option.default.is_some() || !option.otherwise.is_empty();
            assert!(has_default || option.kind == Kind::Flag, "{place}");
        }
    }
}

#[test]
fn each_tool_is_in_the_schema_explained_and_in_the_reference() {
    let schema = plan::schema();
    let reference = plan::reference().unwrap();
    for tool in BUILT_IN_TOOLS {
        let path = format!("tests.{}", tool.name);
        let at = format!("/definitions/Test/properties/{}/$ref", tool.name);
        let name = schema.pointer(&at).and_then(Value::as_str).unwrap();
        let properties = schema
            .pointer(&format!("{}/properties", &name[1..]))
            .unwrap();
        assert_eq!(
            plan::explain(&path).unwrap().keys.len(),
            tool.keys().count()
        );
        assert!(reference.contains(&format!("\n## {path}\n")), "{path}");
        assert!(
            plan::init_text()
                .unwrap()
                .contains(&format!("{}:", tool.name)),
            "{path}"
        );
        for key in tool.keys() {
            let property = &properties[key];
            assert!(property["description"].is_string(), "{path}.{key}");
            let explained = plan::explain(&format!("{path}.{key}")).unwrap();
            assert!(!explained.text.concat().is_empty() && explained.default.is_some());
            assert!(
                reference.contains(&format!("\n| `{key}` | ")),
                "{path}.{key}"
            );
            if let Some(option) = tool.option(key)
                && let Kind::Number(_) = option.kind
            {
                // One that sweeps is a number, a list or a range.
                let number = property.pointer("/anyOf/0").unwrap_or(property);
                let limits = [&number["minimum"], &number["maximum"]];
                assert_eq!(
                    limits,
                    [&json!(option.limits.start()), &json!(option.limits.end())]
                );
            }
        }
        let modes = plan::explain(&format!("{path}.{}", tool.mode_key.unwrap_or_default()));
        let words: Vec<String> = modes
            .unwrap()
            .words
            .into_iter()
            .map(|(word, _)| word)
            .collect();
        let expected: Vec<&str> = tool.modes.iter().map(|mode| mode.word).collect();
        assert_eq!(words, expected);
    }
}

#[test]
fn each_mode_has_a_name_a_label_and_command_lines() {
    let mut names = BTreeSet::new();
    let mut labels = BTreeSet::new();
    for (tool, mode) in modes() {
        let file = load(tool.name, &mode_option(tool, mode)).unwrap();
        let test = &file.tests[0];
        assert_eq!(
            (&*test.name, &*test.label),
            (&*tool.test_name(mode), mode.csv_label)
        );
        assert!(names.insert(tool.test_name(mode)) && labels.insert(mode.csv_label));
        // As the run's directory keeps it.
        let yaml = file.to_yaml().unwrap();
        let again = plan::load(Source::new("p", yaml), &[]).unwrap();
        assert_eq!(again.tests[0].tool, test.tool);
        let tool_of_test = tools::from_spec(&test.tool);
        let programs: Vec<&str> = tool.programs.iter().map(|program| program.name).collect();
        let plan = file.expand();
        let schedule = Schedule::new(&plan, &Selection::all());
        let cells: Vec<_> = tools::commands(&plan, &schedule).collect();
        assert_eq!(cells.len(), 1);
        for cell in cells {
            assert_eq!(cell.refused, None);
            assert!(
                programs.contains(&&*cell.client.argv[0]),
                "{}",
                tool.title(mode)
            );
            if let Some(server) = cell.server.argv.first() {
                assert!(programs.contains(&&**server), "{}", tool.title(mode));
                assert!(!tool_of_test.ports(0).is_empty(), "{}", tool.title(mode));
            }
        }
        assert_eq!(tool_of_test.name(), tool.name);
        assert_eq!(tool_of_test.headline(), mode.headline());
        assert_eq!(tool_of_test.overhead(), mode.overhead);
        assert_eq!(tool_of_test.has_warmup(), tool.warms_up);
    }
}

/// What was sent, since what arrived counts; outages by the kind of traffic, which the worst of them stands for; and what
/// tells how good the measurement was.
const FILES_ONLY: [&str; 9] = [
    "sent_bps",
    "udp_outage_us",
    "tcp_outage_us",
    "connect_outage_us",
    "outage",
    "reordered",
    "duplicates",
    "stall_us",
    "delay_us",
];

#[test]
fn each_metric_of_a_mode_is_known_and_shown() {
    let headlines: BTreeSet<&str> = modes().map(|(_, mode)| mode.headline()).collect();
    for (tool, mode) in modes() {
        for name in mode.metric_names() {
            let known = KnownMetric::from_name(name).unwrap();
            assert!(known.word.is_some() && !known.text.is_empty(), "{name}");
            // Of many figures of one thing a table shows some; all are in files.
            let head = |name: &str| name.split('.').next().map(str::to_owned);
            let stands_for =
                |other: &&KnownMetric| other.column.is_some() && head(other.name) == head(name);
            let is_shown = headlines.contains(name)
                || METRICS.iter().any(|other| stands_for(&other))
                || FILES_ONLY.contains(&head(name).unwrap().as_str());
            assert!(is_shown, "{name} of {} has no column", tool.title(mode));
        }
        let measures = spec(tool, mode).measures();
        // The parts of both directions are measured where a test asks for both.
        let names = mode.metric_names().filter(|name| !BOTH_WAYS.contains(name));
        assert_eq!(measures.len(), names.count());
        assert_eq!(measures[0].name(), mode.headline());
    }
    let names: BTreeSet<&str> = METRICS.iter().map(|metric| metric.name).collect();
    assert_eq!(names.len(), METRICS.len());
    for metric in &METRICS {
        assert_eq!(
            Unit::split_name(metric.name).2.suffix().is_empty(),
            metric.unit.suffix().is_empty() || metric.name == "effective_mss"
        );
        if let Some(word) = metric.word {
            assert_eq!(Metric::known(word).unwrap().name(), metric.name);
        }
    }
}

#[test]
fn each_tool_says_why_it_failed() {
    let (params, timing) = (Params::default(), plan::Timing::default());
    let job = Job {
        params: &params,
        timing: &timing,
        target: "192.0.2.1",
        slot: 0,
    };
    for (tool, mode) in modes() {
        let implementation = tools::from_spec(&spec(tool, mode));
        let fails = |how, stderr: &str| {
            let ended = Ended::new(how, "", stderr);
            implementation.read(&job, &ended).unwrap_err()
        };
        for (how, stderr, cause) in [
            (How::Code(0), "", Cause::Unparsable),
            (How::Code(1), "", Cause::UnexplainedError),
            (How::Signal(9), "", Cause::Killed),
            (How::Signal(11), "", Cause::Crashed),
            (How::Deadline, "", Cause::Timeout),
            (How::NotFound(String::new()), "", Cause::ToolMissing),
        ] {
            let failure = fails(how, stderr);
            assert_eq!(failure.cause, cause, "{}: {failure}", tool.title(mode));
            assert!(
                !failure.words.is_empty() || cause == Cause::Unparsable,
                "{}",
                tool.title(mode)
            );
        }
        assert!(fails(How::Code(1), "").words.contains(tool.name));
    }
}

#[test]
fn each_tool_is_looked_for_and_asked_for_its_version() {
    let built_in = tools::built_in();
    let names: Vec<&str> = built_in.iter().map(|tool| tool.name()).collect();
    assert_eq!(names, BUILT_IN_TOOLS.map(|tool| tool.name));
    for tool in &built_in {
        let programs = tool.programs();
        assert!(
            programs
                .iter()
                .all(|program| program.name == OWN_PROGRAM || !program.package.is_empty())
        );
        let query = tool.version_query().unwrap();
        assert!(programs.iter().any(|program| program.name == query.argv[0]));
        assert_eq!(query.read("no version"), "unknown");
        let fresh = Installed {
            version: Some("99.9"),
            names_tcp: Some(true),
        };
        assert_eq!(tool.unfit(&fresh, Use::Server), None);
    }
    let text = Netplan::in_repository().args(["doctor"]).run().stdout;
    for name in names {
        assert!(text.contains(name), "{name}: {text}");
    }
}

/// What tells tools apart is in the catalogue, or a method of the trait.
#[test]
fn no_other_file_decides_by_a_tools_name() {
    for (file, code) in crate::architecture::sources() {
        let own = file.starts_with("catalog/") || file.starts_with("tools/");
        // The formats of other projects have their own words, and `doctor` an option `--probe`.
        let others = ["plan/decode/foreign.rs", "cli/measure/doctor.rs"];
        if own || others.contains(&&*file) || file.starts_with("import/") {
            continue;
        }
        for tool in BUILT_IN_TOOLS {
            let named = code.contains(&format!("\"{}\"", tool.name));
            assert!(!named, "{file} names {:?}", tool.name);
        }
    }
    for (file, code) in crate::architecture::sources() {
        for tool in BUILT_IN_TOOLS {
            let others =
                file.starts_with("tools/") && !file.starts_with(&format!("tools/{}/", tool.name));
            assert!(
                !(others && code.contains(&format!("\"{}\"", tool.name))),
                "{file}"
            );
        }
    }
}

//! Tools that plans declare: their command lines, what is read of their output, and whole runs of the
//! plans that ship, with the real programs.

use std::fmt::Write as _;

use netplan::catalog;
use netplan::diag::Source;
use netplan::plan::{self, Plan, PlanFile, ToolSpec};
use netplan::results::environment::host_metrics::{self, End};
use netplan::schedule::{Param, Params, Schedule, Selection};
use netplan::tools::{
    self, Cause, Cut, Ended, Failure, How, Job, Metrics, Ready, Tool, cut_mark, name,
};
use proptest::prelude::*;

use crate::schedule::timing;
use crate::support::{Netplan, installed, local_cluster, needs};

const PLANS: [&str; 3] = ["qperf", "sockperf", "own-script"];

fn load_file(text: &str) -> PlanFile {
    plan::load_file(&plan::Alone, Source::new("plan.yaml", text), &[])
        .unwrap_or_else(|problems| panic!("{problems}"))
}

fn load(text: &str) -> Plan {
    load_file(text).expand()
}

fn shipped_file(name: &str) -> PlanFile {
    let path = format!("{}/plans/tools/{name}.yaml", env!("CARGO_MANIFEST_DIR"));
    load_file(&std::fs::read_to_string(path).unwrap())
}

fn shipped(name: &str) -> Plan {
    shipped_file(name).expand()
}

/// A plan with a tool that has these metrics, and its one test.
fn with_metrics(metrics: &str) -> Box<dyn Tool> {
    let plan = load(&format!(
        "version: 1\n\
         name: p\n\
         workers: {{ w1: {{}}, w2: {{}} }}\n\
         paths: [{{ name: a, from: w1, to: w2, via: pod_ip }}]\n\
         tools:\n\
         \x20 my-tool:\n\
         \x20   client: {{ command: [x] }}\n\
         \x20   metrics: {metrics}\n\
         tests: [my-tool: {{}}]\n"
    ));
    tools::from_spec(&plan.tests[0].tool)
}

fn read(tool: &dyn Tool, how: How, stdout: &[u8], stderr: &[u8]) -> Result<Metrics, Failure> {
    read_ended(tool, &Ended::new(how, stdout, stderr))
}

fn read_ended(tool: &dyn Tool, ended: &Ended) -> Result<Metrics, Failure> {
    let (params, timing) = (Params::default(), timing(0, 1));
    let job = Job {
        params: &params,
        timing: &timing,
        target: "10.0.0.1",
        slot: 0,
    };
    tool.read(&job, ended)
}

#[test]
fn the_plans_that_ship_have_their_command_lines() {
    let mut text = String::new();
    for name in PLANS {
        let file = shipped_file(name);
        let again = load_file(&file.to_yaml().unwrap());
        assert_eq!(again, file, "{name}");
        let plan = file.expand();
        let schedule = Schedule::new(&plan, &Selection::all());
        for cell in tools::commands(&plan, &schedule) {
            let _ = writeln!(
                text,
                "{}\n  server {:?}\n  ready {:?}\n  warm-up {:?}\n  client {:?}",
                cell.id.0,
                cell.server.argv,
                cell.server.ready,
                cell.client.warmup_argv,
                cell.client.argv
            );
        }
        let all = tools::Ports::for_plan(&plan);
        for worker in plan.workers.keys() {
            let ports = all.worker(worker);
            let ports: Vec<String> = ports
                .iter()
                .map(|port| format!("{:?}/{}", port.transport, port.number))
                .collect();
            let _ = writeln!(text, "{worker} has {ports:?}");
        }
    }
    crate::support::snapshots().bind(|| insta::assert_snapshot!("declared_commands", text));
}

#[test]
fn a_client_without_a_warm_up_of_its_own_runs_twice() {
    let line = |command: &str| {
        let plan = load(&format!(
            "{{ version: 1, name: p, workers: {{ a: , b: }}, \
             paths: [{{ name: a, from: a, to: b, via: pod_ip }}], \
             tools: {{ t: {{ client: {{ command: {command} }}, \
             metrics: {{ m: {{ json: /m, unit: count }} }} }} }}, \
             tests: [{{ t: , warmup: 2s }}] }}"
        ));
        let schedule = Schedule::new(&plan, &Selection::all());
        let commands = tools::commands(&plan, &schedule).next().unwrap();
        assert_eq!(commands.server.ready, Ready::Nothing);
        (commands.client.warmup_argv, commands.client.argv)
    };
    let (warmup, client) = line("[x, '{{ duration_s }}']");
    assert_eq!(
        (warmup.join(" "), client.join(" ")),
        ("x 2".into(), "x 10".into())
    );
    let (warmup, client) = line("[x, '{{ duration_s + warmup_s }}']");
    assert_eq!((warmup.len(), client.join(" ")), (0, "x 12".to_owned()));
}

#[test]
fn a_line_without_a_value_is_said_and_nothing_is_run() {
    let plan = |expression: &str| {
        load(&format!(
            "{{ version: 1, name: p, workers: {{ a: , b: }}, \
             paths: [{{ name: a, from: a, to: b, via: pod_ip }}], \
             tools: {{ t: {{ parameters: {{ one: {{ default: 1 }}, two: {{ default: 2 }} }}, \
             client: {{ command: [x, '{{{{ {expression} }}}}'] }}, \
             metrics: {{ m: {{ json: /m, unit: count }} }} }} }}, \
             tests: [{{ t: {{ one: [1, 3], two: [2, 3] }}, warmup: 2s }}] }}"
        ))
    };
    // Checks try each parameter by itself; only both together are wrong. In the second the warm-up
    // alone is.
    for expression in ["10 // (one - two)", "10 // (one - two + duration_s - 2)"] {
        let plan = plan(expression);
        let schedule = Schedule::new(&plan, &Selection::all());
        let cells: Vec<_> = tools::commands(&plan, &schedule).collect();
        let lines = |cell: &tools::CellCommands<'_>| {
            let client = &cell.client;
            (
                client.warmup_argv.len(),
                client.argv.len(),
                cell.refused.is_some(),
            )
        };
        let lines: Vec<_> = cells.iter().map(lines).collect();
        let wrong = (0, 0, true);
        assert_eq!(lines, [(2, 2, false), (2, 2, false), (2, 2, false), wrong]);
        let refused = cells[3].refused.as_ref().unwrap();
        assert_eq!(refused.cause, Cause::OptionRefused);
        let (params, timing) = (schedule.params(&schedule.cells[3]), timing(2, 10));
        let job = Job {
            params: &params,
            timing: &timing,
            target: "10.0.0.1",
            slot: 0,
        };
        let ended = Ended::silent(How::NotStarted("the command line is empty".to_owned()));
        let failure = tools::from_spec(&plan.tests[0].tool).read(&job, &ended);
        assert_eq!(failure.unwrap_err(), *refused);
    }
}

#[test]
fn the_kernel_is_asked_for_the_mss_of_the_data_port() {
    let watched = |ports: &str, test: &str| {
        let plan = load(&format!(
            "{{ version: 1, name: p, workers: {{ a: , b: }}, \
             paths: [{{ name: a, from: a, to: b, via: pod_ip }}], \
             tools: {{ t: {{ ports: {ports}, client: {{ command: [x, [-M, '{{{{ mss }}}}']] }}, \
             metrics: {{ throughput: {{ json: /m, unit: bit/s }} }} }} }}, tests: [{{ t: {test} }}] }}"
        ));
        let schedule = Schedule::new(&plan, &Selection::all());
        let commands = tools::commands(&plan, &schedule).next().unwrap();
        (
            commands.client.watch_tcp_port,
            commands.client.argv.join(" "),
        )
    };
    let two = "[{ name: control, port: 1 }, { name: data, port: 2, protocol: both }]";
    assert_eq!(watched(two, "{ mss: 500 }"), (Some(2), "x -M 500".into()));
    assert_eq!(watched(two, ""), (None, "x".into()));
    let one = "[{ name: a, port: 1 }, { name: b, port: 2, protocol: udp }]";
    assert_eq!(watched(one, "{ mss: 500 }").0, Some(1));
    let unclear = "[{ name: a, port: 1 }, { name: b, port: 2 }]";
    assert_eq!(watched(unclear, "{ mss: 500 }").0, None);
}

#[test]
fn own_parameters_are_swept_and_selected() {
    let plan = shipped("sockperf");
    let size = Param::named("size");
    let all = Schedule::new(&plan, &Selection::all());
    let sizes: Vec<_> = all
        .cells
        .iter()
        .map(|cell| all.params(cell).get(size))
        .collect();
    assert_eq!(sizes[..4], [Some(64), Some(1024), Some(64), Some(1024)]);
    let only = Selection::parse("tool=sockperf,size=64", &plan).unwrap();
    let selected = Schedule::new(&plan, &only);
    let cells = selected.cells.iter();
    let ids: Vec<String> = cells.map(|cell| selected.id(&plan, cell).0).collect();
    assert_eq!(
        ids,
        ["sockperf/remote/size=64", "sockperf/remote-service/size=64"]
    );
    let error = Selection::parse("sise=64", &plan).unwrap_err();
    assert!(
        error.to_string().contains("did you mean `size`?"),
        "{error}"
    );
    // Journals name them.
    let written = serde_json::to_string(&all.params(&all.cells[1])).unwrap();
    assert_eq!(written, r#"[["size",1024]]"#);
    let back: Params = serde_json::from_str(&written).unwrap();
    assert_eq!(back, all.params(&all.cells[1]));
    // A report holds those of each sample: a name is one reference, not a text of its own.
    assert!(size_of::<(Param, u64)>() <= 24);
}

#[test]
fn figures_come_in_the_units_of_journals() {
    let tool = with_metrics(
        "{ throughput: { regex: 'rate (?<value>[0-9.]+) MB/s', unit: MB/s },
           first: { regex: 'rate (?<value>[0-9.]+)', unit: count, take: first },
           sum: { regex: 'rate (?<value>[0-9.]+)', unit: count, take: sum },
           latency.p99: { regex: '^p99=(?<value>[0-9.e-]+)$', unit: ms },
           lost: { regex: 'lost (?<value>[0-9.]+)', unit: ratio, optional: true },
           gone: { regex: 'gone (?<value>[0-9.]+)', unit: count, optional: true } }",
    );
    let stdout = b"\x1b[32mrate 1 MB/s\x1b[0m\nrate 2.5 MB/s\nlost 0.01\n";
    let metrics = read(tool.as_ref(), How::Code(0), stdout, b"p99=2e-1\n").unwrap();
    let found: Vec<(String, f64)> = metrics.iter().map(|(k, v)| (k.to_owned(), v)).collect();
    let expected = [
        ("first", 1.0),
        ("latency_us.p99", 200.0),
        ("lost_percent", 1.0),
        ("sum", 3.5),
        ("throughput_bps", 20e6),
    ];
    assert_eq!(found, expected.map(|(k, v)| (k.to_owned(), v)));
    assert_eq!(tool.headline(), "throughput_bps");
    let tool = with_metrics("{ stall.p50: { json: /a~1b/0/p50, unit: s } }");
    let stdout = b"warning: something\n{\"a/b\": [{\"p50\": 0.25}]}\n";
    let metrics = read(tool.as_ref(), How::Code(0), stdout, b"").unwrap();
    assert_eq!(metrics.get("stall_us.p50"), Some(250_000.0));
    // A null is a figure that is not there.
    let tool = with_metrics(
        "{ m: { json: /m, unit: count }, n: { json: /n, unit: count, optional: true } }",
    );
    let metrics = read(tool.as_ref(), How::Code(0), b"{\"m\": 1, \"n\": null}", b"").unwrap();
    assert_eq!((metrics.get("m"), metrics.get("n")), (Some(1.0), None));
}

#[test]
fn paths_expect_own_metrics_and_plans_know_how_long_tools_take() {
    let plan = load(
        "version: 1
name: p
workers: { a: {}, b: {}, every: { one_per_node: true, count: 2 } }
paths:
  - { name: p, from: a, to: b, via: pod_ip, expect: { stall: '<= 5ms' } }
  - mesh: { name: m, workers: every, via: pod_ip, both_directions: false, expect: { stall: '<= 3' } }
tools:
  one:
    overhead: 3s
    client: { command: [x, '{{ warmup_s }}'] }
    metrics: { stall: { json: /m, unit: us } }
  two:
    client: { command: [x] }
    metrics: { stall: { json: /m, unit: count } }
tests:
  - { one: {}, paths: [p] }
  - { two: {}, paths: [m] }
  - { netperf: { test: TCP_CRR } }
  - { netperf: {} }
  - { iperf3: {} }
",
    );
    // Each with the unit that the tool on that path gives it.
    let bounds = plan.paths.iter().map(|path| {
        let (metric, expectation) = path.expect.0.first().unwrap();
        (metric.name().to_owned(), expectation.bound.clone())
    });
    let bounds: Vec<_> = bounds.collect();
    let stall = |name: &str, bound| (name.to_owned(), plan::Bound::Absolute(bound));
    assert_eq!(bounds, [stall("stall_us", 5000.0), stall("stall", 3.0)]);
    for test in &plan.tests {
        let tool = tools::from_spec(&test.tool);
        assert_eq!(tool.overhead(), test.tool.overhead(), "{}", test.name);
        assert_eq!(tool.has_warmup(), test.tool.has_warmup(), "{}", test.name);
    }
}

#[test]
fn no_declared_tool_yields_what_netplan_writes_itself() {
    let observed = host_metrics::ALL.iter();
    let observed = observed.flat_map(|name| End::BOTH.map(|end| name.at(end)));
    for journal in observed.chain([name::FOUND_RATE_BPS, name::ELAPSED_S]) {
        assert!(catalog::reserved_metric(journal).is_some(), "{journal}");
    }
    assert_eq!(catalog::reserved_metric("elapsed_us"), None);
}

#[test]
fn output_without_a_measurement_fails_with_its_text() {
    let regex = with_metrics("{ rate: { regex: 'rate (?<value>\\S+)', unit: bit/s } }");
    let json = with_metrics("{ rate: { json: /rate, unit: bit/s } }");
    let share = with_metrics("{ idle: { json: /idle, unit: percent } }");
    assert!(read(share.as_ref(), How::Code(0), b"{\"idle\": 0}", b"").is_ok());
    let cases: [(&dyn Tool, How, &str, &str, Cause); 14] = [
        (&*regex, How::Code(0), "rate 0", "", Cause::NothingMoved),
        (&*regex, How::Code(0), "rate -1", "", Cause::NothingMoved),
        (&*regex, How::Code(0), "rate NaN", "", Cause::Unparsable),
        (&*regex, How::Code(0), "rate 1e999", "", Cause::Unparsable),
        (&*regex, How::Code(0), "rate fast", "", Cause::Unparsable),
        (&*regex, How::Code(0), "", "", Cause::Unparsable),
        (&*regex, How::Code(0), "nothing here", "", Cause::Unparsable),
        (
            &*regex,
            How::Code(2),
            "rate 5",
            "usage: x",
            Cause::ToolError,
        ),
        (
            &*regex,
            How::Code(1),
            "",
            "connect: Connection refused",
            Cause::Refused,
        ),
        (&*regex, How::Deadline, "rate 5", "", Cause::Timeout),
        (
            &*regex,
            How::NotFound("x".to_owned()),
            "",
            "",
            Cause::ToolMissing,
        ),
        (
            &*json,
            How::Code(0),
            "{\"rate\": null}",
            "",
            Cause::Unparsable,
        ),
        (
            &*json,
            How::Code(0),
            "{\"rate\": [1]}",
            "",
            Cause::Unparsable,
        ),
        (&*json, How::Code(0), "not json", "", Cause::Unparsable),
    ];
    let mut words = String::new();
    for (tool, how, stdout, stderr, cause) in cases {
        let failure = read(tool, how, stdout.as_bytes(), stderr.as_bytes()).unwrap_err();
        assert_eq!(failure.cause, cause, "{stdout} {stderr}");
        let _ = writeln!(words, "{failure}\n");
    }
    crate::support::snapshots().bind(|| insta::assert_snapshot!("declared_failures", words));
}

#[test]
fn a_figure_of_output_that_was_cut_counts_only_where_it_is_sure() {
    let whole = "rate 1\nrate 2\n\u{1b}[1mrate 9\n";
    let kept = |cut: u64, text: &str| Ended {
        cut: Cut {
            stdout: cut,
            stderr: 0,
        },
        ..Ended::new(How::Code(0), text, "")
    };
    let cut = format!("rate 1\n{}rate 9\n{{\"rate\": 9}}\n", cut_mark(7));
    let only_later = format!("nothing\n{}rate 9\n", cut_mark(7));
    for (figure, of_whole, of_cut, of_later) in [
        ("take: first", Some(1.0), Some(1.0), None),
        ("take: last", Some(9.0), Some(9.0), Some(9.0)),
        ("take: sum", Some(12.0), None, None),
        ("take: mean", Some(4.0), None, None),
        ("take: min", Some(1.0), None, None),
        ("take: max", Some(9.0), None, None),
    ] {
        let tool = with_metrics(&format!(
            "{{ rate: {{ regex: 'rate (?<value>[0-9]+)', unit: count, {figure} }} }}"
        ));
        for (ended, expected) in [
            (kept(0, whole), of_whole),
            (kept(7, &cut), of_cut),
            (kept(7, &only_later), of_later),
        ] {
            match (read_ended(tool.as_ref(), &ended), expected) {
                (Ok(metrics), Some(expected)) => {
                    assert_eq!(metrics.get("rate"), Some(expected), "{figure}");
                }
                (Err(failure), None) => {
                    assert_eq!(failure.cause, Cause::Unparsable);
                    assert!(failure.words.contains("make it print less"), "{failure}");
                }
                (outcome, expected) => panic!("{figure}: {outcome:?}, not {expected:?}"),
            }
        }
    }
    let json = with_metrics("{ rate: { json: /rate, unit: count } }");
    let metrics = read_ended(json.as_ref(), &kept(7, &cut)).unwrap();
    assert_eq!(metrics.get("rate"), Some(9.0));
    assert!(read_ended(json.as_ref(), &kept(7, &only_later)).is_err());
    // A document among other lines, over several of them.
    let among = "hello\n{\n\"rate\": 9\n}\nbye\n";
    let metrics = read_ended(json.as_ref(), &kept(0, among)).unwrap();
    assert_eq!(metrics.get("rate"), Some(9.0));
}

/// A tool with a metric of each kind.
fn of_all_kinds() -> Box<dyn Tool> {
    with_metrics(
        "{ rate: { regex: '(?<value>[-+0-9.eEinfa]+)', unit: Gbit/s, take: mean },
           json: { json: /a/0, unit: count, optional: true } }",
    )
}

proptest! {
    #[test]
    fn any_output_is_a_figure_or_a_failure(
        stdout in prop::collection::vec(any::<u8>(), 0..200),
        stderr in prop::collection::vec(any::<u8>(), 0..200),
        code in 0..3_i32,
    ) {
        if let Ok(metrics) = read(of_all_kinds().as_ref(), How::Code(code), &stdout, &stderr) {
            prop_assert_eq!(code, 0);
            prop_assert!(metrics.get("rate_bps").unwrap() > 0.0);
            prop_assert!(metrics.iter().all(|(_, value)| value.is_finite()));
        }
    }

    #[test]
    fn any_number_is_finite_or_refused(text in "[-+0-9.einfa]{1,12}") {
        let stdout = format!("{{\"a\": [\"{text}\"]}}\n");
        if let Ok(metrics) = read(of_all_kinds().as_ref(), How::Code(0), stdout.as_bytes(), b"") {
            prop_assert!(metrics.iter().all(|(_, value)| value.is_finite()));
        }
    }

    #[test]
    fn any_pattern_and_pointer_is_read_or_refused(text: String) {
        if let Ok(pattern) = plan::Pattern::new(&text) {
            let _ = pattern.values(&text).count();
        }
        if let Some(pointer) = plan::Pointer::new(&text) {
            let _ = pointer.value_in(&serde_json::json!({ "a": [1] }));
        }
    }
}

/// Runs a shipped plan, but for a second a cell; gives `samples.csv`.
fn run(name: &str, only: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("out");
    let plan = format!("{}/plans/tools/{name}.yaml", env!("CARGO_MANIFEST_DIR"));
    Netplan::in_folder(&folder)
        .args(["run", &plan, "--on", "local", "--only", only])
        .args(["--set", "defaults.duration=1s", "--output", "out"])
        .run()
        .expect(0);
    std::fs::read_to_string(output.join("samples.csv")).unwrap()
}

/// The figures of a column.
fn column(csv: &str, name: &str) -> Vec<f64> {
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let at = reader.headers().unwrap().iter().position(|h| h == name);
    let at = at.unwrap_or_else(|| panic!("no column {name}"));
    let records = reader.records().map(Result::unwrap);
    records.filter_map(|r| r[at].parse().ok()).collect()
}

#[test]
fn qperf_measures_on_the_local_cluster() {
    needs!(local_cluster(), installed(&["qperf"]));
    let only = "size=1024,path=remote-service|hairpin";
    let csv = run("qperf", only);
    let (rates, times) = (column(&csv, "throughput_bps"), column(&csv, "one_way_us"));
    assert_eq!((rates.len(), times.len()), (2, 2));
    assert!(rates.iter().all(|bps| *bps > 1e6), "{rates:?}");
    assert!(times.iter().all(|us| *us > 0.1), "{times:?}");
}

#[test]
fn sockperf_measures_on_the_local_cluster() {
    needs!(local_cluster(), installed(&["sockperf"]));
    let csv = run("sockperf", "tool=sockperf,size=64");
    let (p50, p99) = (
        column(&csv, "latency_us.p50"),
        column(&csv, "latency_us.p99"),
    );
    assert_eq!((p50.len(), p99.len()), (2, 2));
    let ordered = p50
        .iter()
        .zip(&p99)
        .all(|(p50, p99)| 0.0 < *p50 && p50 <= p99);
    assert!(ordered, "{p50:?} {p99:?}");
}

#[test]
fn scripts_measure_on_the_local_cluster() {
    needs!(local_cluster(), installed(&["ping", "python3"]));
    let csv = run("own-script", "test=*");
    assert_eq!(column(&csv, "rtt_us").len(), 2);
    let connections = column(&csv, "connections");
    assert_eq!(connections.len(), 2);
    assert!(connections.iter().all(|count| *count > 1.0));
}

#[test]
fn a_program_that_is_not_there_is_named_with_its_package() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("plan.yaml");
    let plan = "version: 1\n\
        name: p\n\
        workers: { w1: {}, w2: {} }\n\
        paths: [{ name: a, from: w1, to: w2, via: pod_ip }]\n\
        tools:\n\
        \x20 one: { package: no-such, client: { command: [no-such-1] }, metrics: { m: { json: /m, unit: count } } }\n\
        \x20 two: { install: ask Ann, client: { command: [no-such-2] }, metrics: { m: { json: /m, unit: count } } }\n\
        tests: [one: {}, two: {}]\n";
    std::fs::write(&file, plan).unwrap();
    assert!(matches!(load(plan).tests[0].tool, ToolSpec::Declared(_)));
    let doctor = Netplan::in_folder(&folder).args(["doctor", "plan.yaml"]);
    let doctor = doctor.run().expect(1);
    let said = doctor.stdout;
    for words in [
        "one: `no-such-1` is not installed",
        "sudo apt-get install no-such",
        "two: `no-such-2` is not installed",
        "install it: ask Ann",
    ] {
        assert!(said.contains(words), "{said}");
    }
}

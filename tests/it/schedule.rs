//! The matrix of a plan: its order, its ids, and what a selection leaves of it.
#![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::collections::HashSet;
use std::fmt::Write as _;
use std::time::Duration;

use indexmap::IndexMap;
use netplan::catalog::Direction;
use netplan::plan::sweep::Sweep;
use netplan::plan::units;
use netplan::plan::{
    BuiltInUse, Concurrency, Local, Offloads, Order, Path, Placement, Plan, Repeat, Test, Timing,
    ToolSpec, Until, Via,
};
use netplan::schedule::{Cell, Forecast, Param, Params, Schedule, Selection, forecast, slots};
use netplan::tools::{self, Transport};
use proptest::prelude::*;

use crate::made::cells;
use crate::support::snapshots;

pub fn timing(warmup_s: u64, duration_s: u64) -> Timing {
    let s = |s| units::Duration(Duration::from_secs(s));
    Timing {
        duration: s(duration_s),
        warmup: s(warmup_s),
        cooldown: s(0),
        timeout: None,
        retries: 1,
        repeat: Repeat::Times(1),
        intervals: None,
    }
}

pub fn iperf3(protocol: &str) -> BuiltInUse {
    BuiltInUse::new("iperf3", protocol).unwrap()
}

pub fn netperf(test: &str) -> BuiltInUse {
    BuiltInUse::new("netperf", test).unwrap()
}

fn plan(paths: Vec<Path>, tests: Vec<Test>) -> Plan {
    Plan {
        name: "default".to_owned(),
        description: None,
        workers: IndexMap::from(["w1", "w2", "w3"].map(|w| (w.to_owned(), Placement::default()))),
        paths,
        meshes: Vec::new(),
        variants: IndexMap::new(),
        order: Order::Listed,
        seed: None,
        concurrency: netplan::plan::Concurrency::default(),
        tools: indexmap::IndexMap::new(),
        tests,
        local: Local {
            nodes: 2,
            links: netplan::plan::Link::default(),
            offloads: Offloads::Off,
            ..Local::default()
        },
        kubernetes: netplan::plan::Kubernetes::default(),
    }
}

fn path(name: &str, label: &str, from: &str, to: &str, via: Via) -> Path {
    let [name, label, from, to] = [name, label, from, to].map(str::to_owned);
    Path {
        name,
        label,
        from,
        to,
        via,
        family: None,
        variant: 0,
        expect: netplan::plan::Expectations::default(),
    }
}

fn test(name: &str, label: &str, tool: ToolSpec, paths: &[Path]) -> Test {
    Test {
        name: name.to_owned(),
        label: label.to_owned(),
        tool,
        paths: paths.iter().map(|p| p.name.clone()).collect(),
        timing: timing(1, 2),
        together: false,
        load: Vec::new(),
        during: Vec::new(),
        find: None,
        expect: netplan::plan::Expectations::default(),
    }
}

/// The plan that ships, as the language resolves it.
pub fn default_plan() -> Plan {
    use Via::{ClusterIp, PodIp};
    let paths = vec![
        path("same-node-pod", "Same VM using Pod IP", "w1", "w2", PodIp),
        path(
            "same-node-service",
            "Same VM using Virtual IP",
            "w1",
            "w2",
            ClusterIp,
        ),
        path("remote-pod", "Remote VM using Pod IP", "w3", "w2", PodIp),
        path(
            "remote-service",
            "Remote VM using Virtual IP",
            "w3",
            "w2",
            ClusterIp,
        ),
        path(
            "hairpin",
            "Hairpin Pod to own Virtual IP",
            "w2",
            "w2",
            ClusterIp,
        ),
    ];
    let sizes = Sweep::Range {
        from: 96,
        to: 1460,
        step: 64,
    };
    let tcp = iperf3("tcp").with("streams", 8).with("mss", sizes);
    let udp = iperf3("udp");
    let stream = netperf("TCP_STREAM");
    let tests = vec![
        test("iperf3-tcp", "iperf TCP.", ToolSpec::BuiltIn(tcp), &paths),
        test(
            "iperf3-udp",
            "iperf UDP.",
            ToolSpec::BuiltIn(udp),
            &paths[..4],
        ),
        test(
            "netperf-tcp-stream",
            "netperf.",
            ToolSpec::BuiltIn(stream),
            &paths[..4],
        ),
    ];
    plan(paths, tests)
}

fn all(plan: &Plan) -> Schedule {
    Schedule::new(plan, &Selection::all())
}

fn ids(plan: &Plan, schedule: &Schedule) -> Vec<String> {
    cells(plan, schedule)
        .into_iter()
        .map(|cell| cell.id.0)
        .collect()
}

fn labels(plan: &Plan, schedule: &Schedule) -> Vec<String> {
    let rows = schedule.rows.iter();
    rows.map(|row| schedule.label(plan, row)).collect()
}

fn selected(plan: &Plan, only: &str) -> Schedule {
    Schedule::new(plan, &Selection::parse(only, plan).unwrap())
}

#[test]
fn the_default_plan_has_nptests_13_rows_and_118_cells() {
    let plan = default_plan();
    let schedule = all(&plan);
    assert_eq!((schedule.rows.len(), schedule.cells.len()), (13, 118));
    let rows = schedule
        .rows
        .iter()
        .map(|row| format!("{} {}", row.number, schedule.label(&plan, row)))
        .collect::<Vec<_>>()
        .join("\n");
    let ids = ids(&plan, &schedule).join("\n");
    snapshots().bind(|| insta::assert_snapshot!("schedule_default", format!("{rows}\n\n{ids}")));
}

#[test]
fn the_default_plans_command_lines_are_those_that_run() {
    let plan = default_plan();
    let schedule = all(&plan);
    let mut text = String::new();
    let mut last = None;
    for cell in tools::commands(&plan, &schedule) {
        // The first cell of each row shows the row.
        if last.replace(cell.row.number) == Some(cell.row.number) {
            continue;
        }
        let _ = writeln!(text, "{}", cell.id.0);
        let _ = writeln!(text, "  server: {}", cell.server.argv.join(" "));
        if !cell.client.warmup_argv.is_empty() {
            let _ = writeln!(text, "  warmup: {}", cell.client.warmup_argv.join(" "));
        }
        let _ = writeln!(text, "  client: {}", cell.client.argv.join(" "));
    }
    snapshots().bind(|| insta::assert_snapshot!("schedule_default_commands", text));
}

#[test]
fn swept_parameters_other_than_the_size_make_rows() {
    let mut plan = default_plan();
    let tool = iperf3("tcp")
        .with("streams", Sweep::List(vec![1, 4]))
        .with("mss", Sweep::List(vec![96, 608]))
        .with("write_size", 4096);
    let paths = plan.paths[..1].to_vec();
    plan.tests = vec![test("t", "T.", ToolSpec::BuiltIn(tool), &paths)];
    let schedule = all(&plan);
    assert_eq!(
        labels(&plan, &schedule),
        [
            "T. Same VM using Pod IP streams=1",
            "T. Same VM using Pod IP streams=4"
        ]
    );
    assert_eq!(
        ids(&plan, &schedule),
        [
            "t/same-node-pod/streams=1,mss=96",
            "t/same-node-pod/streams=1,mss=608",
            "t/same-node-pod/streams=4,mss=96",
            "t/same-node-pod/streams=4,mss=608",
        ]
    );
    assert_eq!(
        schedule.params(&schedule.cells[3]).0,
        [
            (Param::Streams, 4),
            (Param::WriteSize, 4096),
            (Param::Mss, 608)
        ]
    );
}

#[test]
fn a_slot_counts_the_paths_to_one_destination() {
    let mut plan = default_plan();
    plan.paths[1].to = "w1".to_owned();
    assert_eq!(slots(&plan), [0, 0, 1, 2, 3]);
}

#[test]
fn a_worker_needs_the_ports_of_all_tests_that_reach_it() {
    let plan = default_plan();
    let ports = tools::Ports::for_plan(&plan);
    let ports = |worker| {
        ports
            .worker(worker)
            .iter()
            .map(|port| match port.transport {
                Transport::Tcp => format!("{}/TCP", port.number),
                Transport::Udp => format!("{}/UDP", port.number),
            })
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(
        ports("w2"),
        "5201/TCP 5201/UDP 12865/TCP 12866/TCP 12866/UDP 12867/TCP 12867/UDP 12868/TCP 12868/UDP \
         12869/TCP 12869/UDP"
    );
    assert_eq!(ports("w1"), "");
}

#[test]
fn a_selection_picks_by_any_word_of_a_cell() {
    let plan = default_plan();
    for (only, cells) in [
        ("", 118),
        ("tool=iperf3", 114),
        ("tool=iperf3,path=hairpin", 22),
        ("protocol=tcp", 114),
        ("protocol=udp", 4),
        ("path=remote-*", 48),
        ("path=*-pod|hairpin, mss=96", 3),
        ("test=*udp", 4),
        ("via=cluster_ip", 66 + 4),
        ("from=w2", 22),
        ("to=w2", 118),
        ("mss=96..608", 45),
        ("mss=96..608,mss=608|672", 5),
        ("streams=8", 110),
        ("datagram=1460", 4),
    ] {
        assert_eq!(selected(&plan, only).cells.len(), cells, "{only}");
    }
    let hairpin = selected(&plan, "path=hairpin,mss=96");
    assert_eq!(ids(&plan, &hairpin), ["iperf3-tcp/hairpin/mss=96"]);
    assert_eq!(hairpin.rows[0].number, 5, "a row keeps its number");
}

#[test]
fn a_selection_takes_a_value_as_the_plan_writes_it() {
    let mut plan = default_plan();
    let rates = Sweep::List(vec![100_000_000, 1_000_000_000]);
    let tool = iperf3("udp").with("rate", rates);
    let paths = plan.paths[..1].to_vec();
    plan.tests = vec![test("t", "T.", ToolSpec::BuiltIn(tool), &paths)];
    assert_eq!(
        ids(&plan, &selected(&plan, "rate=100mbit/s")),
        ["t/same-node-pod/rate=100000000"]
    );
    assert_eq!(
        ids(&plan, &selected(&plan, "rate=1000000000")),
        ["t/same-node-pod/rate=1000000000"]
    );
}

#[test]
fn directions_are_cells_by_their_words() {
    let mut plan = default_plan();
    let numbers = Direction::ALL.map(Direction::number).to_vec();
    let paths = plan.paths[..1].to_vec();
    let with = |directions| {
        let tool = iperf3("tcp")
            .with("direction", directions)
            .with("mss", Sweep::List(vec![96, 608]));
        vec![test("t", "T.", ToolSpec::BuiltIn(tool), &paths)]
    };
    plan.tests = with(Sweep::List(numbers));
    let head = "t/same-node-pod/direction=";
    let cells = [
        "forward,mss=96",
        "forward,mss=608",
        "reverse,mss=96",
        "reverse,mss=608",
        "both,mss=96",
        "both,mss=608",
    ];
    assert_eq!(
        ids(&plan, &all(&plan)),
        cells.map(|cell| format!("{head}{cell}"))
    );
    assert!(labels(&plan, &all(&plan))[1].ends_with(" direction=reverse"));
    assert_eq!(
        ids(&plan, &selected(&plan, "direction=both|forward,mss=96")),
        ["forward,mss=96", "both,mss=96"].map(|cell| format!("{head}{cell}"))
    );
    // One direction is no sweep: the cells keep their ids.
    plan.tests = with(Sweep::One(Direction::Reverse.number()));
    assert_eq!(
        ids(&plan, &all(&plan)),
        ["mss=96", "mss=608"].map(|cell| format!("t/same-node-pod/{cell}"))
    );
}

#[test]
fn a_wrong_selection_says_what_would_be_right() {
    let plan = default_plan();
    let mut text = String::new();
    for only in [
        "tol=iperf3",
        "tool=iperf",
        "path=hairpn",
        "path=same-*,path=*-x",
        "mss=97",
        "mss=1..95",
        "request=1",
        "tool",
        "tool=",
        "tool=iperf3,,path=hairpin",
        "tool=netperf,path=hairpin",
        "tool=netperf,mss=96",
        "zzz=1",
        ",",
    ] {
        let error = Selection::parse(only, &plan).unwrap_err();
        let _ = writeln!(text, "--only '{only}'\n{error}\n");
    }
    snapshots().bind(|| insta::assert_snapshot!("selection_errors", text));
}

#[test]
fn the_forecast_adds_up_what_each_sample_takes() {
    let mut plan = default_plan();
    let schedule = all(&plan);
    let ms = Duration::from_millis;
    let exactly = |ms| Forecast {
        least: Duration::from_millis(ms),
        most: Duration::from_millis(ms),
    };
    assert_eq!(forecast(&plan, &schedule, |_| ms(10)), exactly(118 * 3010));
    assert_eq!(tools::forecast(&plan, &schedule), exactly(118 * 3030));
    plan.tests[2].timing.repeat = Repeat::Times(3);
    plan.tests[2].timing.cooldown = units::Duration(ms(500));
    assert_eq!(
        forecast(&plan, &schedule, |_| ms(10)),
        exactly(114 * 3010 + 12 * 3510)
    );
}

#[test]
fn the_forecast_of_what_is_not_fixed_has_bounds() {
    let mut plan = default_plan();
    for test in &mut plan.tests {
        test.timing.repeat = Repeat::Until(Until {
            min: 3,
            max: 20,
            until: units::Percent(2.0).into(),
        });
    }
    let schedule = all(&plan);
    let ms = Duration::from_millis;
    let one = |_: &Test| ms(0);
    let bounds = forecast(&plan, &schedule, one);
    assert_eq!(bounds.least, ms(118 * 3 * 3000));
    assert_eq!(bounds.most, ms(118 * 20 * 3000));
    // All cells have w2 at one end, so nothing can run side by side; without hairpins and the
    // third worker there is only one pair.
    plan.concurrency = Concurrency::DisjointNodes;
    assert_eq!(forecast(&plan, &schedule, one), bounds);
    let (w1, w2, w3) = ("w1", "w2", "w3");
    for (path, (from, to)) in plan.paths.iter_mut().zip([(w1, w1), (w2, w2), (w3, w3)]) {
        path.from = from.to_owned();
        path.to = to.to_owned();
    }
    plan.paths.truncate(3);
    for test in &mut plan.tests {
        test.paths
            .retain(|name| plan.paths.iter().any(|path| path.name == *name));
    }
    let schedule = all(&plan);
    let cells = u32::try_from(schedule.cells.len()).unwrap();
    assert_eq!(cells % 3, 0);
    assert_eq!(
        forecast(&plan, &schedule, one).least,
        ms(3 * 3000) * (cells / 3)
    );
}

#[test]
fn a_deadline_is_the_plans_or_leaves_room_for_what_the_tool_adds() {
    let s = Duration::from_secs;
    let iperf3 = tools::from_spec(&ToolSpec::BuiltIn(iperf3("tcp")));
    let crr = tools::from_spec(&ToolSpec::BuiltIn(netperf("TCP_CRR")));
    assert_eq!(tools::deadline(iperf3.as_ref(), &timing(1, 2)), s(13));
    assert_eq!(tools::deadline(crr.as_ref(), &timing(0, 2)), s(16));
    assert_eq!(
        tools::deadline(crr.as_ref(), &timing(1, 2)),
        s(21),
        "two invocations"
    );
    let own = Timing {
        timeout: Some(units::Duration(s(5))),
        ..timing(1, 2)
    };
    assert_eq!(tools::deadline(crr.as_ref(), &own), s(5));
}

#[test]
fn a_million_cells_are_expanded_with_ids_of_their_own() {
    let mut plan = default_plan();
    let to = |from, to| Sweep::Range { from, to, step: 1 };
    let tool = iperf3("tcp")
        .with("streams", to(1, 125))
        .with("mss", to(88, 8087));
    let paths = plan.paths[..1].to_vec();
    plan.tests = vec![test("t", "T.", ToolSpec::BuiltIn(tool), &paths)];
    let schedule = all(&plan);
    assert_eq!(schedule.cells.len(), 1_000_000);
    assert_eq!(schedule.rows.len(), 125);
    let ids: HashSet<String> = ids(&plan, &schedule).into_iter().step_by(997).collect();
    assert_eq!(ids.len(), 1_000_000_usize.div_ceil(997));
    assert!(size_of::<Cell>() <= 24 && size_of::<netplan::schedule::Row>() <= 40);
    assert_eq!(schedule.cells.capacity(), schedule.cells.len());
}

fn sweeps(most: usize) -> impl Strategy<Value = Option<Sweep<u64>>> {
    let list = proptest::collection::vec(88u64..9000, 1..=most).prop_map(Sweep::List);
    let range = (88u64..200, 200u64..600, 50u64..300).prop_map(|(from, to, step)| Sweep::Range {
        from,
        to,
        step,
    });
    proptest::option::of(prop_oneof![(1u64..9000).prop_map(Sweep::One), list, range])
}

fn tools_of_all_kinds() -> impl Strategy<Value = ToolSpec> {
    let set = |used: BuiltInUse, option, values: Option<Sweep<u64>>| match values {
        Some(values) => used.with(option, values),
        None => used,
    };
    let iperf3s = (any::<bool>(), sweeps(3), sweeps(3), sweeps(3), sweeps(3)).prop_map(
        move |(udp, streams, mss, datagram, write_size)| {
            let used = iperf3(if udp { "udp" } else { "tcp" });
            let used = set(used, "streams", streams);
            let used = set(used, "mss", mss);
            let used = set(used, "datagram", datagram);
            ToolSpec::BuiltIn(set(used, "write_size", write_size))
        },
    );
    let netperfs = (sweeps(3), sweeps(3), sweeps(3)).prop_map(move |(mss, request, response)| {
        let used = set(netperf("TCP_RR"), "mss", mss);
        let used = set(used, "request", request);
        ToolSpec::BuiltIn(set(used, "response", response))
    });
    prop_oneof![iperf3s, netperfs]
}

fn plans() -> impl Strategy<Value = Plan> {
    let tests = (
        tools_of_all_kinds(),
        proptest::sample::subsequence(vec![4, 2, 0, 1, 3], 1..=5),
    );
    proptest::collection::vec(tests, 1..4).prop_map(|tests| {
        let mut plan = default_plan();
        plan.tests = tests
            .into_iter()
            .enumerate()
            .map(|(n, (tool, paths))| {
                let paths: Vec<Path> = paths
                    .iter()
                    .map(|p: &usize| plan.paths[*p].clone())
                    .collect();
                test(&format!("t{n}"), "T.", tool, &paths)
            })
            .collect();
        plan
    })
}

fn selections() -> impl Strategy<Value = String> {
    let term = prop_oneof![
        Just("tool=iperf3"),
        Just("tool=netperf|iperf3"),
        Just("test=t1"),
        Just("path=remote-*|hairpin"),
        Just("via=pod_ip"),
        Just("from=w3"),
        Just("protocol=tcp"),
        Just("mss=88..1000"),
        Just("streams=1|100..400"),
        Just("request=1..5000"),
    ];
    proptest::collection::vec(term, 1..4).prop_map(|terms| terms.join(","))
}

/// The values of a tool's parameters, in the order in which they vary, each once.
fn swept(tool: &ToolSpec) -> Vec<(Param, Vec<u64>)> {
    let all = match tool {
        ToolSpec::BuiltIn(_) => Param::ALL.to_vec(),
        ToolSpec::Declared(used) => used.values.keys().map(|name| Param::named(name)).collect(),
    };
    let all = all.into_iter().map(|param| {
        let mut values: Vec<u64> = Vec::new();
        for value in tool
            .values(param.name())
            .into_iter()
            .flat_map(Sweep::values)
        {
            if !values.contains(&value) {
                values.push(value);
            }
        }
        (param, values)
    });
    all.filter(|(_, v)| !v.is_empty()).collect()
}

/// Test, path and parameters of every cell, the plain way.
fn product(plan: &Plan) -> Vec<(String, String, Params)> {
    let mut cells = Vec::new();
    for test in &plan.tests {
        for path in &test.paths {
            let mut points = vec![Vec::new()];
            for (param, values) in swept(&test.tool) {
                points = points
                    .iter()
                    .flat_map(|point| {
                        let with = |value: &u64| [&point[..], &[(param, *value)]].concat();
                        values.iter().map(with).collect::<Vec<_>>()
                    })
                    .collect();
            }
            let cell = |point| (test.name.clone(), path.clone(), Params(point));
            cells.extend(points.into_iter().map(cell));
        }
    }
    cells
}

proptest! {
    #[test]
    fn every_plan_expands_to_its_product_in_one_order(plan in plans()) {
        let schedule = all(&plan);
        prop_assert_eq!(&schedule, &all(&plan));
        let cells: Vec<(String, String, Params)> = schedule
            .cells
            .iter()
            .map(|cell| {
                let row = &schedule.rows[cell.row];
                let (test, path) = (&plan.tests[row.test], &plan.paths[row.path]);
                (test.name.clone(), path.name.clone(), schedule.params(cell))
            })
            .collect();
        prop_assert_eq!(cells, product(&plan));
        let unique: HashSet<String> = ids(&plan, &schedule).into_iter().collect();
        prop_assert_eq!(unique.len(), schedule.cells.len());
        // Rows and their cells are in order, and every row has a cell.
        let rows: Vec<usize> = schedule.cells.iter().map(|cell| cell.row).collect();
        prop_assert!(rows.is_sorted_by(|a, b| b - a <= 1));
        prop_assert_eq!(rows.last().map(|row| row + 1), Some(schedule.rows.len()));
        let numbers: Vec<usize> = schedule.rows.iter().map(|row| row.number).collect();
        prop_assert_eq!(numbers, (1..=schedule.rows.len()).collect::<Vec<_>>());
        // Within a row nothing but the size varies.
        let named = crate::made::cells(&plan, &schedule);
        for pair in named.windows(2).filter(|pair| pair[0].row == pair[1].row) {
            let (a, b) = (&pair[0].params.0, &pair[1].params.0);
            prop_assert_eq!(&a[..a.len() - 1], &b[..b.len() - 1]);
            prop_assert_ne!(pair[0].params.size(), pair[1].params.size());
        }
        for cell in tools::commands(&plan, &schedule) {
            prop_assert!(cell.client.argv.iter().all(|arg| !arg.is_empty()));
        }
    }

    #[test]
    fn a_selection_leaves_a_subsequence(plan in plans(), only in selections()) {
        let everything = all(&plan);
        let Ok(only) = Selection::parse(&only, &plan) else { return Ok(()) };
        let some = Schedule::new(&plan, &only);
        prop_assert!(!some.cells.is_empty(), "what selects nothing is refused");
        let everywhere = cells(&plan, &everything);
        let mut rest = everywhere.iter();
        for cell in &cells(&plan, &some) {
            let same = rest.find(|other| other.id == cell.id);
            prop_assert!(same.is_some(), "{} is out of order", cell.id.0);
            let row = &everything.rows[same.unwrap().row];
            prop_assert_eq!(&some.rows[cell.row], row);
        }
        // What it left out, it refuses: selecting the same again changes nothing.
        prop_assert_eq!(Schedule::new(&plan, &only), some);
    }

    #[test]
    fn any_text_is_a_selection_or_an_error(text in "\\PC{0,40}") {
        let _ = Selection::parse(&text, &default_plan());
    }
}

//! Results of other programs become runs: nptest's CSV, and folders of iperf3's documents.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use jiff::Timestamp;
use netplan::import::nptest;
use netplan::output::csv::nptest::{self as nptest_csv, Dialect};
use netplan::report::{CellState, Report};
use netplan::results::{MachineKey, RunDir, journal};
use netplan::tools::{Cause, name};
use proptest::prelude::*;
use serde_json::Value;

use crate::support::{Netplan, ROOT, snapshots};

const SAMPLE: &str = include_str!("../data/nptest-sample.csv");

fn read(dir: &Path) -> Report {
    let run = RunDir::open(dir).unwrap();
    let report = Report::read(journal::Reader::open(run.path()).unwrap()).unwrap();
    report.on(run.environment().unwrap().cluster)
}

/// Received Mbit/s by cell.
fn rates_of(report: &Report) -> BTreeMap<String, f64> {
    let measured = report.cells.iter().filter_map(|cell| {
        let rate = cell.samples.first()?.metrics.get(name::THROUGHPUT_BPS)?;
        Some((cell.id.0.clone(), rate / 1e6))
    });
    measured.collect()
}

#[test]
fn nptests_csv_comes_back_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    let fork = SAMPLE.replace(',', ";") + "END CSV DATA\n";
    let log = format!("worker 1 registered\n{SAMPLE}END CSV DATA\nbye\n");
    for (file, text) in [("a.csv", SAMPLE), ("fork.csv", &fork), ("log.txt", &log)] {
        fs::write(folder.path().join(file), text).unwrap();
        for (format, expected) in [("csv", SAMPLE), ("csv-fork", &fork)] {
            let netplan = Netplan::in_folder(&folder);
            let ended = netplan.args(["report", file, "--format", format]).run();
            // Two of its cells failed.
            assert_eq!(ended.expect(3).stdout, expected, "{file} as {format}");
        }
    }
    let netplan = Netplan::in_folder(&folder);
    let stored = netplan
        .args(["import", "a.csv", "--output", "run"])
        .run()
        .expect(0);
    assert_eq!(stored.stdout, "run\n");
    let written = fs::read_to_string(folder.path().join("run/result.csv")).unwrap();
    assert_eq!(written, SAMPLE);
    let reports = ["run", "a.csv"].map(|of| {
        let netplan = Netplan::in_folder(&folder);
        netplan.args(["report", of]).run().expect(3).stdout
    });
    assert_eq!(reports[0], reports[1]);
}

#[test]
fn an_imported_table_reads_like_a_run() {
    let at: Timestamp = "2026-11-22T19:00:00Z".parse().unwrap();
    let imported = nptest::run("sample", &nptest::read(SAMPLE), at).unwrap();
    assert_eq!(imported.left_out, []);
    let report = Report::from_events(&imported.run.events).unwrap();
    let table = crate::made::table(&report, 100, false);
    snapshots().bind(|| insta::assert_snapshot!("imported-nptest", table));
    let failed = report.cells.iter().filter_map(|cell| match &cell.state {
        CellState::Failed(failure) => Some((failure.cause, &*failure.words)),
        _ => None,
    });
    let recorded = (Cause::RecordedAsFailure, "0.00");
    assert_eq!(failed.collect::<Vec<_>>(), [recorded, recorded]);
    // Its cells have the ids of the default plan's.
    let first = &report.cells[0].id.0;
    assert_eq!(first, "iperf3-tcp/same-node-pod/mss=96");
}

/// Labels of nptest's rows, as its versions write them.
const PATHS: [&str; 5] = [
    "Same VM using Pod IP",
    "Same VM using Virtual IP",
    "Remote VM using Pod IP",
    "Remote VM using Virtual IP",
    "Hairpin Pod to own Virtual IP",
];

/// A table as nptest prints it: values by test and path.
fn table(columns: &[u64], rows: &[(&str, usize, Vec<String>)]) -> String {
    let mut text = format!("{:<45}, Maximum,", "MSS");
    for column in columns {
        let _ = write!(text, " {column},");
    }
    text.push('\n');
    for (number, (test, path, values)) in (1..).zip(rows) {
        let label = format!("{number} {test} {}", PATHS[*path]);
        let numbers = values.iter().filter_map(|value| value.parse().ok());
        let maximum = numbers.map(|value: f64| value.max(0.0)).reduce(f64::max);
        let maximum = maximum.map_or_else(String::new, |maximum| format!("{maximum:.6}"));
        let _ = writeln!(text, "{label:<45},{maximum},{},", values.join(","));
    }
    text
}

fn tables() -> impl Strategy<Value = String> {
    let columns = prop::collection::btree_set(88..=9216_u64, 2..30);
    let tcp_value = || prop_oneof![9 => (100..100_000_u32).prop_map(|n| n.to_string()), 1 => Just("0".to_owned()), 1 => Just("-1".to_owned()), 1 => Just(String::new())];
    let two_decimals = || prop_oneof![9 => (1..9_000_000_u32).prop_map(|n| format!("{}.{:02}", n / 100, n % 100)), 1 => Just("0.00".to_owned())];
    let paths = || prop::sample::subsequence((0..5_usize).collect::<Vec<_>>(), 0..=5);
    (columns, paths(), paths(), paths()).prop_flat_map(move |(columns, tcp, udp, netperf)| {
        let count = columns.len();
        let of = |test: &'static str, paths: Vec<usize>, values: BoxedStrategy<Vec<String>>| {
            let rows = paths
                .into_iter()
                .map(move |path| (Just(test), Just(path), values.clone()));
            rows.collect::<Vec<_>>()
        };
        let mut rows = of(
            "iperf TCP.",
            tcp,
            prop::collection::vec(tcp_value(), count).boxed(),
        );
        rows.extend(of(
            "iperf UDP.",
            udp,
            prop::collection::vec(tcp_value(), 1).boxed(),
        ));
        rows.extend(of(
            "netperf.",
            netperf,
            prop::collection::vec(two_decimals(), 1).boxed(),
        ));
        let columns: Vec<u64> = columns.into_iter().collect();
        rows.prop_map(move |rows| table(&columns, &rows))
    })
}

proptest! {
    /// Whatever the columns, the rows and the failures.
    #[test]
    fn any_table_of_nptest_comes_back(text in tables(), is_fork: bool) {
        prop_assume!(text.contains("iperf TCP."));
        let (text, dialect) = if is_fork {
            (text.replace(',', ";") + "END CSV DATA\n", Dialect::Fork)
        } else {
            (text, Dialect::Nptest)
        };
        let imported = nptest::run("t", &nptest::read(&text), Timestamp::UNIX_EPOCH).unwrap();
        prop_assert_eq!(&imported.left_out, &vec![]);
        let report = Report::from_events(&imported.run.events).unwrap();
        prop_assert_eq!(nptest_csv::render(&report, dialect), text);
        prop_assert!(report.is_complete());
    }
}

/// Newer versions of nptest take the header from any row, here from one of qperf, or write none.
#[test]
fn a_header_of_another_tool_does_not_name_the_mss() {
    let sizes: Vec<u64> = (0..17).map(|power| 1 << power).collect();
    let latency = vec!["(bw = 1.2 GB/sec; latency = 10.3 us)".to_owned(); sizes.len()];
    let rates: Vec<String> = (1..=22).map(|n| (n * 1000).to_string()).collect();
    let rows = [("qperf TCP.", 0, latency), ("iperf TCP.", 0, rates)];
    let other = table(&sizes, &rows);
    let none = other.split_once('\n').unwrap().1;
    for text in [&*other, none] {
        let imported = nptest::run("new", &nptest::read(text), Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(imported.left_out.len(), 1);
        let report = Report::from_events(&imported.run.events).unwrap();
        let rates = rates_of(&report);
        assert_eq!(rates.len(), 22);
        let rate = |mss| {
            format!(
                "{:.0}",
                rates[&format!("iperf3-tcp/same-node-pod/mss={mss}")]
            )
        };
        assert_eq!([rate(96), rate(1440)], ["1000", "22000"]);
    }
}

#[test]
fn a_value_whose_mss_is_not_known_is_not_imported() {
    let values = |count: usize| [("iperf TCP.", 0, vec!["1".to_owned(); count])];
    let with = |columns: &[u64], count| table(columns, &values(count));
    let (_, headless) = with(&[], 3)
        .split_once('\n')
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .unwrap();
    // A header of the right length that has another tool's sizes is not taken for nptest's own sweep.
    let wrong: Vec<u64> = (1..=22).collect();
    for (text, what) in [
        (
            with(&[96, 352], 3),
            "it has 3 values, and the header has 2 sizes",
        ),
        (
            with(&[96, 352, 60_000], 3),
            "the header has the MSS `60000`, and netplan has 88 to 9216",
        ),
        (
            with(&[60_000, 352, 96], 3),
            "the header has the MSS `60000`",
        ),
        (with(&wrong, 22), "the header has the MSS `1`"),
        (
            headless,
            "it has 3 values, nptest measures 22 sizes, and there is no header",
        ),
    ] {
        let run = nptest::run("t", &nptest::read(&text), Timestamp::UNIX_EPOCH);
        let problem = run.unwrap_err().to_string();
        assert!(
            problem.contains(what) && problem.contains("Same VM using Pod IP"),
            "{problem}"
        );
    }
    // Spreadsheets begin a file with a byte order mark.
    let marked = nptest::read(&format!("\u{feff}{SAMPLE}"));
    let imported = nptest::run("t", &marked, Timestamp::UNIX_EPOCH).unwrap();
    let report = Report::from_events(&imported.run.events).unwrap();
    assert_eq!(nptest_csv::render(&report, Dialect::Nptest), SAMPLE);
}

/// Every night's table has the same file name.
#[test]
fn an_id_is_of_a_content() {
    let id = |name: &str, text: &str| {
        let run = nptest::run(name, &nptest::read(text), Timestamp::UNIX_EPOCH).unwrap();
        Report::from_events(&run.run.events).unwrap().run
    };
    let one = id("net perf", SAMPLE);
    assert_eq!(one, id("net perf", SAMPLE));
    assert_ne!(one, id("net perf", &SAMPLE.replace("33835", "33836")));
    assert!(one.starts_with("net-perf-"), "{one}");
    assert!(id(&"x".repeat(99), SAMPLE).len() <= 63);
}

#[test]
fn each_run_has_a_directory_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    };
    let document = recorded("iperf3-3.22/tcp-ok-remote-pod.json");
    write("x/a.csv", SAMPLE.as_bytes());
    write("y/a.csv", SAMPLE.as_bytes());
    write("r/x.-a.json", &document);
    write("r/x_-a.json", &document);
    for (arguments, what) in [
        (
            &["x/a.csv", "y/a.csv"][..],
            "`x/a.csv` and `y/a.csv` would both be `o/a`",
        ),
        (
            &["r", "--pattern", "x{run}-{cell}.json"],
            "two runs of `r` would both be `o/_`",
        ),
    ] {
        let netplan = Netplan::in_folder(&folder).args(["import", "--output", "o"]);
        netplan.args(arguments).run().expect(2).says(what);
        // Nothing is stored of what cannot be stored as a whole.
        assert!(!folder.path().join("o").exists());
    }
}

#[test]
fn two_documents_that_failed_are_two_tests() {
    let folder = tempfile::tempdir().unwrap();
    for (file, document) in [
        (
            "1/a-one.json",
            recorded("iperf3-3.22/tcp-ok-remote-pod.json"),
        ),
        (
            "1/a-two.json",
            recorded("iperf3-3.22/udp-ok-len64-unlimited.json"),
        ),
        ("2/a-one.json", Vec::new()),
        ("2/a-two.json", Vec::new()),
    ] {
        let path = folder.path().join("r").join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, document).unwrap();
    }
    let netplan = Netplan::in_folder(&folder).args(["import", "r", "--output", "out"]);
    let pattern = ["--pattern", "{run}/{cell}-*.json"];
    netplan.args(pattern).run().expect(0);
    let failed = read(&folder.path().join("out/2")).counts().failed;
    assert_eq!(failed, 2);
}

/// The published means of `tests/data/cni-2024`, received Mbit/s (README of its source's data).
const PUBLISHED: [(&str, &str, [f64; 2]); 6] = [
    ("calico", "iperf3-tcp/dts", [19277.8, 19607.8]),
    ("calico", "iperf3-tcp/sts", [21594.8, 20908.0]),
    ("calico", "iperf3-udp/dus", [7311.9, 7908.9]),
    ("kubeovn", "iperf3-tcp/dts", [11076.4, 11025.9]),
    ("kubeovn", "iperf3-tcp/sts", [9100.3, 10598.5]),
    ("kubeovn", "iperf3-udp/dus", [7223.3, 7219.7]),
];

#[test]
fn a_folder_of_documents_becomes_a_run_for_each_column_and_run() {
    let folder = tempfile::tempdir().unwrap();
    let data = format!("{ROOT}/tests/data/cni-2024");
    let netplan = Netplan::in_folder(&folder);
    let pattern = "{column}/{run}/{cell}.json.gz";
    let arguments = ["import", &data, "--output", "out", "--pattern", pattern];
    let ended = netplan.args(arguments).run().expect(0);
    assert_eq!(
        ended.stdout,
        "out/calico/1\nout/calico/2\nout/kubeovn/1\nout/kubeovn/2\n"
    );

    for (column, cell, means) in PUBLISHED {
        for (run, published) in ["1", "2"].into_iter().zip(means) {
            let report = read(&folder.path().join("out").join(column).join(run));
            let measured = rates_of(&report)[cell];
            let off = (measured / published - 1.0).abs();
            assert!(
                off < 1e-4,
                "{column}/{run} {cell}: {measured} and {published}"
            );
        }
    }

    let [calico, kubeovn] =
        ["calico/1", "kubeovn/1"].map(|run| read(&folder.path().join("out").join(run)));
    let ids = |report: &Report| {
        report
            .cells
            .iter()
            .map(|cell| cell.id.0.clone())
            .collect::<Vec<_>>()
    };
    // All runs have the same cells; what one does not have is skipped.
    assert_eq!(ids(&calico), ids(&kubeovn));
    let state = |report: &Report| {
        let cell = report
            .cells
            .iter()
            .find(|cell| cell.id.0 == "iperf3-tcp-8-streams/dtm");
        cell.unwrap().state.clone()
    };
    assert_eq!(state(&calico), CellState::Measured);
    assert!(matches!(state(&kubeovn), CellState::Skipped(_)));
    // The options are those of the documents. iperf3 took the datagrams' size from the MTU.
    let plan = fs::read_to_string(folder.path().join("out/kubeovn/1/plan.yaml")).unwrap();
    assert!(
        plan.contains("datagram: 8848") && plan.contains("duration: 60s"),
        "{plan}"
    );
    let environment = fs::read_to_string(folder.path().join("out/kubeovn/1/environment.json"));
    let environment: Value = serde_json::from_str(&environment.unwrap()).unwrap();
    assert_eq!(environment["cluster"]["kind"], "imported");
    assert_eq!(environment["cluster"]["description"]["column"], "kubeovn");
    let client = &environment["workers"]["client"];
    assert_eq!(client["environment"]["kernel"], "5.15.0-100-generic");
    assert_eq!(client["environment"]["cpu"], "");
    // The node of the other end is not known.
    let machine = MachineKey::from_environment(&kubeovn.environment);
    assert_eq!(
        (machine.nodes, machine.cluster.as_deref()),
        (None, Some("imported"))
    );
    let times = kubeovn.span.unwrap().0.to_string();
    assert!(times.starts_with("2024-03-"), "{times}");
    // The documents are kept as they are.
    let kept = fs::read(
        folder
            .path()
            .join("out/kubeovn/1/raw/iperf3-tcp_dts.1.json.gz"),
    );
    assert_eq!(
        kept.unwrap(),
        fs::read(format!("{data}/kubeovn/1/dts.json.gz")).unwrap()
    );

    let mut table = Netplan::in_folder(&folder)
        .args(["report", "out/kubeovn/1"])
        .run()
        .expect(0)
        .stdout;
    table = table.replace(env!("CARGO_PKG_VERSION"), "VERSION");
    snapshots().bind(|| insta::assert_snapshot!("imported-iperf3", table));

    // A run is not overwritten.
    Netplan::in_folder(&folder)
        .args(arguments)
        .run()
        .expect(2)
        .says("already holds a run");
    let plan = folder.path().join("out/calico/1/plan.yaml");
    Netplan::in_folder(&folder)
        .args(["check".as_ref(), plan.as_os_str()])
        .run()
        .expect(0);
}

/// A column is configuration, and the machines are one: verdicts are given.
#[test]
fn imported_columns_are_compared() {
    let folder = tempfile::tempdir().unwrap();
    let data = format!("{ROOT}/tests/data/cni-2024");
    let netplan = Netplan::in_folder(&folder);
    netplan
        .args(["import", &data, "--output", "out"])
        .run()
        .expect(0);
    let netplan = Netplan::in_folder(&folder);
    let arguments = [
        "compare",
        "out/calico",
        "out/kubeovn",
        "--format",
        "json",
        "--fail-on",
        "5%",
    ];
    // 19 Gbit/s and 11 Gbit/s, two runs a side; and a cell that only one side has.
    let ended = netplan.args(arguments).run();
    let compared: Value = serde_json::from_str(&ended.stdout).unwrap();
    let text = compared.to_string();
    assert!(
        text.contains("column") && text.contains("kubeovn"),
        "{text}"
    );
    assert!(text.contains("iperf3-tcp-8-streams/dtm"), "{text}");
    assert!(matches!(ended.code, Some(3 | 4)), "{}", ended.said());
    // A file is a run as well.
    fs::write(folder.path().join("a.csv"), SAMPLE).unwrap();
    let ended = Netplan::in_folder(&folder)
        .args(["compare", "a.csv", "a.csv"])
        .run();
    ended.says("one run a side");
}

fn recorded(name: &str) -> Vec<u8> {
    fs::read(format!("{ROOT}/tests/data/{name}")).unwrap()
}

#[test]
fn failures_are_imported_as_failures_of_their_cells() {
    let folder = tempfile::tempdir().unwrap();
    let results = folder.path().join("results");
    for (file, document) in [
        ("1/tcp.json", recorded("iperf3-3.22/tcp-ok-remote-pod.json")),
        (
            "2/tcp.json",
            recorded("iperf3-3.22/err-connection-refused-pod.json"),
        ),
        (
            "3/tcp.json",
            recorded("iperf3-3.22/tcp-ok-remote-pod.json")[..900].to_vec(),
        ),
        ("4/tcp.json", Vec::new()),
        (
            "1/reverse.json",
            recorded("iperf3-3.22/tcp-ok-reverse.json"),
        ),
        ("1/bytes.json", recorded("iperf3-3.22/tcp-ok-bytes.json")),
    ] {
        let path = results.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, document).unwrap();
    }
    let netplan = Netplan::in_folder(&folder);
    netplan
        .args(["import", "results", "--output", "out"])
        .run()
        .expect(0)
        .says("imported 4 runs");
    let causes = ["1", "2", "3", "4"].map(|run| {
        let report = read(&folder.path().join("out").join(run));
        let cell = report
            .cells
            .iter()
            .find(|cell| cell.id.0 == "iperf3-tcp-2s/tcp")
            .unwrap();
        match &cell.state {
            CellState::Failed(failure) => Some(failure.cause),
            state => {
                assert_eq!(*state, CellState::Measured);
                None
            }
        }
    });
    let unparsable = Some(Cause::Unparsable);
    assert_eq!(causes, [None, Some(Cause::Refused), unparsable, unparsable]);
    let report = read(&folder.path().join("out/1"));
    let cells: Vec<&str> = report.cells.iter().map(|cell| &*cell.id.0).collect();
    assert_eq!(
        cells,
        [
            "iperf3-tcp-1s/bytes",
            "iperf3-tcp-2s/tcp",
            "iperf3-tcp-reverse/reverse-reverse"
        ]
    );
    assert_eq!(report.counts().measured, 3);
    assert!(
        report
            .cells
            .iter()
            .all(|cell| cell.samples.iter().all(|sample| sample.warnings.is_empty()))
    );
    // The server sends: the path goes from it.
    let reverse = report
        .plan
        .paths
        .iter()
        .find(|path| path.label == "reverse reverse")
        .unwrap();
    assert_eq!((&*reverse.from, &*reverse.to), ("server", "client"));
}

#[test]
fn a_size_that_varies_within_a_run_is_a_sweep() {
    let folder = tempfile::tempdir().unwrap();
    for (file, document) in [
        ("r/a-mss96.json", "tcp-ok-mss96.json"),
        ("r/a-again.json", "tcp-ok-mss96.json"),
        ("r/b-64.json", "udp-ok-len64-unlimited.json"),
        ("r/b-1460.json", "udp-ok-unlimited-loss.json"),
    ] {
        fs::create_dir_all(folder.path().join("r")).unwrap();
        fs::write(
            folder.path().join(file),
            recorded(&format!("iperf3-3.22/{document}")),
        )
        .unwrap();
    }
    let netplan = Netplan::in_folder(&folder);
    let arguments = [
        "import",
        "r",
        "--output",
        "out",
        "--pattern",
        "{cell}-*.json",
    ];
    netplan.args(arguments).run().expect(0);
    let report = read(&folder.path().join("out"));
    let cells: Vec<(&str, usize)> = report
        .cells
        .iter()
        .map(|cell| (&*cell.id.0, cell.samples.len()))
        .collect();
    let expected = [
        ("iperf3-tcp/a", 2),
        ("iperf3-udp/b/datagram=64", 1),
        ("iperf3-udp/b/datagram=1460", 1),
    ];
    assert_eq!(cells, expected);
}

/// A document of a test that is longer than those of plans.
fn too_long() -> String {
    let document = recorded("iperf3-3.22/tcp-ok-remote-pod.json");
    let mut document: Value = serde_json::from_slice(&document).unwrap();
    document["start"]["test_start"]["duration"] = 100_000.into();
    document.to_string()
}

/// A pattern may cut `..` out of a file's name.
#[test]
fn no_name_leads_out_of_the_output() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("r")).unwrap();
    let document = recorded("iperf3-3.22/tcp-ok-remote-pod.json");
    fs::write(folder.path().join("r/x..-\u{1b}[2J.json"), document).unwrap();
    let netplan = Netplan::in_folder(&folder);
    let arguments = [
        "import",
        "r",
        "--output",
        "a/out",
        "--pattern",
        "x{column}-{cell}.json",
    ];
    let ended = netplan.args(arguments).run().expect(0);
    assert_eq!(ended.stdout, "a/out/__\n");
    let report = Netplan::in_folder(&folder)
        .args(["report", "a/out/__"])
        .run()
        .expect(0);
    assert!(!report.said().contains('\u{1b}'), "{}", report.said());
    assert_eq!(fs::read_dir(folder.path().join("a")).unwrap().count(), 1);
}

#[test]
fn what_cannot_be_imported_is_said_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    };
    let qperf = "1 qperf TCP. Same VM using Pod IP            ,0.000000,(1.2 Gb/sec; 10 us),\n";
    write("new.csv", (SAMPLE.to_owned() + qperf).as_bytes());
    write("only-qperf.csv", qperf.as_bytes());
    write("text.txt", b"nothing of this kind\n");
    write(
        "mixed/a.json",
        &recorded("iperf3-3.22/tcp-ok-remote-pod.json"),
    );
    write("mixed/b.json", b"{\"a\": 1}");
    write(
        "mixed/server.json",
        &recorded("iperf3-3.22/server-oneoff.json"),
    );
    write(
        "mixed/both.json",
        &recorded("iperf3-3.22/tcp-ok-bidir.json"),
    );
    write("mixed/cut.json.gz", b"\x1f\x8b\x08");
    write("mixed/README.md", b"about");
    write("deep/1/a.json", b"{}");
    write("deep/a.json", b"{}");
    write("empty/README.md", b"about");
    write("stored/events.jsonl", b"");
    write("mixed/long.json", too_long().as_bytes());
    write("empty.csv", b" \n");
    for cell in 0..=500 {
        write(&format!("many/{cell}.json"), b"");
    }
    let import = |arguments: &[&str], code| {
        let netplan = Netplan::in_folder(&folder).args(["import", "--output", "out"]);
        let ended = netplan.args(arguments).run().expect(code);
        let _ = fs::remove_dir_all(folder.path().join("out"));
        ended.stderr
    };
    let mut said = String::new();
    for (arguments, code) in [
        (&["new.csv"][..], 0),
        (&["only-qperf.csv"], 1),
        (&["text.txt"], 1),
        (&["missing"], 2),
        (&["mixed"], 0),
        (&["mixed", "--pattern", "{run}/{cell}"], 2),
        (&["mixed", "--pattern", "{cell}{run}"], 2),
        (&["deep"], 2),
        (&["stored"], 2),
        (&["empty"], 2),
        (&["empty.csv"], 1),
        (&["new.csv", "--pattern", "{cell}.csv"], 2),
        (&["many"], 1),
    ] {
        let _ = writeln!(
            said,
            "$ import {}\n{}",
            arguments.join(" "),
            import(arguments, code)
        );
    }
    snapshots().bind(|| insta::assert_snapshot!("import-problems", said));
}

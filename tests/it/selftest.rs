//! `netplan selftest`, for real on its slowest link.

use tempfile::TempDir;

use crate::support::{Netplan, installed, local_cluster, needs};

fn selftest(folder: &TempDir, arguments: &[&str]) -> Netplan {
    let netplan = Netplan::in_folder(folder).args(["selftest"]);
    netplan.args(arguments)
}

#[test]
fn goodput_over_100_mbit_is_held_against_theory() {
    needs!(local_cluster(), installed(&["iperf3", "tc"]));
    let folder = tempfile::tempdir().unwrap();
    let run = selftest(
        &folder,
        &[
            "--only=100mbit",
            "--set=tests.0.iperf3.mss=1460",
            "--set=tests.0.repeat=1",
            "--set=defaults.duration=1s",
            "--format=json",
            "--output=runs",
        ],
    )
    .run();
    let said = &run.stdout;
    let document: serde_json::Value = serde_json::from_str(said).unwrap();
    let lines = document["lines"].as_array().unwrap();
    assert_eq!(lines.len(), 2, "{said}");
    let theories = [100.0 * 1448.0 / 1514.0, 50.0];
    let mut failed = 0;
    for (line, theory) in lines.iter().zip(theories) {
        assert!(
            (line["theory"].as_f64().unwrap() - theory).abs() < 1e-6,
            "{line}"
        );
        let found = line["found"].as_f64().unwrap();
        // A busy machine falls short of a link's rate, or counts what waited before the second began.
        assert!(found > 0.2 * theory && found < 1.3 * theory, "{line}");
        let off = (found / theory - 1.0).abs();
        let verdict = if off <= 0.01 { "passed" } else { "failed" };
        assert_eq!(line["verdict"], verdict, "{line}");
        failed += i32::from(off > 0.01);
    }
    let expected = if failed > 0 { 4 } else { 0 };
    assert_eq!(run.code, Some(expected), "{said}");
    assert!(folder.path().join("runs/100mbit/events.jsonl").is_file());
}

#[test]
fn gaps_are_held_against_cuts_and_a_capture() {
    needs!(local_cluster(), installed(&["nft"]));
    let folder = tempfile::tempdir().unwrap();
    let entry = |at| format!("{{at: {at}ms, for: 100ms, cut: [node-1, node-2]}}");
    let during = format!("--set=tests.0.during=[{}, {}]", entry(500), entry(1300));
    let arguments = [
        "--only=outages",
        &during,
        "--set=tests.0.duration=3s",
        "--format=json",
        "--output=runs",
    ];
    let run = selftest(&folder, &arguments).run();
    let said = &run.stdout;
    let document: serde_json::Value = serde_json::from_str(said).unwrap();
    let lines = document["lines"].as_array().unwrap();
    assert_eq!(lines.len(), 3, "{said}");
    let mut failed = 0;
    for (line, tolerance_ms) in lines.iter().zip([2.0, 2.0, 7.0]) {
        // How far they are off depends on the machine, but not that each is found.
        let differences = line["differences_ms"].as_array().unwrap();
        assert_eq!(differences.len(), 2, "{line}");
        let differences = differences.iter().map(|ms| ms.as_f64().unwrap());
        let within = differences.filter(|ms| ms.abs() <= tolerance_ms).count();
        let verdict = if within >= 1 { "passed" } else { "failed" };
        assert_eq!(line["verdict"], verdict, "{line}");
        failed += i32::from(within < 1);
    }
    let expected = if failed > 0 { 4 } else { 0 };
    assert_eq!(run.code, Some(expected), "{said}");
}

#[test]
fn an_override_that_fits_no_plan_is_told_before_anything_runs() {
    let folder = tempfile::tempdir().unwrap();
    let run = selftest(&folder, &["--set=defaults.durations=1s"]).run();
    run.expect(2).says("durations");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_missing_tool_is_said_once() {
    let folder = tempfile::tempdir().unwrap();
    // In a mount namespace of its own, where something that is not a program covers the tools.
    let script = "for f in iperf3 netperf netserver; do mount --bind /dev/null $(command -v $f); done \
                  && exec \"$0\" \"$@\"";
    let hidden = ["unshare", "--map-root-user", "--mount", "sh", "-c", script];
    let run = |arguments: &[&str]| selftest(&folder, arguments).started_by(&hidden).run();
    // `outages` needs no tool but netplan's own.
    let needs_tools = [
        "100mbit",
        "1gbit",
        "delay",
        "loss",
        "queue",
        "queue-100mbit",
    ];
    let needs_tools = needs_tools.map(|part| format!("--only={part}"));
    let needs_tools: Vec<&str> = needs_tools.iter().map(String::as_str).collect();
    let all = run(&needs_tools).expect(1);
    assert_eq!(all.stdout, "");
    let said = all.stderr;
    for tool in ["iperf3", "netperf"] {
        let install = format!("apt-get install {tool}");
        assert_eq!(said.matches(&install).count(), 1, "{said}");
    }
    // Programs get a document all the same.
    let json = run(&[needs_tools.as_slice(), &["--format", "json"]].concat()).expect(1);
    let document: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(document["passed"], 0);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

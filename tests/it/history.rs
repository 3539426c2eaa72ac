//! Many runs over time: the program over stored runs, and simulations.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::SignedDuration;
use netplan::diag::Source;
use netplan::history::Acceptances;
use netplan::report::Report;
use netplan::results::journal;
use netplan::results::run_dir::file;
use netplan::results::{Event, EventKind, RunDir, RunSummary};
use netplan::schedule::{Schedule, Selection};
use netplan::tools::{Cause, name};

use crate::history_simulation::{Nights, Noise, false_alarms, steps_found};
use crate::made::{self, End, Fate};
use crate::support::{Ended, Netplan, snapshots};

/// A run of a history.
struct Night<'a> {
    /// Since the first.
    day: i64,
    kernel: &'a str,
    /// Of what the path usually has: its throughput, and the inverse of its latencies.
    factor: &'a dyn Fn(&str) -> f64,
}

/// Figures spread by some 0.3 % from run to run, and every run has other ones.
fn spread(day: i64, path: usize) -> f64 {
    let step = (day * 37 + i64::try_from(path).unwrap() * 11) % 23;
    1.0 + (step - 11) as f64 * 0.0005
}

fn events(night: &Night<'_>) -> Vec<Event> {
    let plan = made::plan(&[made::tcp(512, 1), made::rr(1)]);
    let schedule = Schedule::new(&plan, &Selection::all());
    let mut events = made::events(&plan, &schedule, &End::Complete, |_, _| Fate::Measured);
    for event in &mut events {
        event.at += SignedDuration::from_hours(24 * night.day);
        match &mut event.kind {
            EventKind::RunStarted { run, .. } => *run = format!("run-{:02}", night.day),
            EventKind::WorkerJoined { environment, .. } => {
                night.kernel.clone_into(&mut environment.kernel);
            }
            EventKind::Sample(sample) => {
                let path = sample.cell.0.split('/').nth(1).unwrap().to_owned();
                let at = plan.paths.iter().position(|it| it.name == path).unwrap();
                let factor = (night.factor)(&path) * spread(night.day, at);
                for (metric, divides) in [
                    (name::THROUGHPUT_BPS, false),
                    (name::LATENCY_P50_US, true),
                    (name::LATENCY_P99_US, true),
                ] {
                    if let Some(value) = sample.metrics.get(metric) {
                        let value = if divides {
                            value / factor
                        } else {
                            value * factor
                        };
                        sample.metrics.set(metric, value);
                    }
                }
            }
            _ => {}
        }
    }
    events
}

fn store(folder: &Path, night: &Night<'_>) -> PathBuf {
    store_events(folder, night.day, &events(night))
}

fn store_events(folder: &Path, day: i64, events: &[Event]) -> PathBuf {
    let dir = folder.join(format!("night-{day:02}"));
    fs::create_dir_all(&dir).unwrap();
    let lines = events
        .iter()
        .map(|event| journal::to_line(event).unwrap() + "\n");
    fs::write(dir.join(journal::FILE_NAME), lines.collect::<String>()).unwrap();
    dir
}

const KERNELS: [&str; 2] = ["6.18.44", "6.18.50"];

/// So many nights. `factor` is of a path at a day.
fn nights(folder: &Path, days: i64, factor: impl Fn(i64, &str) -> f64) -> PathBuf {
    let folder = folder.join("netplan-results");
    for day in 0..days {
        let kernel = KERNELS[usize::from(day >= 13)];
        let factor = |path: &str| factor(day, path);
        store(
            &folder,
            &Night {
                day,
                kernel,
                factor: &factor,
            },
        );
    }
    folder
}

/// From the 14th night on, with another kernel, the Services are 8 % slower.
fn slower_services(day: i64, path: &str) -> f64 {
    if day >= 13 && path.ends_with("service") {
        0.92
    } else {
        1.0
    }
}

fn history(folder: &Path, arguments: &[&str]) -> Ended {
    let arguments = ["history"].iter().chain(arguments);
    Netplan::in_folder(folder).args(arguments).run()
}

fn json(ended: &Ended) -> serde_json::Value {
    serde_json::from_str(&ended.stdout).unwrap()
}

#[test]
fn a_slowdown_is_one_finding_in_every_format() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    nights(folder, 20, slower_services);
    snapshots().bind(|| {
        let table = history(folder, &[]).expect(4);
        insta::assert_snapshot!("history_table", table.stdout);
        let markdown = history(folder, &["--format", "markdown"]).expect(4);
        insta::assert_snapshot!("history_markdown", markdown.stdout);
    });
    let page = history(folder, &["--format", "html"]).expect(4).stdout;
    assert!(
        page.contains("slower since run-13") && page.contains("▁▁▁"),
        "{page}"
    );
    let json = json(&history(folder, &["--format", "json"]).expect(4));
    let schema = include_str!("../../docs/history.schema.json");
    let schema = jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap();
    let errors: Vec<String> = schema
        .iter_errors(&json)
        .map(|error| error.to_string())
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
    let findings = json["timelines"][0]["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0]["run"], "run-13");
    assert_eq!(findings[0]["status"], "confirmed");
    assert_eq!(findings[0]["ratios_changed"], true);
}

#[test]
fn an_accepted_change_is_the_new_level() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let runs = nights(folder, 20, slower_services);
    let unknown = ["accept", "run-31", "--because", "x"];
    history(folder, &unknown)
        .expect(2)
        .says("did you mean `run-01`?; name the folder of other runs with `--in DIR`");
    history(
        folder,
        &["accept", "run-13", "--because", "kernel 6.18.50 is wanted"],
    )
    .expect(0);
    let file = folder.join("netplan-accepted.json");
    let text = fs::read_to_string(&file).unwrap();
    let expected = r#"{
  "version": 1,
  "accepted": [
    {
      "run": "run-13",
      "because": "kernel 6.18.50 is wanted"
    }
  ]
}
"#;
    assert_eq!(text, expected);
    history(folder, &[])
        .expect(0)
        .says("accepted at run-13 (2026-12-05): kernel 6.18.50 is wanted")
        .says("no slowdown");
    // Elsewhere no such run is known.
    fs::write(&file, text.replace("run-13", "run-99")).unwrap();
    history(folder, &[]).expect(4).says("run-99");
    fs::write(&file, "{}").unwrap();
    history(folder, &[]).expect(2).says("missing field");
    // A slowdown after the accepted one is another.
    fs::write(&file, text).unwrap();
    for day in 20..23 {
        let factor =
            |path: &str| slower_services(day, path) * if path == "hairpin" { 0.9 } else { 1.0 };
        store(
            &runs,
            &Night {
                day,
                kernel: KERNELS[1],
                factor: &factor,
            },
        );
    }
    history(folder, &[])
        .expect(4)
        .says("suspected: slower since run-20");
}

#[test]
fn fewer_than_five_runs_are_suspected() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    nights(folder, 15, slower_services);
    history(folder, &[])
        .expect(4)
        .says("suspected: slower since run-13");
    history(folder, &["--confirmed-only"])
        .expect(0)
        .says("suspected");
    history(folder, &["--minimum", "20%"])
        .expect(0)
        .says("changes below 20 %");
    history(folder, &["--minimum", "200%"]).expect(2);
    history(folder, &["nowhere"])
        .expect(2)
        .says("cannot read the folder");
    history(folder, &["."]).expect(2).says("no runs");
}

#[test]
fn the_advice_is_a_command_for_these_runs() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let runs = nights(folder, 20, slower_services);
    let with_space = |day: i64| {
        let dir = runs
            .join(format!("night-{day:02}"))
            .join(journal::FILE_NAME);
        let text = fs::read_to_string(&dir).unwrap();
        fs::write(dir, text.replace("run-13", "run 13")).unwrap();
    };
    with_space(13);
    let advice =
        |options: &str| format!("netplan history accept 'run 13' --because TEXT{options}\n");
    let said = history(folder, &[]).expect(4).stdout;
    assert!(said.contains(&advice("")), "{said}");
    fs::rename(&runs, folder.join("my nights")).unwrap();
    fs::write(folder.join("a.json"), r#"{"version": 1, "accepted": []}"#).unwrap();
    let arguments = ["my nights", "--accepted", "a.json", "--format", "markdown"];
    let said = history(folder, &arguments).expect(4).stdout;
    let command = advice(" --in 'my nights' --accepted a.json").replace(['\n'], "");
    assert!(said.contains(&command), "{said}");
    let words = [
        "accept",
        "run 13",
        "--because",
        "x",
        "--in",
        "my nights",
        "--accepted",
        "a.json",
    ];
    history(folder, &words).expect(0);
    history(folder, &arguments).expect(0);
}

#[test]
fn a_file_of_accepted_changes_that_is_named_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    nights(folder, 3, |_, _| 1.0);
    let accepted = ["--accepted", "mine.json"];
    history(folder, &accepted)
        .expect(2)
        .says("there is no file `mine.json`; `netplan history accept` creates it");
    let accept = |run: &str, because: &str, code| {
        let arguments = [
            "accept",
            run,
            "--because",
            because,
            "--accepted",
            "mine.json",
        ];
        history(folder, &arguments).expect(code)
    };
    accept("run-01", " ", 2).says("say why");
    accept("run-9", "x", 2).says("with `--in DIR`");
    accept("run-01", "x", 0);
    history(folder, &accepted)
        .expect(0)
        .says("accepted at run-01");
}

#[test]
fn a_copy_of_a_run_does_not_count() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let runs = nights(folder, 3, |_, _| 1.0);
    let journal = fs::read(runs.join("night-01").join(journal::FILE_NAME)).unwrap();
    fs::create_dir(runs.join("z-copy")).unwrap();
    fs::write(runs.join("z-copy").join(journal::FILE_NAME), journal).unwrap();
    let ended = history(folder, &[]).expect(0);
    assert!(ended.stdout.contains("3 runs"), "{}", ended.stdout);
    ended.says("left out `netplan-results/z-copy`: it is a copy of run run-01 in `netplan-results/night-01`");
}

#[test]
fn folders_that_are_not_read_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let runs = nights(folder, 3, |_, _| 1.0);
    // What cannot be looked at is not the same as what is not there.
    fs::create_dir(runs.join("circle")).unwrap();
    std::os::unix::fs::symlink(
        journal::FILE_NAME,
        runs.join("circle").join(journal::FILE_NAME),
    )
    .unwrap();
    history(folder, &[])
        .expect(0)
        .says("left out `netplan-results/circle`: cannot read");
    // As `netplan import` stores several setups.
    fs::create_dir_all(folder.join("o/calico")).unwrap();
    fs::rename(runs.join("night-01"), folder.join("o/calico/1")).unwrap();
    fs::create_dir(folder.join("o/empty")).unwrap();
    history(folder, &["o"]).expect(2).says(
        "there are no runs in `o`, but in its folders `calico`; name one of them, e.g. `o/calico`",
    );
    history(folder, &["o/empty"]).expect(2).says(
        "there are no directories of runs in `o/empty`; name another one: `netplan history DIR`",
    );
}

#[test]
fn what_recovered_and_what_all_paths_have_in_common_is_said() {
    let folder = tempfile::tempdir().unwrap();
    nights(folder.path(), 24, |day, _| {
        if (8..16).contains(&day) { 0.9 } else { 1.0 }
    });
    history(folder.path(), &[])
        .expect(0)
        .says("slower from run-08 (2026-11-30) on, and back since")
        .says("no ratio to a plain path changed")
        .says("no slowdown");
    let folder = tempfile::tempdir().unwrap();
    nights(folder.path(), 30, |day, path| match path {
        "hairpin" => 1.0 - 0.004 * day as f64,
        _ => 1.0,
    });
    history(folder.path(), &[])
        .expect(4)
        .says("slower little by little");
}

#[test]
fn summaries_are_written_once_and_read_alone() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let runs = nights(folder, 8, |_, _| 1.0);
    let first = history(folder, &[]).expect(0).stdout;
    let summary = RunDir::open(runs.join("night-03"))
        .unwrap()
        .summary()
        .unwrap();
    assert_eq!(summary.run, "run-03");
    // The journal is not read again: what it says does not matter, while its length is the same.
    let journal = runs.join("night-03").join(journal::FILE_NAME);
    let text = fs::read(&journal).unwrap();
    fs::write(&journal, vec![b'x'; text.len()]).unwrap();
    assert_eq!(history(folder, &[]).expect(0).stdout, first);
    // One that grew is.
    fs::write(&journal, [&text[..], b"\n"].concat()).unwrap();
    assert_eq!(history(folder, &[]).expect(0).stdout, first);
    let rewritten = RunDir::open(runs.join("night-03"))
        .unwrap()
        .summary()
        .unwrap();
    assert_eq!(rewritten.journal_bytes, text.len() as u64 + 1);
    // A summary of another version, or a damaged one, is written again.
    let file = runs.join("night-04").join(file::SUMMARY);
    for text in [
        fs::read_to_string(&file)
            .unwrap()
            .replacen("\"version\":1", "\"version\":7", 1),
        "{".to_owned(),
    ] {
        fs::write(&file, text).unwrap();
        assert_eq!(history(folder, &[]).expect(0).stdout, first);
        let summary: RunSummary = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        assert_eq!(summary.version, 1);
    }
    // A run that cannot be read is named, and the others are judged.
    fs::write(&journal, "x\n").unwrap();
    let ended = history(folder, &[]).expect(0);
    assert!(
        ended.stderr.contains("left out") && ended.stderr.contains("night-03"),
        "{}",
        ended.stderr
    );
    assert!(ended.stdout.contains("7 runs"), "{}", ended.stdout);
}

#[test]
fn a_path_with_a_failed_cell_has_no_value() {
    let folder = tempfile::tempdir().unwrap();
    let runs = nights(folder.path(), 8, |_, _| 1.0);
    let plan = made::plan(&[made::tcp(512, 1), made::rr(1)]);
    let schedule = Schedule::new(&plan, &Selection::all());
    let mut failed = made::events(&plan, &schedule, &End::Complete, |cell, _| {
        if cell.id.0 == "iperf3-tcp/remote-pod/mss=96" {
            Fate::Failed(Cause::Timeout, "")
        } else {
            Fate::Measured
        }
    });
    for event in &mut failed {
        event.at += SignedDuration::from_hours(24 * 8);
    }
    store_events(&runs, 8, &failed);
    // The path, and the ratio to it.
    history(folder.path(), &[])
        .expect(0)
        .says("2 values left out");
}

#[test]
fn a_summary_has_every_metric_that_gets_better_or_worse() {
    let plan = made::plan(&[made::tcp(512, 1), made::rr(1)]);
    let schedule = Schedule::new(&plan, &Selection::all());
    let events = made::events(&plan, &schedule, &End::Complete, |_, _| Fate::Measured);
    let report = Report::fold(&events, plan, schedule);
    let summary = report.run_summary(7).unwrap();
    let find = |path: &str, relative_to: Option<&str>, metric: &str| {
        let found = summary.series.iter().find(|it| {
            (
                it.path.as_str(),
                it.relative_to.as_deref(),
                it.metric.as_str(),
            ) == (path, relative_to, metric)
        });
        found.unwrap().clone()
    };
    let service = find("remote-service", None, name::THROUGHPUT_BPS);
    let pod = find("remote-pod", None, name::THROUGHPUT_BPS);
    let ratio = find("remote-service", Some("remote-pod"), name::THROUGHPUT_BPS);
    assert!(service.is_headline && (service.cells, service.measured) == (3, 3));
    let difference = service.mean_log.unwrap() - pod.mean_log.unwrap();
    assert!((ratio.mean_log.unwrap() - difference).abs() < 1e-12);
    assert!(!find("hairpin", None, name::LATENCY_P99_US).is_headline);
    let has = |metric: &str| summary.series.iter().any(|it| it.metric == metric);
    assert!(has(name::RETRANSMITS) && !has(name::CPU_PERCENT_CLIENT) && !has(name::ELAPSED_S));
    // It is what a file of it says.
    let text = serde_json::to_string(&summary).unwrap();
    assert_eq!(serde_json::from_str::<RunSummary>(&text).unwrap(), summary);
}

const NIGHTS: Nights = Nights {
    series: 30,
    runs: 60,
    noise: Noise::Normal,
    deviation: 0.02,
};

/// More of it: `cargo bench -- history`.
#[test]
fn at_most_one_in_a_hundred_unchanged_series_is_flagged() {
    for noise in [Noise::Normal, Noise::Skewed] {
        let (series, _) = false_alarms(Nights { noise, ..NIGHTS }, 40);
        assert!(series <= 0.01, "{noise:?}: {series}");
    }
}

#[test]
fn a_step_of_three_deviations_is_found_within_five_runs() {
    let (now, found) = steps_found(NIGHTS, 6, 3.0, 5, 12);
    assert!(found >= 0.95, "{now} {found}");
    // And later, until it is accepted.
    let (now, _) = steps_found(NIGHTS, 6, 3.0, 8, 4);
    assert!(now >= 0.9, "{now}");
}

/// The example reads as objects that this Kubernetes version has, and its commands are right.
#[test]
fn the_nightly_cron_job_parses() {
    use k8s_openapi::api::batch::v1::CronJob;
    use k8s_openapi::api::core::v1::{ConfigMap, PersistentVolumeClaim, ServiceAccount};
    use k8s_openapi::api::rbac::v1::RoleBinding;
    use serde::Deserialize as _;

    let text = include_str!("../../packaging/nightly/cronjob.yaml");
    let documents = serde_yaml::Deserializer::from_str(text);
    let documents = documents.map(|it| serde_yaml::Value::deserialize(it).unwrap());
    let mut kinds = Vec::new();
    for mut document in documents {
        document.apply_merge().unwrap();
        let kind = document["kind"].as_str().unwrap().to_owned();
        assert_eq!(document["metadata"]["namespace"], "netplan", "{kind}");
        let given = serde_json::to_value(&document).unwrap();
        // Fields that the types do not have would be lost.
        let read = |value: serde_json::Result<serde_json::Value>| {
            assert_eq!(value.unwrap(), given, "{kind}");
        };
        macro_rules! check {
            ($type:ty) => {{
                let object: $type = serde_json::from_value(given.clone()).unwrap();
                read(serde_json::to_value(&object));
                object
            }};
        }
        match kind.as_str() {
            "ServiceAccount" => drop(check!(ServiceAccount)),
            "RoleBinding" => drop(check!(RoleBinding)),
            "PersistentVolumeClaim" => drop(check!(PersistentVolumeClaim)),
            "ConfigMap" => {
                let data = check!(ConfigMap).data.unwrap();
                let source = Source::new("plan.yaml", &data["plan.yaml"]);
                netplan::plan::load(source, &[]).unwrap();
                let accepted = Acceptances::from_json(data["accepted.json"].as_bytes());
                assert_eq!(accepted.unwrap(), Acceptances::default());
            }
            "CronJob" => {
                let job = check!(CronJob).spec.job_template.spec.unwrap();
                let pod = job.template.spec.unwrap();
                for container in pod.init_containers.unwrap().iter().chain(&pod.containers) {
                    let words = container.args.clone().unwrap();
                    let words = ["netplan".to_owned()].into_iter().chain(words);
                    netplan::cli::command().try_get_matches_from(words).unwrap();
                    let security = container.security_context.as_ref().unwrap();
                    assert_eq!(security.allow_privilege_escalation, Some(false));
                }
            }
            other => panic!("{other}"),
        }
        kinds.push(kind);
    }
    assert_eq!(kinds.len(), 5);
}

//! The command line as people and scripts meet it: texts, exit codes, what goes where.

use std::fs;
use std::path::Path;

use crate::support::{Ended, Netplan, ROOT, snapshots};

const COMMANDS: &[&str] = &[
    "run",
    "check",
    "schedule",
    "render",
    "report",
    "status",
    "attach",
    "cancel",
    "clean",
    "compare",
    "doctor",
    "selftest",
    "init",
    "explain",
    "schema",
    "completions",
    "man",
    "orchestrator",
    "worker",
];

fn netplan(arguments: &[&str]) -> Ended {
    Netplan::in_repository().args(arguments).run()
}

fn netplan_in(folder: &Path, arguments: &[&str]) -> Ended {
    Netplan::in_folder(folder).args(arguments).run()
}

#[test]
fn help_texts() {
    snapshots().bind(|| {
        insta::assert_snapshot!("help", netplan(&["--help"]).transcript());
        for command in COMMANDS {
            let name = format!("help_{command}");
            insta::assert_snapshot!(name, netplan(&["help", command]).transcript());
        }
    });
}

#[test]
fn mistakes_on_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let plan = "plans/default.yaml";
    let latin = folder.path().join("latin.yaml");
    fs::write(&latin, b"version: 1\nname: caf\xe9\n").unwrap();
    let large = folder.path().join("large.yaml");
    let file = fs::File::create(&large).unwrap();
    file.set_len((8 << 20) + 1).unwrap();
    let cases: &[&[&str]] = &[
        &[],
        &["rnu", plan],
        &[plan, "--on", "local"],
        &["--color", "pink", "check", plan],
        &["run"],
        &["check", "no-such-plan.yaml"],
        &["check", "src"],
        &["check", latin.to_str().unwrap()],
        &["check", large.to_str().unwrap()],
        &["check", plan, "--set", "tests.0.duratoin=1s"],
        &["check", plan, "--set", "tests.0.duration"],
        &["schedule", plan, "--only", "path=hairpn"],
        &["schedule", plan, "--only", "pth=hairpin"],
        &["run", plan, "--on", "local", "--format", "xml"],
        &["run", plan, "--on", "local", "--detach"],
        &["run", plan, "--on", "local", "--keep"],
        &["run", plan, "--detach", "--keep"],
        &["render", plan, "--templates", "no-such-folder"],
        &["report", "no-such-run"],
        &["report", "src"],
        &[
            "worker",
            "--name=w1",
            "--orchestrator=x:1",
            "--tls=.",
            "--pod-ip=1",
            "--node=n",
        ],
    ];
    let mut all = String::new();
    for arguments in cases {
        let text = netplan(arguments).transcript();
        all.extend(["# netplan ", &arguments.join(" "), "\n", &text, "\n"]);
    }
    let place = folder.path().display().to_string();
    let all = all.replace(&place, "FOLDER");
    snapshots().bind(|| insta::assert_snapshot!("cli_mistakes", all));
}

#[test]
fn without_a_run_there_is_no_latest_one() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&["report"][..], &["run", "--resume"]] {
        let words = "in `netplan-results` of this folder; name a run's directory, or start a run";
        netplan_in(folder.path(), arguments).expect(2).says(words);
    }
}

#[test]
fn check_names_the_keys_that_a_kind_of_cluster_does_not_support() {
    let plan = "plans/variants/cpu-limits.yaml";
    netplan(&["check", plan, "--on", "kubernetes"]).expect(0);
    if cfg!(feature = "local") {
        let refused = netplan(&["check", plan, "--on", "local"]).expect(2);
        assert!(
            refused
                .stderr
                .contains("`variants.half-cpu.workers.w1.resources.limits.cpu` has no effect"),
            "{}",
            refused.stderr
        );
        netplan(&["check", "plans/quick.yaml", "--on", "local"]).expect(0);
    }
}

#[test]
fn check_says_nothing_on_stdout() {
    for plan in fs::read_dir(format!("{ROOT}/plans")).unwrap() {
        let path = plan.unwrap().path();
        if path
            .extension()
            .is_some_and(|extension| extension == "yaml")
        {
            let output = netplan(&["check", path.to_str().unwrap()]).expect(0);
            assert!(output.stdout.is_empty());
        }
    }
}

#[test]
fn schedules_and_dry_runs_tell_before_anything_starts() {
    let schedule = netplan(&[
        "schedule",
        "plans/quick.yaml",
        "--only",
        "path=remote-service",
    ]);
    snapshots().bind(|| insta::assert_snapshot!("schedule_quick", schedule.transcript()));

    let dry = netplan(&["run", "plans/default.yaml", "--on", "local", "--dry-run"]);
    let dry = dry.expect(0).says("118 cells in 13 rows");
    assert_eq!(dry.stdout.matches("\nkind: Job\n").count(), 4);
}

#[test]
fn a_schedule_says_what_is_searched() {
    let text = netplan(&["schedule", "plans/find.yaml"]).transcript();
    let said = "    searches 1 Mbit/s to 10 Gbit/s; the first probe:\n    on w2: ";
    assert_eq!(text.matches(said).count(), 2, "{text}");
}

#[test]
fn render_writes_a_file_for_each_object() {
    let folder = tempfile::tempdir().unwrap();
    let plan = format!("{ROOT}/plans/default.yaml");
    let render = |options: &[&str], to: &str| -> Vec<String> {
        let arguments = [&["render", &plan, "--output", to], options].concat();
        netplan_in(folder.path(), &arguments).expect(0);
        let mut names: Vec<String> = fs::read_dir(folder.path().join(to))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    };
    // Whoever applies or deletes them does not touch the namespace, unless that is wanted.
    let names = render(&[], "manifests");
    assert_eq!(names.len(), 16, "{names:?}");
    assert!(
        !names.iter().any(|name| name.contains("-namespace-")),
        "{names:?}"
    );
    let names = render(&["--create-namespace"], "with-namespace");
    assert_eq!(names.len(), 17, "{names:?}");
    assert!(names[0].starts_with("01-namespace-netplan"), "{names:?}");
}

#[test]
fn render_takes_namespace_and_image_from_the_plan() {
    let output = netplan(&[
        "render",
        "plans/quick.yaml",
        "--set",
        "kubernetes.namespace=team-a",
        "--set",
        "kubernetes.image=registry.example.com/netplan:7",
    ])
    .expect(0);
    let text = output.stdout;
    assert!(!text.contains("namespace: \"netplan\"") && !text.contains("image: \"netplan:"));
    assert_eq!(text.matches("  namespace: \"team-a\"\n").count(), 16);
    assert_eq!(
        text.matches(" image: \"registry.example.com/netplan:7\"\n")
            .count(),
        4
    );
}

#[test]
fn a_server_is_asked_only_where_there_is_one() {
    let plan = "plans/default.yaml";
    netplan(&["run", plan, "--on", "local", "--dry-run=server"]).expect(2);
}

#[test]
fn init_writes_a_plan_that_is_right_and_touches_no_other() {
    let folder = tempfile::tempdir().unwrap();
    netplan_in(folder.path(), &["init"]).expect(0);
    netplan_in(folder.path(), &["check", "plan.yaml"]).expect(0);
    fs::write(folder.path().join("plan.yaml"), "mine").unwrap();
    netplan_in(folder.path(), &["init"]).expect(2);
    assert_eq!(fs::read(folder.path().join("plan.yaml")).unwrap(), b"mine");
    let printed = netplan(&["init", "-"]);
    assert_eq!(
        printed.stdout,
        fs::read_to_string(format!("{ROOT}/plans/init.yaml")).unwrap()
    );
}

#[test]
fn a_plan_may_come_by_a_pipe() {
    let plan = fs::File::open(format!("{ROOT}/plans/default.yaml")).unwrap();
    let check = || Netplan::in_repository().args(["check", "-"]);
    check().stdin(plan).run().expect(0);
    let endless = fs::File::open("/dev/zero").unwrap();
    check().stdin(endless).run().expect(2);
}

#[test]
fn the_committed_schema_is_the_printed_one() {
    let printed = netplan(&["schema"]);
    let committed = fs::read_to_string(format!("{ROOT}/plans/plan.schema.json")).unwrap();
    assert_eq!(printed.stdout, committed);
}

#[test]
fn manual_pages_name_every_command() {
    let folder = tempfile::tempdir().unwrap();
    netplan_in(folder.path(), &["man", "--output", "man1"]).expect(0);
    assert!(folder.path().join("man1/netplan-run.1").is_file());
    let dated = |epoch: &str| {
        let man = Netplan::in_repository().args(["man"]);
        man.env("SOURCE_DATE_EPOCH", epoch).run().transcript()
    };
    assert!(dated("86400").contains("1970\\-01\\-02") || dated("86400").contains("1970-01-02"));
    assert!(dated("soon").starts_with("exit code 2"));
    netplan(&["man"]).says(r"netplan\-run(1)");
}

//! Files that are not what they should be: FIFOs, devices, links, other people's secrets, full disks,
//! and texts made to exhaust whoever reads them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Stdio;

use netplan::results::Event;
use netplan::results::journal::{self, Journal, JournalError};
use netplan::results::run_dir::{RunDir, RunDirError};
use netplan::schedule::{Schedule, Selection};
use nix::sys::stat::Mode;

use crate::made::{self, End, Fate};
use crate::support::Netplan;

const PLAN: &str = "version: 1\nname: p\nworkers: { w1: {}, w2: {} }\n\
    paths: [{ name: a, from: w1, to: w2, via: pod_ip }]\ntests: [iperf3: {}]\n";

fn netplan(folder: &Path, arguments: &[&str]) -> Netplan {
    Netplan::in_folder(folder).args(arguments)
}

/// What it prints, and what it says, at its end with this code.
#[track_caller]
fn ended(netplan: Netplan, code: i32) -> (String, String) {
    let ended = netplan.run().expect(code);
    (ended.stdout, ended.stderr)
}

fn fifo(path: &Path) {
    nix::unistd::mkfifo(path, Mode::S_IRWXU).unwrap();
}

/// A whole run.
fn events() -> Vec<Event> {
    let plan = made::plan(&[made::udp()]);
    let schedule = Schedule::new(&plan, &Selection::all());
    made::events(&plan, &schedule, &End::Complete, |_, _| Fate::Measured)
}

fn stored(folder: &Path) {
    let mut journal = Journal::create(folder).unwrap();
    for event in events() {
        journal.append(&event).unwrap();
    }
}

/// Shown are lines of plans only: `extends` may name any file that the process can read.
#[test]
fn what_is_extended_is_shown_only_if_it_is_a_plan() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let plan = |extends: &str| {
        fs::write(
            folder.join("plan.yaml"),
            format!("extends: {extends}\n{PLAN}"),
        )
        .unwrap();
        ended(netplan(folder, &["check", "plan.yaml"]), 2).1
    };
    for (name, text) in [
        (
            "shadow",
            "root:$6$SECRET$hash:19000:0:99999:7:::\ndaemon:*:19000:0:99999:7:::\n",
        ),
        ("token", "SECRET\n"),
        ("passwords", "- SECRET\n- other\n"),
        ("secrets", "password: SECRET\nname: SECRET\nuser: [\n"),
        (
            "kubeconfig",
            "apiVersion: v1\nkind: Config\nusers: [{ user: { token: SECRET } }]\n",
        ),
        (
            "key",
            "-----BEGIN PRIVATE KEY-----\nSECRET\n-----END PRIVATE KEY-----\n",
        ),
        ("quoted", "'SECRET: {\n"),
        ("json", "{\"password\": \"SECRET\"}\n"),
        ("empty", ""),
        ("binary", "\u{0}SECRET\u{1b}[2J"),
    ] {
        fs::write(folder.join(name), text).unwrap();
        let said = plan(name);
        assert!(
            said.contains(&format!("`{name}` is not a plan: ")),
            "{said}"
        );
        assert!(!said.contains("SECRET"), "{said}");
        assert!(said.contains("plan.yaml:1:10"), "{said}");
    }
    for (name, text, shown) in [
        (
            "typo.yaml",
            "version: 1\ndefaults: { duratoin: 1s }\n",
            "did you mean `duration`?",
        ),
        (
            "broken.yaml",
            "workers: { w1: {} }\ntests: [\n",
            "broken.yaml:2",
        ),
        ("flow.yaml", "{ local: 7 }", "flow.yaml:1"),
    ] {
        fs::write(folder.join(name), text).unwrap();
        let said = plan(name);
        assert!(said.contains(shown), "{said}");
    }
}

#[test]
fn what_is_extended_is_a_regular_file_of_some_size() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fifo(&folder.join("fifo"));
    symlink("fifo", folder.join("link")).unwrap();
    fs::write(folder.join("large"), vec![b'#'; (8 << 20) + 1]).unwrap();
    for (extends, said) in [
        ("fifo", "it is a FIFO, and a regular file is required"),
        ("link", "it is a FIFO, and a regular file is required"),
        (
            "/dev/zero",
            "it is a device, and a regular file is required",
        ),
        ("large", "it is larger than 8 MiB"),
        (".", "it is a folder"),
    ] {
        fs::write(
            folder.join("plan.yaml"),
            format!("extends: {extends}\n{PLAN}"),
        )
        .unwrap();
        let (_, err) = ended(netplan(folder, &["check", "plan.yaml"]), 2);
        assert!(err.contains(said), "{extends}: {err}");
    }
}

#[test]
fn templates_are_regular_files_of_some_size_and_shown_only_if_they_are_templates() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("plan.yaml"), PLAN).unwrap();
    let template = folder.join("t/configmap.yaml.j2");
    fs::create_dir(folder.join("t")).unwrap();
    let render = || {
        let arguments = ["render", "plan.yaml", "--templates", "t"];
        let (_, err) = ended(netplan(folder, &arguments), 2);
        fs::remove_file(&template).unwrap();
        err
    };
    fifo(&template);
    assert!(render().contains("it is a FIFO"));
    symlink("/dev/zero", &template).unwrap();
    assert!(render().contains("it is a device"));
    fs::write(&template, vec![b'#'; (60 << 10) + 1]).unwrap();
    assert!(render().contains("it is larger than 60 KiB"));
    fs::write(&template, format!("{{{{ {}1 }}}}", "-".repeat(30_000))).unwrap();
    assert!(render().contains("more than 250 names, numbers and signs"));
    fs::write(&template, "{{ 'x' * 999999999999 }}").unwrap();
    let err = render();
    assert!(err.contains("engine ran out of fuel"), "{err}");
    fs::write(&template, "{% for i in range(99999999) %}x{% endfor %}").unwrap();
    let err = render();
    assert!(err.contains("does not render"), "{err}");
    for secret in [
        "root:SECRET:1:2\n- x\n",
        "SECRET: {\n",
        "password: SECRET\n",
    ] {
        fs::write(&template, secret).unwrap();
        let err = render();
        assert!(
            err.contains("Kubernetes object") && !err.contains("SECRET"),
            "{err}"
        );
    }
    fs::write(&template, "apiVersion: v1\nkind: [\n").unwrap();
    let err = render();
    assert!(err.contains("rendered configmap.yaml.j2:3:1"), "{err}");
}

/// Each of these ended the process, or could.
#[test]
fn texts_that_nest_or_grow_without_end_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let tool = |argument: &str| {
        format!(
            "version: 1\nname: p\nworkers: {{ w1: {{}}, w2: {{}} }}\n\
             paths: [{{ name: a, from: w1, to: w2, via: pod_ip }}]\n\
             tools: {{ t: {{ client: {{ command: [x, \"{argument}\"] }}, metrics: {{ m: {{ json: /m, unit: count }} }} }} }}\n\
             tests: [t: {{}}]\n"
        )
    };
    let pattern =
        |regex: &str| tool("x").replace("json: /m", &format!("regex: '(?<value>x){regex}'"));
    let expression = |inside: &str| tool(&format!("{{{{ {inside} }}}}"));
    let nested = |open: &str, close: &str| {
        format!("{PLAN}x: {}{}\n", open.repeat(20_000), close.repeat(20_000))
    };
    for (what, text) in [
        ("signs", expression(&format!("{}1", "-".repeat(19_500)))),
        ("words", expression(&format!("{}1", "not ".repeat(12_000)))),
        ("a chain", expression(&format!("1{}", "+1".repeat(20_000)))),
        (
            "filters",
            expression(&format!("1{}", "|int".repeat(10_000))),
        ),
        (
            "parentheses",
            expression(&format!("{}1", "(".repeat(30_000))),
        ),
        ("a long argument", expression(&"x ".repeat(200_000))),
        ("a long text", expression("'x' * 999999999999")),
        ("an indent", expression("'x'|indent(999999999999, true)")),
        ("a range", expression("range(999999999)|list|length")),
        ("a format", expression("'%999999999d'|format(1)")),
        ("groups", pattern(&"(".repeat(100_000))),
        ("repetitions", pattern("(((a{1000}){1000}){1000}){1000}")),
        ("classes", pattern(&"[a&&".repeat(50_000))),
        ("lists", nested("[", "]")),
        ("mappings", nested("{a: ", "}")),
        ("items", nested("- ", "")),
        ("keys", nested("? ", "")),
        ("indented", {
            let lines = (0..5_000).map(|n| format!("{}a:\n", " ".repeat(n)));
            lines.collect()
        }),
    ] {
        fs::write(folder.join("plan.yaml"), text).unwrap();
        let (_, err) = ended(netplan(folder, &["check", "plan.yaml"]), 2);
        assert!(err.len() < 20_000, "{what}: {} bytes", err.len());
    }
    fs::write(folder.join("plan.yaml"), PLAN).unwrap();
    let deep = format!("{}=1", vec!["x"; 60_000].join("."));
    let only = format!("{}path=a", "(".repeat(100_000));
    for arguments in [
        ["check", "plan.yaml", "--set", &deep],
        ["schedule", "plan.yaml", "--only", &only],
    ] {
        ended(netplan(folder, &arguments), 2);
    }
}

#[test]
fn a_plan_may_still_come_from_a_fifo() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fifo(&folder.join("plan"));
    let check = netplan(folder, &["check", "plan"]).start();
    fs::write(folder.join("plan"), PLAN).unwrap();
    check.finish().expect(0);
}

#[test]
fn a_journal_is_a_regular_file() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fifo(&folder.join(journal::FILE_NAME));
    for arguments in [&["report", "."][..], &["run", "--resume", "."]] {
        let (_, err) = ended(netplan(folder, arguments), 2);
        assert!(err.contains("is not a run's directory"), "{err}");
    }
    let error = Journal::open(folder).unwrap_err().to_string();
    assert!(error.contains("it is a FIFO"), "{error}");
    fs::remove_file(folder.join(journal::FILE_NAME)).unwrap();
    // A link is not followed by who writes.
    fs::write(folder.join("precious"), "").unwrap();
    symlink("precious", folder.join(journal::FILE_NAME)).unwrap();
    assert!(Journal::create(folder).is_err());
    // A line without an end is not read into memory.
    fs::remove_file(folder.join(journal::FILE_NAME)).unwrap();
    let file = fs::File::create(folder.join(journal::FILE_NAME)).unwrap();
    file.set_len(1 << 32).unwrap();
    let (_, err) = ended(netplan(folder, &["report", "."]), 1);
    assert!(err.contains("longer than 16777216 bytes"), "{err}");
}

#[test]
fn a_run_that_ended_before_its_first_event_starts_again_in_its_directory() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    let first = journal::to_line(&events()[0]).unwrap() + "\n";
    for left in ["", "{\"v\":1,\"seq\":0,\"at\":\"20"] {
        let dir = RunDir::create(&path).unwrap();
        fs::write(path.join(journal::FILE_NAME), left).unwrap();
        let again = RunDir::create(&path).unwrap();
        assert_eq!(dir, again);
        let mut journal = Journal::create(again.path()).unwrap();
        // Not by two at once.
        assert!(matches!(
            Journal::create(&path),
            Err(JournalError::Locked(_))
        ));
        journal.append(&events()[0]).unwrap();
        drop(journal);
        assert_eq!(
            fs::read_to_string(path.join(journal::FILE_NAME)).unwrap(),
            first
        );
        assert!(matches!(RunDir::create(&path), Err(RunDirError::Taken(_))));
        assert!(matches!(
            Journal::create(&path),
            Err(JournalError::Exists(_))
        ));
        fs::write(path.join(journal::FILE_NAME), "").unwrap();
    }
    // What may have been events is not written over.
    fs::write(
        path.join(journal::FILE_NAME),
        first.replace("\"v\":2", "\"v\":3"),
    )
    .unwrap();
    assert!(matches!(RunDir::create(&path), Err(RunDirError::Taken(_))));
    fs::write(path.join(journal::FILE_NAME), "nonsense\nnonsense\n").unwrap();
    assert!(matches!(RunDir::create(&path), Err(RunDirError::Taken(_))));
}

#[test]
fn result_files_are_written_though_standard_output_is_full_or_closed() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    stored(folder);
    let results = [
        "result.csv",
        "samples.csv",
        "environment.json",
        "report.html",
    ];
    let full = || {
        Stdio::from(
            fs::OpenOptions::new()
                .write(true)
                .open("/dev/full")
                .unwrap(),
        )
    };
    for format in [
        "table", "csv", "samples", "json", "junit", "html", "svg", "github",
    ] {
        let run = netplan(folder, &["run", "--resume", ".", "--format", format]);
        let (_, err) = ended(run.stdout(full()), 1);
        assert!(err.contains("No space left on device"), "{err}");
        assert!(err.contains("`netplan report .` prints it again"), "{err}");
        assert_eq!(
            err.lines().filter(|line| line.starts_with("error")).count(),
            1,
            "{err}"
        );
        for file in results {
            fs::remove_file(folder.join(file)).unwrap();
        }
    }
    for arguments in [
        &["report", "."][..],
        &["--help"],
        &["schema"],
        &["init", "-"],
    ] {
        let (_, err) = ended(netplan(folder, arguments).stdout(full()), 1);
        assert!(err.contains("cannot write to standard output"), "{err}");
    }
    let closed = ["sh", "-c", "\"$0\" \"$@\" >&-"];
    let run = netplan(folder, &["run", "--resume", "."]);
    ended(run.started_by(&closed), 0);
    for file in results {
        assert!(folder.join(file).exists(), "{file}");
    }
}

#[test]
fn results_are_printed_though_their_files_cannot_be_written() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    stored(folder);
    fs::create_dir(folder.join("result.csv")).unwrap();
    let (out, err) = ended(netplan(folder, &["run", "--resume", "."]), 1);
    assert!(out.contains("iperf3-udp"), "{out}");
    assert!(err.contains("cannot write `./result.csv`"), "{err}");
}

#[test]
fn what_is_written_into_a_run_replaces_links() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("precious"), "mine").unwrap();
    let run = folder.join("run");
    fs::create_dir_all(run.join("raw")).unwrap();
    for link in [
        ".probe",
        ".probe.tmp",
        "plan.yaml",
        ".plan.yaml.tmp",
        "raw/a",
        "raw/.a.tmp",
    ] {
        symlink(folder.join("precious"), run.join(link)).unwrap();
    }
    let dir = RunDir::create(&run).unwrap();
    dir.write("plan.yaml", "new").unwrap();
    dir.write_raw("a", b"new").unwrap();
    assert_eq!(fs::read_to_string(folder.join("precious")).unwrap(), "mine");
    for file in ["plan.yaml", "raw/a"] {
        assert_eq!(fs::read_to_string(run.join(file)).unwrap(), "new");
    }
    // A private key goes into a file of its own, whatever had its name.
    fs::write(folder.join("plan.yaml"), PLAN).unwrap();
    let render = ["render", "plan.yaml", "--output", "out"];
    ended(netplan(folder, &render), 0);
    let out = folder.join("out");
    for file in fs::read_dir(&out).unwrap() {
        let file = file.unwrap().path();
        let id = fs::read_to_string(&file).unwrap();
        fs::remove_file(&file).unwrap();
        if id.contains("kind: Secret") {
            symlink(folder.join("precious"), &file).unwrap();
        }
    }
    assert_eq!(fs::read_to_string(folder.join("precious")).unwrap(), "mine");
}

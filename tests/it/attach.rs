//! Life without the terminal: the program itself against an API server on loopback, with a real
//! orchestrator in the place of its pod.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::fake_api::Fault;
use crate::fake_cluster::{FakeCluster, Running, journal, kinds};
use crate::orchestrator::GOOD;
use crate::support::{NETPLAN, SOON, snapshots, wait_for};

const PLAN: &str = "
version: 1
name: small
workers: { w1: {}, w2: {} }
paths:
  - { name: there, label: There, from: w1, to: w2, via: pod_ip }
  - { name: hairpin, label: Hairpin, from: w2, to: w2, via: cluster_ip }
defaults: { duration: 1s, retries: 0 }
tests:
  - iperf3: { protocol: tcp, mss: [536, 1000] }
";
const CELLS: usize = 4;

fn command(cluster: &FakeCluster, arguments: &[&str]) -> Command {
    // Whoever runs the tests may have had SIGHUP ignored, which netplan then does too.
    let mut command = Command::new("env");
    command
        .args(["--default-signal=HUP", NETPLAN])
        .current_dir(cluster.folder.path())
        .args(arguments)
        .args(["--kubeconfig", "kubeconfig"])
        .env("KUBECONFIG", "none")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

async fn netplan(cluster: &FakeCluster, arguments: &[&str]) -> Output {
    let output = command(cluster, arguments).output();
    timeout(SOON, output).await.unwrap().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[track_caller]
fn ended(output: &Output, code: i32) -> (String, String) {
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{out}\n{err}");
    (out, err)
}

/// A run that has been started with `--detach`; its first client runs.
async fn detached() -> (FakeCluster, Running) {
    let cluster = FakeCluster::start().await;
    fs::write(cluster.folder.path().join("plan.yaml"), PLAN).unwrap();
    let arguments = ["run", "plan.yaml", "--on", "kubernetes", "--detach"];
    let mut child = command(&cluster, &arguments).spawn().unwrap();
    let running = played(&cluster, &mut child).await;
    let output = timeout(SOON, child.wait_with_output()).await.unwrap();
    let (out, err) = ended(&output.unwrap(), 0);
    assert_eq!(out, "");
    let id = &running.id;
    assert!(
        err.contains(&format!("run {id} goes on by itself")),
        "{err}"
    );
    assert!(err.contains(&format!("netplan attach {id} ")), "{err}");
    (cluster, running)
}

/// The run that a command line starts. One that ends before it has applied anything fails the test.
async fn played(cluster: &FakeCluster, child: &mut Child) -> Running {
    tokio::select! {
        biased;
        running = cluster.play() => running,
        status = child.wait() => {
            let mut said = String::new();
            let stderr = child.stderr.as_mut().unwrap();
            stderr.read_to_string(&mut said).await.unwrap();
            panic!("it ended before it had applied its objects: {status:?}\n{said}");
        }
    }
}

/// Where `attach` puts a run.
fn results(cluster: &FakeCluster, run: &Running) -> PathBuf {
    let folder = cluster.folder.path().join("netplan-results");
    let mut all: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert_eq!(all.len(), 1, "{all:?}");
    let one = all.remove(0);
    let name = one.file_name().unwrap().to_str().unwrap();
    assert!(
        name.starts_with("small-") && name.ends_with(&run.id),
        "{name}"
    );
    one
}

/// The directory holds exactly what the orchestrator had.
#[track_caller]
fn assert_whole(dir: &Path, run: &Running) {
    let theirs = journal(&run.journal.path().join("run"));
    assert_eq!(journal(dir), theirs);
    assert_eq!(kinds(&theirs).last().unwrap(), "run_ended");
    let raws = fs::read_dir(dir.join("raw")).unwrap();
    let raws: Vec<Vec<u8>> = raws
        .map(|entry| fs::read(entry.unwrap().path()).unwrap())
        .collect();
    assert_eq!(raws.len(), CELLS);
    assert!(raws.iter().all(|raw| raw == GOOD));
    for file in ["plan.yaml", "result.csv", "samples.csv", "environment.json"] {
        assert!(dir.join(file).is_file(), "{file}");
    }
}

/// Lets the program write lines until one has `word`.
async fn said(child: &mut Child, word: &str) {
    let mut lines = BufReader::new(child.stderr.as_mut().unwrap()).lines();
    let found = async {
        while let Some(line) = lines.next_line().await.unwrap() {
            if line.contains(word) {
                return;
            }
        }
        panic!("it never said `{word}`");
    };
    timeout(SOON, found).await.unwrap();
}

/// A `run` in the foreground that has measured so many cells, and waits.
async fn measured(cells: usize) -> (FakeCluster, Child, Running) {
    let cluster = FakeCluster::start().await;
    fs::write(cluster.folder.path().join("plan.yaml"), PLAN).unwrap();
    let mut child = command(&cluster, &["run", "plan.yaml"]).spawn().unwrap();
    let run = played(&cluster, &mut child).await;
    run.pace.add_permits(cells);
    said(&mut child, &format!("[{cells}/4]")).await;
    (cluster, child, run)
}

fn signal(child: &Child, signal: Signal) {
    let pid = i32::try_from(child.id().unwrap()).unwrap();
    kill(Pid::from_raw(pid), signal).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_detached_run_is_watched_to_its_end_over_broken_connections() {
    let (cluster, run) = detached().await;
    run.pace.add_permits(1);
    let arguments = ["attach", "--format", "csv"];
    let mut attach = command(&cluster, &arguments).spawn().unwrap();
    said(&mut attach, "Ctrl-C ends the watching").await;
    cluster.cut_forwards();
    run.pace.add_permits(1);
    cluster.cut_forwards();
    run.pace.add_permits(CELLS);
    let output = timeout(SOON, attach.wait_with_output()).await.unwrap();
    let (out, _) = ended(&output.unwrap(), 0);
    let dir = results(&cluster, &run);
    assert_eq!(out, fs::read_to_string(dir.join("result.csv")).unwrap());
    run.over.await.unwrap();
    let theirs = journal(&run.journal.path().join("run"));
    assert_eq!(
        kinds(&theirs)
            .iter()
            .filter(|kind| *kind == "sample")
            .count(),
        CELLS
    );
    assert_eq!(journal(&dir), theirs);
    assert_eq!(cluster.made(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_results_of_a_run_that_ended_alone_come_from_its_log() {
    let (cluster, run) = detached().await;
    run.pace.add_permits(CELLS);
    let Running {
        id,
        journal,
        pace,
        over,
    } = run;
    timeout(SOON, over).await.unwrap().unwrap();
    let run = Running {
        id,
        journal,
        pace,
        over: tokio::spawn(async {}),
    };
    let (out, err) = ended(&netplan(&cluster, &["attach", &run.id, "--keep"]).await, 0);
    assert!(out.contains("hairpin"), "{out}");
    assert!(err.contains(&format!("netplan clean {}", run.id)), "{err}");
    assert_whole(&results(&cluster, &run), &run);

    // Once more: all is here already, and now it goes.
    let (again, _) = ended(&netplan(&cluster, &["attach"]).await, 0);
    assert_eq!(again, out);
    assert_eq!(cluster.made(), Vec::<String>::new());
    let (_, err) = ended(&netplan(&cluster, &["attach"]).await, 2);
    assert_eq!(err, "error: there are no runs in this cluster\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupt_ends_the_watching_and_not_the_run() {
    let (cluster, run) = detached().await;
    let mut attach = command(&cluster, &["attach"]).spawn().unwrap();
    said(&mut attach, "Ctrl-C ends the watching").await;
    run.pace.add_permits(1);
    said(&mut attach, "[1/4]").await;
    signal(&attach, Signal::SIGINT);
    let output = timeout(SOON, attach.wait_with_output()).await.unwrap();
    let (_, err) = ended(&output.unwrap(), 130);
    assert!(err.contains("goes on by itself"), "{err}");
    let before = journal(&results(&cluster, &run));
    assert!(kinds(&before).contains(&"sample".to_owned()));

    run.pace.add_permits(CELLS);
    ended(&netplan(&cluster, &["attach", &run.id]).await, 0);
    let dir = results(&cluster, &run);
    assert!(journal(&dir).starts_with(&before));
    assert_whole(&dir, &run);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_run_keeps_what_was_measured_until_it_is_collected() {
    let (cluster, run) = detached().await;
    let near = format!("{}0", &run.id[..7]);
    if near != run.id {
        let (_, err) = ended(&netplan(&cluster, &["cancel", &near]).await, 2);
        assert!(
            err.contains(&format!("did you mean `{}`?", run.id)),
            "{err}"
        );
    }
    run.pace.add_permits(1);
    let second = || {
        journal(&run.journal.path().join("run"))
            .matches("sample_started")
            .count()
            > 1
    };
    wait_for("the second sample", second).await;
    let (_, err) = ended(&netplan(&cluster, &["cancel"]).await, 0);
    assert!(err.contains(&format!("netplan attach {}", run.id)), "{err}");
    let Running {
        id,
        journal: folder,
        over,
        ..
    } = run;
    timeout(SOON, over).await.unwrap().unwrap();
    let (_, err) = ended(&netplan(&cluster, &["cancel", &id]).await, 0);
    assert!(err.contains("has ended already"), "{err}");
    let (status, _) = ended(&netplan(&cluster, &["status"]).await, 0);
    assert!(status.contains("cancelled at 1/4 cells"), "{status}");
    let (out, _) = ended(&netplan(&cluster, &["attach"]).await, 3);
    assert!(out.contains("hairpin"), "{out}");
    let theirs = journal(&folder.path().join("run"));
    assert_eq!(
        kinds(&theirs)
            .iter()
            .filter(|kind| *kind == "sample")
            .count(),
        1
    );
    assert_eq!(cluster.made(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_command_line_dies_goes_on_and_is_collected_where_it_was() {
    for how in [Signal::SIGKILL, Signal::SIGHUP] {
        let (cluster, mut child, run) = measured(1).await;
        let made = cluster.made();
        signal(&child, how);
        timeout(SOON, child.wait()).await.unwrap().unwrap();
        assert_eq!(cluster.made(), made);
        run.pace.add_permits(CELLS);
        ended(&netplan(&cluster, &["attach"]).await, 0);
        assert_whole(&results(&cluster, &run), &run);
        assert_eq!(cluster.made(), Vec::<String>::new());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn status_says_how_far_a_run_is() {
    let (cluster, run) = detached().await;
    run.pace.add_permits(1);
    let counted = async {
        loop {
            let (status, _) = ended(&netplan(&cluster, &["status"]).await, 0);
            if status.contains("1/4") {
                return status;
            }
        }
    };
    let status = timeout(SOON, counted).await.unwrap();
    let mut settings = snapshots();
    settings.add_filter(&run.id, "0badcafe");
    settings.add_filter(r"  \d+h[0-9hms ]*  netplan", "  2h   netplan");
    settings.add_filter(r"AGE +NEXT", "AGE  NEXT");
    settings.bind(|| insta::assert_snapshot!("status", status));
    let (_, err) = ended(&netplan(&cluster, &["attach", "zzz"]).await, 2);
    settings.bind(|| insta::assert_snapshot!("attach_unknown", err));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_was_interrupted_goes_on_as_one_run() {
    let (cluster, child, first) = measured(1).await;
    signal(&child, Signal::SIGINT);
    let output = timeout(SOON, child.wait_with_output()).await.unwrap();
    ended(&output.unwrap(), 130);
    assert_eq!(cluster.made(), Vec::<String>::new());
    timeout(SOON, first.over).await.unwrap().unwrap();
    let dir = cluster.folder.path().join("netplan-results");
    let dir = fs::read_dir(dir).unwrap().next().unwrap().unwrap().path();
    let before = journal(&dir);
    assert_eq!(kinds(&before).last().unwrap(), "run_ended");

    let (_, err) = ended(
        &netplan(
            &cluster,
            &["run", "--on", "local", "--resume", dir.to_str().unwrap()],
        )
        .await,
        2,
    );
    assert!(err.contains("go on there with `--on kubernetes`"), "{err}");
    let arguments = ["run", "--resume", dir.to_str().unwrap()];
    let mut child = command(&cluster, &arguments).spawn().unwrap();
    let second = played(&cluster, &mut child).await;
    assert_eq!(second.id, first.id);
    second.pace.add_permits(CELLS - 1);
    let output = timeout(SOON, child.wait_with_output()).await.unwrap();
    ended(&output.unwrap(), 0);
    timeout(SOON, second.over).await.unwrap().unwrap();
    let whole = journal(&dir);
    let cut = before.trim_end().rfind('\n').unwrap();
    assert!(whole.starts_with(&before[..=cut]));
    let ends = |kind: &str| kinds(&whole).iter().filter(|other| *other == kind).count();
    assert_eq!(
        (ends("cell_ended"), ends("run_ended"), ends("run_started")),
        (CELLS, 1, 1)
    );
    assert_eq!(journal(&second.journal.path().join("run")), whole);
    assert_eq!(cluster.made(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_orchestrator_that_begins_anew_is_known_at_once() {
    let (cluster, mut child, first) = measured(2).await;
    first.over.abort();
    // Its successor has another journal, in which less has happened.
    let second = played(&cluster, &mut child).await;
    let output = timeout(SOON, child.wait_with_output()).await.unwrap();
    let (_, err) = ended(&output.unwrap(), 1);
    assert!(err.contains("the orchestrator has begun anew"), "{err}");
    assert!(err.contains("netplan run --resume"), "{err}");
    assert_eq!(cluster.made(), Vec::<String>::new());
    second.over.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_way_to_the_cluster_does_not_remove_the_run() {
    let (cluster, child, run) = measured(1).await;
    let made = cluster.made();
    cluster.api.fail(Fault {
        method: http::Method::GET,
        path: "/pods?",
        code: 403,
        message: "you have been logged out",
        times: u32::MAX,
    });
    cluster.cut_forwards();
    let output = timeout(SOON, child.wait_with_output()).await.unwrap();
    let (out, err) = ended(&output.unwrap(), 1);
    assert!(out.contains("hairpin"), "{out}");
    assert!(err.contains("you have been logged out"), "{err}");
    assert!(err.contains(&format!("netplan attach {}", run.id)), "{err}");
    assert_eq!(cluster.made(), made);

    cluster.api.mend();
    run.pace.add_permits(CELLS);
    ended(&netplan(&cluster, &["attach"]).await, 0);
    assert_whole(&results(&cluster, &run), &run);
    assert_eq!(cluster.made(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_orchestrator_is_given_up_is_removed() {
    let (cluster, child, run) = measured(1).await;
    let name = format!("netplan-{}-orchestrator", run.id);
    let mut job = cluster.api.get("jobs", "netplan", &name).unwrap();
    job["status"] = serde_json::json!({
        "failed": 4, "conditions": [{"type": "Failed", "status": "True"}],
    });
    cluster.api.put("jobs", "netplan", &job);
    cluster.api.refuse_pods_of(&name);
    let failed = serde_json::json!({"phase": "Failed"});
    cluster.api.set_status("netplan", &name, &failed);
    run.over.abort();
    let output = timeout(SOON, child.wait_with_output()).await.unwrap();
    let (_, err) = ended(&output.unwrap(), 1);
    assert!(err.contains("not started again after 4 restarts"), "{err}");
    assert_eq!(cluster.made(), Vec::<String>::new());
}

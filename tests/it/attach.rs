//! Life without the terminal: the program itself against an API server on loopback, with a real
//! orchestrator instead of its pod.

use std::fs;
use std::path::{Path, PathBuf};

use nix::sys::signal::Signal;
use tokio::time::timeout;

use crate::fake_api::Fault;
use crate::fake_cluster::{self, FakeCluster, journal, kinds};
use crate::orchestrator::GOOD;
use crate::support::{Netplan, Running, SOON, snapshots, wait_for};

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

fn netplan(cluster: &FakeCluster, arguments: &[&str]) -> Netplan {
    Netplan::in_folder(&cluster.folder)
        // Whoever runs the tests may have had SIGHUP ignored, which netplan then does too.
        .started_by(&["env", "--default-signal=HUP"])
        .args(arguments)
        .args(["--kubeconfig", "kubeconfig"])
}

/// Runs the program to its end with this code; what it prints, and what it says.
async fn ended(cluster: &FakeCluster, arguments: &[&str], code: i32) -> (String, String) {
    finished(netplan(cluster, arguments).start(), code).await
}

async fn finished(command_line: Running, code: i32) -> (String, String) {
    let ended = command_line.finish_in_task().await.expect(code);
    (ended.stdout, ended.stderr)
}

/// A run that has been started with `--detach`; its first client runs.
async fn detached() -> (FakeCluster, fake_cluster::Running) {
    let cluster = FakeCluster::start().await;
    fs::write(cluster.folder.path().join("plan.yaml"), PLAN).unwrap();
    let arguments = ["run", "plan.yaml", "--on", "kubernetes", "--detach"];
    let child = netplan(&cluster, &arguments).start();
    let running = played(&cluster, &child).await;
    let (out, err) = finished(child, 0).await;
    assert_eq!(out, "");
    let id = &running.id;
    assert!(
        err.contains(&format!("run {id} continues by itself")),
        "{err}"
    );
    assert!(err.contains(&format!("netplan attach {id} ")), "{err}");
    (cluster, running)
}

/// The run that a command line starts. One that ends before it has applied anything fails the test.
async fn played(cluster: &FakeCluster, command_line: &Running) -> fake_cluster::Running {
    tokio::select! {
        biased;
        running = cluster.play() => running,
        () = wait_for("the end", || command_line.has_ended()) => {
            panic!("it ended before it had applied its objects: {}", command_line.stderr());
        }
    }
}

/// Where `attach` puts a run.
fn results(cluster: &FakeCluster, run: &fake_cluster::Running) -> PathBuf {
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
fn assert_whole(dir: &Path, run: &fake_cluster::Running) {
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

async fn said(command_line: &Running, text: &str) {
    wait_for(text, || {
        assert!(!command_line.has_ended(), "{}", command_line.stderr());
        command_line.stderr().contains(text)
    })
    .await;
}

/// A `run` in the foreground that has measured so many cells, and waits.
async fn measured(cells: usize) -> (FakeCluster, Running, fake_cluster::Running) {
    let cluster = FakeCluster::start().await;
    fs::write(cluster.folder.path().join("plan.yaml"), PLAN).unwrap();
    let child = netplan(&cluster, &["run", "plan.yaml"]).start();
    let run = played(&cluster, &child).await;
    run.pace.add_permits(cells);
    said(&child, &format!("[{cells}/4]")).await;
    (cluster, child, run)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_detached_run_is_watched_to_its_end_over_broken_connections() {
    let (cluster, run) = detached().await;
    run.pace.add_permits(1);
    let arguments = ["attach", "--format", "csv"];
    let attach = netplan(&cluster, &arguments).start();
    said(&attach, "Ctrl-C ends the watching").await;
    cluster.cut_forwards();
    run.pace.add_permits(1);
    cluster.cut_forwards();
    run.pace.add_permits(CELLS);
    let (out, _) = finished(attach, 0).await;
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
async fn a_run_that_measures_is_removed_only_by_force() {
    let (cluster, run) = detached().await;
    let before = cluster.made();
    let (_, err) = ended(&cluster, &["clean", &run.id], 2).await;
    let cancel = format!("`netplan cancel {} --namespace netplan` stops it", run.id);
    assert!(err.contains(&cancel) && err.contains("--force"), "{err}");
    let (_, err) = ended(&cluster, &["clean", "--all"], 0).await;
    assert!(
        err.contains(&format!("{} in netplan (running)", run.id)),
        "{err}"
    );
    assert!(err.contains("there was nothing to remove"), "{err}");
    // Another namespace has other people's runs.
    ended(
        &cluster,
        &["clean", "--all", "--force", "--namespace", "bench"],
        0,
    )
    .await;
    assert_eq!(cluster.made(), before);
    let (out, _) = ended(
        &cluster,
        &["clean", "--all", "--all-namespaces", "--force"],
        0,
    )
    .await;
    assert!(out.contains(&run.id), "{out}");
    assert_eq!(cluster.made(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_results_of_a_run_that_ended_alone_come_from_its_log() {
    let (cluster, run) = detached().await;
    run.pace.add_permits(CELLS);
    let fake_cluster::Running {
        id,
        journal,
        pace,
        over,
    } = run;
    timeout(SOON, over).await.unwrap().unwrap();
    let run = fake_cluster::Running {
        id,
        journal,
        pace,
        over: tokio::spawn(async {}),
    };
    let (out, err) = ended(&cluster, &["attach", &run.id, "--keep"], 0).await;
    assert!(out.contains("hairpin"), "{out}");
    assert!(err.contains(&format!("netplan clean {}", run.id)), "{err}");
    assert_whole(&results(&cluster, &run), &run);

    // Once more: all is here already, and now it goes.
    let (again, _) = ended(&cluster, &["attach"], 0).await;
    assert_eq!(again, out);
    assert_eq!(cluster.made(), Vec::<String>::new());
    let (_, err) = ended(&cluster, &["attach"], 2).await;
    assert_eq!(err, "error: there are no runs in this cluster\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupt_ends_the_watching_and_not_the_run() {
    let (cluster, run) = detached().await;
    let attach = netplan(&cluster, &["attach"]).start();
    said(&attach, "Ctrl-C ends the watching").await;
    run.pace.add_permits(1);
    said(&attach, "[1/4]").await;
    attach.signal(Signal::SIGINT);
    let (_, err) = finished(attach, 130).await;
    assert!(err.contains("continues by itself"), "{err}");
    let before = journal(&results(&cluster, &run));
    assert!(kinds(&before).contains(&"sample".to_owned()));

    run.pace.add_permits(CELLS);
    ended(&cluster, &["attach", &run.id], 0).await;
    let dir = results(&cluster, &run);
    assert!(journal(&dir).starts_with(&before));
    assert_whole(&dir, &run);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_run_keeps_what_was_measured_until_it_is_collected() {
    let (cluster, run) = detached().await;
    let near = format!("{}0", &run.id[..7]);
    if near != run.id {
        let (_, err) = ended(&cluster, &["cancel", &near], 2).await;
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
    let (_, err) = ended(&cluster, &["cancel"], 0).await;
    assert!(err.contains(&format!("netplan attach {}", run.id)), "{err}");
    let fake_cluster::Running {
        id,
        journal: folder,
        over,
        ..
    } = run;
    timeout(SOON, over).await.unwrap().unwrap();
    let (_, err) = ended(&cluster, &["cancel", &id], 0).await;
    assert!(err.contains("has ended already"), "{err}");
    let (status, _) = ended(&cluster, &["status"], 0).await;
    assert!(status.contains("cancelled at 1/4 cells"), "{status}");
    let (out, _) = ended(&cluster, &["attach"], 3).await;
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
async fn a_run_whose_command_line_dies_continues_and_is_collected_where_it_was() {
    for how in [Signal::SIGKILL, Signal::SIGHUP] {
        let (cluster, child, run) = measured(1).await;
        let made = cluster.made();
        child.signal(how);
        child.finish_in_task().await;
        assert_eq!(cluster.made(), made);
        run.pace.add_permits(CELLS);
        ended(&cluster, &["attach"], 0).await;
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
            let (status, _) = ended(&cluster, &["status"], 0).await;
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
    let (_, err) = ended(&cluster, &["attach", "zzz"], 2).await;
    settings.bind(|| insta::assert_snapshot!("attach_unknown", err));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_was_interrupted_continues_as_one_run() {
    let (cluster, child, first) = measured(1).await;
    child.signal(Signal::SIGINT);
    finished(child, 130).await;
    assert_eq!(cluster.made(), Vec::<String>::new());
    timeout(SOON, first.over).await.unwrap().unwrap();
    let dir = cluster.folder.path().join("netplan-results");
    let dir = fs::read_dir(dir).unwrap().next().unwrap().unwrap().path();
    let before = journal(&dir);
    assert_eq!(kinds(&before).last().unwrap(), "run_ended");

    let local = ["run", "--on", "local", "--resume", dir.to_str().unwrap()];
    let (_, err) = ended(&cluster, &local, 2).await;
    assert!(err.contains("continue it with `--on kubernetes`"), "{err}");
    let arguments = ["run", "--resume", dir.to_str().unwrap()];
    let child = netplan(&cluster, &arguments).start();
    let second = played(&cluster, &child).await;
    assert_eq!(second.id, first.id);
    second.pace.add_permits(CELLS - 1);
    finished(child, 0).await;
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
    let (cluster, child, first) = measured(2).await;
    first.over.abort();
    // Its successor has another journal, in which less has happened.
    let second = played(&cluster, &child).await;
    let (_, err) = finished(child, 1).await;
    assert!(err.contains("the orchestrator has started again"), "{err}");
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
    let (out, err) = finished(child, 1).await;
    assert!(out.contains("hairpin"), "{out}");
    assert!(err.contains("you have been logged out"), "{err}");
    assert!(err.contains(&format!("netplan attach {}", run.id)), "{err}");
    assert_eq!(cluster.made(), made);

    cluster.api.mend();
    run.pace.add_permits(CELLS);
    ended(&cluster, &["attach"], 0).await;
    assert_whole(&results(&cluster, &run), &run);
    assert_eq!(cluster.made(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_ends_in_a_moment_without_a_connection_is_collected_from_its_log() {
    let (cluster, child, run) = measured(1).await;
    cluster.cut_orchestrator_off();
    run.pace.add_permits(CELLS);
    let (out, err) = finished(child, 0).await;
    assert!(out.contains("hairpin"), "{out}");
    assert!(!err.contains("netplan attach"), "{err}");
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
    let (_, err) = finished(child, 1).await;
    assert!(err.contains("not started again after 4 restarts"), "{err}");
    assert_eq!(cluster.made(), Vec::<String>::new());
}

//! The cluster of the current kubeconfig, for real. Ignored: it needs one, with the image in it.
//!
//! `cargo nextest run --run-ignored only -E 'test(kubernetes_real)'`
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use futures::StreamExt;
use netplan::cluster::kubernetes::{Access, Kubernetes, Patience, Settings, State, Which};
use netplan::cluster::{Cluster, Error, Next};
use netplan::diag::Source;
use netplan::plan::{self, Plan};
use netplan::render::{
    Identities, Manifest, ORCHESTRATOR_PORT, RunContext, Templates, WorkerPorts, manifests,
};
use netplan::results::{EventKind, Journal, Outcome};
use netplan::rpc::pb::{CollectedRequest, WatchRequest};
use netplan::rpc::{self, Identity, RunIdentities};
use netplan::tools;
use serde_json::json;

use crate::support::processes_naming;

const LISTENS_WITHIN: Duration = Duration::from_secs(30);

/// A run that is ready to be applied.
struct Prepared {
    run: RunContext,
    manifests: Vec<Manifest>,
    client: Identity,
}

fn quick() -> Plan {
    let text = include_str!("../../plans/quick.yaml");
    plan::load(Source::new("quick.yaml", text), &[]).unwrap()
}

fn prepare(plan: &Plan, id: &str, namespace: &str, image: Option<&str>) -> Prepared {
    let mut run = RunContext::new(id, None);
    namespace.clone_into(&mut run.namespace);
    if let Some(image) = image {
        image.clone_into(&mut run.image);
    }
    let names: Vec<&str> = plan.workers.keys().map(String::as_str).collect();
    let identities = RunIdentities::issue(id, &names).unwrap();
    let workers: Vec<WorkerPorts<'_>> = plan
        .workers
        .iter()
        .map(|(name, placement)| WorkerPorts {
            name,
            placement,
            host_network: plan.on_host_network(name),
            ports: tools::ports_of(plan, name),
        })
        .collect();
    let secrets = Identities {
        in_pods: std::iter::once(&identities.orchestrator)
            .chain(&identities.workers)
            .collect(),
        client: &identities.client,
    };
    let text = plan.to_yaml().unwrap();
    let templates = Templates::embedded();
    let manifests = manifests(
        &run,
        &plan.name,
        &text,
        &plan.kubernetes,
        &workers,
        &secrets,
        &templates,
    )
    .unwrap();
    Prepared {
        run,
        manifests,
        client: identities.client,
    }
}

/// A test has a namespace of its own, so that tests can run side by side.
fn fresh() -> (String, String) {
    let id = format!("{:08x}", getrandom::u32().unwrap());
    let namespace = format!("netplan-e2e-{id}");
    (id, namespace)
}

async fn open() -> Access {
    let begun = Instant::now();
    let access = Access::open(&Settings::default()).await.unwrap();
    access.telling(move |line| println!("{:6.1} s  {line}", begun.elapsed().as_secs_f64()))
}

/// Follows a run to its end over as many streams as it takes; gives the outcome of each cell.
async fn follow(cluster: &Kubernetes, prepared: &Prepared, cuts: &mut Vec<u64>) -> Vec<Outcome> {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = Journal::create(folder.path()).unwrap();
    let mut outcomes = Vec::new();
    'streams: loop {
        let stream = cluster
            .connect(
                &prepared.run.orchestrator(),
                ORCHESTRATOR_PORT,
                LISTENS_WITHIN,
            )
            .await
            .unwrap();
        let Ok(mut client) = rpc::connect_over(stream, &prepared.client).await else {
            continue;
        };
        let from_seq = journal.next_seq();
        let Ok(records) = client.watch(WatchRequest { from_seq }).await else {
            continue;
        };
        let mut records = records.into_inner();
        while let Ok(Some(record)) = records.message().await {
            let Some(event) = journal.append_raw_line(&record.line).unwrap() else {
                continue;
            };
            match event.kind {
                EventKind::CellEnded { outcome, .. } => outcomes.push(outcome),
                EventKind::RunEnded { .. } => {
                    let through_seq = journal.next_seq();
                    let collected = CollectedRequest { through_seq };
                    let _ = client.collected(collected).await;
                    return outcomes;
                }
                _ => {}
            }
            if cuts.first().is_some_and(|cut| *cut <= journal.next_seq()) {
                cuts.remove(0);
                continue 'streams;
            }
        }
    }
}

fn all_measured(outcomes: &[Outcome]) {
    let is_bad = |outcome: &&Outcome| !matches!(outcome, Outcome::Measured { .. });
    let bad: Vec<_> = outcomes.iter().filter(is_bad).collect();
    assert_eq!(bad, Vec::<&Outcome>::new());
    assert_eq!(outcomes.len(), 38);
}

#[tokio::test]
#[ignore = "needs a Kubernetes cluster with netplan's image"]
async fn the_quick_plan_runs_to_its_end() {
    let access = open().await;
    let (id, namespace) = fresh();
    let prepared = prepare(&quick(), &id, &namespace, None);
    let troubles = access.preflight(&namespace, &prepared.manifests).await;
    assert_eq!(troubles, []);

    let cluster = access.run(&id, &namespace);
    let begun = Instant::now();
    cluster.apply(&prepared.manifests).await.unwrap();
    println!("applied and ready: {:.1} s", begun.elapsed().as_secs_f64());
    println!("{:#}", cluster.description());

    let runs = access.runs().await.unwrap();
    let run = runs.iter().find(|run| run.id == id).unwrap();
    assert_eq!(
        (run.state, run.workers, run.workers_up),
        (State::Running, 3, 3)
    );

    // The stream is cut twice on the way.
    let orchestrator = prepared.run.orchestrator();
    let log = cluster.follow_logs(&orchestrator).await.unwrap();
    let mut cuts = vec![20, 60];
    let (outcomes, log) = tokio::join!(
        follow(&cluster, &prepared, &mut cuts),
        log.map(Result::unwrap).collect::<Vec<String>>()
    );
    println!("{} lines of log", log.len());
    assert_eq!(log.last().map(String::as_str), Some("END CSV DATA"));
    println!("measured: {:.1} s", begun.elapsed().as_secs_f64());
    all_measured(&outcomes);
    let mut over = BTreeSet::new();
    while over.len() < 4 {
        let ended = cluster.ended().await.unwrap();
        println!("{ended}");
        over.insert(ended.pod);
    }
    let runs = access.runs().await.unwrap();
    let run = runs.iter().find(|run| run.id == id).unwrap();
    assert_eq!(run.state, State::Finished);

    let begun = Instant::now();
    cluster.down().await.unwrap();
    println!("down: {:.1} s", begun.elapsed().as_secs_f64());
    let runs = access.runs().await.unwrap();
    assert!(runs.iter().all(|run| run.id != id));
}

#[tokio::test]
#[ignore = "needs a Kubernetes cluster"]
async fn an_image_that_cannot_be_pulled_is_said_within_seconds() {
    let access = open().await;
    let (id, namespace) = fresh();
    let image = "registry.invalid/netplan:none";
    let prepared = prepare(&quick(), &id, &namespace, Some(image));
    let cluster = access.run(&id, &namespace);
    let begun = Instant::now();
    let error = cluster.apply(&prepared.manifests).await.unwrap_err();
    println!("{error}");
    assert!(begun.elapsed() < Duration::from_secs(40));
    assert!(error.to_string().contains("Image"), "{error}");
    assert!(error.to_string().contains(image), "{error}");
    // The first one's terminal is gone; another command line cleans up.
    drop(cluster);
    let removed = access.clean(&Which::Run(id.clone())).await.unwrap();
    assert_eq!(removed.len(), 1);
    assert_eq!(access.clean(&Which::Run(id)).await.unwrap(), []);
}

#[tokio::test]
#[ignore = "needs a Kubernetes cluster"]
async fn a_placement_that_cannot_be_is_said_before_and_after() {
    let access = open().await;
    let (id, namespace) = fresh();
    let text = "version: 1\nname: many\nworkers:\n  w1: { same_node_as: w2 }\n  w2: {}\n  w3: { other_node_than: w2 }\npaths:\n  - { name: p, from: w1, to: w2, via: pod_ip }\ntests:\n  - iperf3: {}\n";
    let plan = plan::load(Source::new("many.yaml", text), &[]).unwrap();
    let mut prepared = prepare(&plan, &id, &namespace, None);
    for manifest in &mut prepared.manifests {
        if manifest.object["metadata"]["labels"]["netplan/worker"] == "w3" {
            manifest.object["spec"]["nodeSelector"] = json!({"netplan-e2e": "nowhere"});
        }
    }
    let troubles = access.preflight(&namespace, &prepared.manifests).await;
    println!("{troubles:#?}");
    assert_eq!(troubles.len(), 1);
    let patience = Patience {
        hitch: Duration::from_secs(3),
        ..Patience::default()
    };
    let settings = Settings {
        patience,
        ..Settings::default()
    };
    let access = Access::open(&settings).await.unwrap();
    let cluster = access.run(&id, &namespace);
    let error = cluster.apply(&prepared.manifests).await.unwrap_err();
    println!("{error}");
    assert!(matches!(error, Error::PodFailed { .. }));
    assert!(error.to_string().contains("Unschedulable"), "{error}");
    cluster.down().await.unwrap();
}

#[tokio::test]
#[ignore = "needs a Kubernetes cluster"]
async fn the_api_server_names_a_field_that_it_does_not_know() {
    let access = open().await;
    let (id, namespace) = fresh();
    let mut prepared = prepare(&quick(), &id, &namespace, None);
    let pod = prepared.manifests.last_mut().unwrap();
    pod.object["spec"]["hostNetwrok"] = json!(true);
    let cluster = access.run(&id, &namespace);
    let error = cluster.apply(&prepared.manifests).await.unwrap_err();
    println!("{error}");
    assert!(
        matches!(&error, Error::Refused { field, .. } if field == "spec.hostNetwrok"),
        "{error:?}"
    );
    cluster.down().await.unwrap();
}

/// Kills the process of a pod whose node is this machine.
fn kill(id: &str, role: &str) {
    let of_role = |line: &String| line.contains(id) && line.contains(role);
    let found = processes_naming("netplan");
    let Some(process) = found.iter().find(|line| of_role(line)) else {
        panic!("the nodes are not on this machine: {found:?}");
    };
    let pid: i32 = process.split(' ').next().unwrap().parse().unwrap();
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::SIGKILL).unwrap();
}

#[tokio::test]
#[ignore = "needs a Kubernetes cluster on this machine, with netplan's image"]
async fn a_run_survives_the_end_of_a_worker_and_of_the_orchestrator() {
    let access = open().await;
    let (id, namespace) = fresh();
    let prepared = prepare(&quick(), &id, &namespace, None);
    let cluster = access.run(&id, &namespace);
    cluster.apply(&prepared.manifests).await.unwrap();
    let crashes = async {
        for role in ["--name=w2", "netplan orchestrator"] {
            tokio::time::sleep(Duration::from_secs(8)).await;
            kill(&id, role);
            let ended = cluster.ended().await.unwrap();
            println!("{ended}");
            assert_eq!(ended.next, Next::Restarted(1));
        }
    };
    let mut cuts = Vec::new();
    let (outcomes, ()) = tokio::join!(follow(&cluster, &prepared, &mut cuts), crashes);
    all_measured(&outcomes);
    cluster.down().await.unwrap();
}

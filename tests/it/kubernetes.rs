//! The Kubernetes engine against an API server in memory. Time does not pass: it jumps.
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::Method;
use netplan::cluster::kubernetes::{Connection, Kubernetes, State, Timeouts};
use netplan::cluster::{Cluster, Error, Exit, Next};
use netplan::diag::Source;
use netplan::render::Manifest;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};

use crate::fake_api::{Cut, FakeApi, Fault, container, running, waiting};
use crate::render::shipped;

const RUN: &str = "0badcafe";
const NAMESPACE: &str = "netplan";
const ORCHESTRATOR: &str = "netplan-0badcafe-orchestrator";
const SOON: Duration = Duration::from_secs(3);

fn manifests() -> Vec<Manifest> {
    let mut all = shipped();
    if all.iter().all(|one| one.kind() != "Namespace") {
        let object = json!({"apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": NAMESPACE, "labels": {"app.kubernetes.io/name": "netplan"}}});
        let namespace = Manifest {
            template: "namespace.yaml.j2".into(),
            text: object.to_string(),
            object,
        };
        all.insert(0, namespace);
    }
    all
}

fn run(api: &FakeApi) -> Kubernetes {
    access(api).run(RUN, NAMESPACE)
}

fn access(api: &FakeApi) -> Connection {
    Connection::from_client(api.client(), Timeouts::default())
}

fn fault(
    method: Method,
    path: &'static str,
    code: u16,
    message: &'static str,
    times: u32,
) -> Fault {
    Fault {
        method,
        path,
        code,
        message,
        times,
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_comes_up_is_listed_and_leaves_nothing() {
    let api = FakeApi::new(|_| running());
    let bystander = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "mine"}});
    api.put("configmaps", "elsewhere", &bystander);
    let before = api.all();
    assert_eq!(access(&api).preflight(NAMESPACE, &manifests()).await, []);
    assert_eq!(api.all(), before);

    let cluster = run(&api);
    cluster.apply(&manifests()).await.unwrap();
    let plan = api
        .get("configmaps", NAMESPACE, "netplan-0badcafe")
        .unwrap();
    for manifest in manifests() {
        let resource = match manifest.kind() {
            "ConfigMap" | "Namespace" => continue,
            "NetworkPolicy" => "networkpolicies".to_owned(),
            kind => kind.to_lowercase() + "s",
        };
        let object = api.get(&resource, NAMESPACE, manifest.name()).unwrap();
        let owner = &object["metadata"]["ownerReferences"][0];
        assert_eq!(owner["uid"], plan["metadata"]["uid"], "{resource}");
    }
    assert_eq!(cluster.description()["server_version"], "v1.20.2");
    assert_eq!(cluster.description()["nodes"][1]["name"], "n2");

    let runs = access(&api).runs().await.unwrap();
    assert_eq!(runs.len(), 1);
    assert_eq!((runs[0].id.as_str(), runs[0].state), (RUN, State::Running));
    assert_eq!((runs[0].workers, runs[0].workers_up), (3, 3));
    assert_eq!(runs[0].version.as_deref(), Some("0.0.0"));

    cluster.down().await.unwrap();
    assert_eq!(api.all(), before);
}

#[tokio::test(start_paused = true)]
async fn what_kubelets_clean_up_behind_ended_containers_is_not_waited_for() {
    let api = FakeApi::new(|_| running());
    let before = api.all();
    let cluster = run(&api);
    cluster.apply(&manifests()).await.unwrap();
    api.let_pods_linger();
    cluster.down().await.unwrap();
    assert_eq!(api.all(), before);
}

#[tokio::test(start_paused = true)]
async fn a_namespace_of_somebody_else_stays() {
    let api = FakeApi::new(|_| running());
    api.put("namespaces", "", &json!({"metadata": {"name": NAMESPACE}}));
    let cluster = run(&api);
    cluster.apply(&manifests()).await.unwrap();
    cluster.down().await.unwrap();
    assert_eq!(api.all(), ["namespaces/netplan", "nodes/n1", "nodes/n2"]);
}

#[tokio::test(start_paused = true)]
async fn a_namespace_that_others_moved_into_stays_too() {
    for kind in [
        "secrets",
        "cronjobs",
        "roles",
        "resourcequotas",
        "limitranges",
        "horizontalpodautoscalers",
        "poddisruptionbudgets",
    ] {
        let api = FakeApi::new(|_| running());
        let cluster = run(&api);
        cluster.apply(&manifests()).await.unwrap();
        api.put(kind, NAMESPACE, &json!({"metadata": {"name": "mine"}}));
        cluster.down().await.unwrap();
        assert!(api.get(kind, NAMESPACE, "mine").is_some(), "{kind}");
        assert!(api.get("namespaces", "", NAMESPACE).is_some(), "{kind}");
    }
}

#[tokio::test(start_paused = true)]
async fn another_command_line_cleans_up_only_what_is_netplans() {
    let api = FakeApi::new(|_| running());
    api.put("namespaces", "", &json!({"metadata": {"name": NAMESPACE}}));
    api.put(
        "pods",
        NAMESPACE,
        &json!({"metadata": {"name": "mine", "labels": {"netplan/run": RUN}}}),
    );
    run(&api).apply(&manifests()).await.unwrap();
    let runs = access(&api).runs().await.unwrap();
    assert_eq!(runs.len(), 1);
    assert_eq!(access(&api).clean(&runs, true).await, [Ok(())]);
    assert_eq!(
        api.all(),
        ["namespaces/netplan", "nodes/n1", "nodes/n2", "pods/mine"]
    );
}

async fn fails(kubelet: crate::fake_api::Kubelet, patience: Duration) -> (String, Duration) {
    let api = FakeApi::new(kubelet);
    let begun = Instant::now();
    let cluster = run(&api);
    let error = cluster.apply(&manifests()).await.unwrap_err();
    let took = begun.elapsed();
    assert!(took <= patience, "{took:?}");
    cluster.down().await.unwrap();
    assert_eq!(api.all(), ["nodes/n1", "nodes/n2"]);
    (error.to_string(), took)
}

#[tokio::test(start_paused = true)]
async fn what_keeps_a_pod_from_starting_is_said_in_seconds() {
    let (pull, _) = fails(
        |name| match name {
            "netplan-0badcafe-w2" => waiting("ErrImagePull", "netplan:0.0.0: not found"),
            _ => running(),
        },
        Duration::from_secs(13),
    )
    .await;
    let (crash, took) = fails(
        |name| match name {
            ORCHESTRATOR => waiting(
                "CrashLoopBackOff",
                "back-off 10s restarting failed container",
            ),
            _ => running(),
        },
        Duration::from_secs(1),
    )
    .await;
    assert!(took < Duration::from_secs(1));
    let (never, _) = fails(|_| waiting("ErrImageNeverPull", "not present"), SOON).await;
    let (evicted, _) = fails(
        |name| match name {
            "netplan-0badcafe-w3" => {
                json!({"phase": "Failed", "reason": "Evicted", "message": "low on memory"})
            }
            _ => running(),
        },
        Duration::from_secs(46),
    )
    .await;
    let (full, _) = fails(
        |name| match name {
            "netplan-0badcafe-w3" => {
                waiting("CreateContainerConfigError", "secret \"x\" not found")
            }
            _ => running(),
        },
        Duration::from_secs(13),
    )
    .await;
    let (stuck, _) = fails(
        |name| match name {
            "netplan-0badcafe-w1" => waiting("ContainerCreating", ""),
            _ => running(),
        },
        Duration::from_secs(301),
    )
    .await;
    let all = [pull, crash, never, evicted, full, stuck].join("\n\n");
    crate::support::snapshots().bind(|| insta::assert_snapshot!("kubernetes_pod_failures", all));
}

#[tokio::test(start_paused = true)]
async fn it_says_what_it_waits_for_but_not_every_moment() {
    let api = FakeApi::new(|name| match name {
        "netplan-0badcafe-w1" => waiting("ContainerCreating", ""),
        _ => running(),
    });
    let lines = Arc::new(Mutex::new(Vec::new()));
    let said = lines.clone();
    let access = access(&api).with_progress(move |line| said.lock().unwrap().push(line.to_owned()));
    let cluster = access.run(RUN, NAMESPACE);
    let later = async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        // A watch that has outlived its version begins anew, and sees what happened meanwhile.
        api.cut_watches(Cut::Refused);
        api.set_status(NAMESPACE, "netplan-0badcafe-w1", &running());
    };
    let manifests = manifests();
    let (applied, ()) = tokio::join!(cluster.apply(&manifests), later);
    applied.unwrap();
    let lines = lines.lock().unwrap().clone();
    assert_eq!(
        lines[0],
        "3 of 4 pods are ready; waiting for `netplan-0badcafe-w1` (image and container)"
    );
    assert!(lines.len() <= 2, "{lines:?}");
}

#[tokio::test(start_paused = true)]
async fn the_servers_moods_are_outlasted() {
    for (method, path, code) in [
        (Method::PATCH, "/secrets/", 500),
        (Method::PATCH, "/jobs/", 409),
        (Method::PATCH, "/configmaps/", 429),
        (Method::PATCH, "/jobs/netplan-0badcafe-w1", 503),
        (Method::GET, "watch=true", 500),
        (Method::GET, "/pods", 429),
    ] {
        let api = FakeApi::new(|_| running());
        api.fail(fault(method, path, code, "not now", 2));
        let cluster = run(&api);
        cluster.apply(&manifests()).await.unwrap();
        cluster.down().await.unwrap();
        assert_eq!(api.all(), ["nodes/n1", "nodes/n2"], "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_know_field_validation_is_asked_without() {
    let api = FakeApi::new(|_| running());
    let message = "invalid query parameter fieldValidation";
    api.fail(fault(Method::PATCH, "fieldValidation", 400, message, 100));
    run(&api).apply(&manifests()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_refusal_names_object_template_and_field() {
    let refused = async |code, path, message| {
        let api = FakeApi::new(|_| running());
        api.fail(fault(Method::PATCH, path, code, message, 100));
        let cluster = run(&api);
        let error = cluster.apply(&manifests()).await.unwrap_err();
        cluster.down().await.unwrap();
        assert_eq!(api.all(), ["nodes/n1", "nodes/n2"]);
        error.to_string()
    };
    let all = [
        refused(
            500,
            "/jobs/netplan-0badcafe-w2",
            "failed to create typed patch object: .spec.hostNetwrok: field not declared in schema",
        )
        .await,
        refused(
            422,
            "/jobs/",
            "failed to create typed patch object (np/o; batch/v1, Kind=Job): .spec.foo: field not declared in schema",
        )
        .await,
        refused(
            403,
            "/jobs/netplan-0badcafe-w1",
            "jobs.batch \"netplan-0badcafe-w1\" is forbidden: violates PodSecurity \"restricted:latest\": host namespaces",
        )
        .await,
        refused(
            403,
            "/secrets/",
            "secrets \"x\" is forbidden: User \"jo\" cannot patch resource \"secrets\" in API group \"\" in the namespace \"netplan\"",
        )
        .await,
        refused(
            403,
            "/services/",
            "services \"x\" is forbidden: exceeded quota: small, requested: services=1, used: services=5, limited: services=5",
        )
        .await,
    ];
    crate::support::snapshots()
        .bind(|| insta::assert_snapshot!("kubernetes_refusals", all.join("\n\n")));
}

#[tokio::test(start_paused = true)]
async fn the_preflight_tells_all_at_once() {
    let api = FakeApi::new(|_| running());
    api.deny("create", "namespaces");
    api.deny("create", "jobs");
    api.deny("patch", "jobs");
    api.deny("get", "pods");
    let mut node = api.get("nodes", "", "n2").unwrap();
    node["spec"] = json!({"unschedulable": true});
    api.put("nodes", "", &node);
    let problems = access(&api).preflight(NAMESPACE, &manifests()).await;
    let all: Vec<String> = problems.iter().map(ToString::to_string).collect();
    crate::support::snapshots()
        .bind(|| insta::assert_snapshot!("kubernetes_preflight", all.join("\n\n")));
}

async fn clean_all(api: &FakeApi) {
    let runs = access(api).runs().await.unwrap();
    assert!(
        access(api)
            .clean(&runs, true)
            .await
            .iter()
            .all(Result::is_ok)
    );
}

#[tokio::test(start_paused = true)]
async fn the_preflight_asks_whether_pods_are_admitted() {
    let checked = async |answer: Option<(u16, &'static str)>| {
        let api = FakeApi::new(|_| running());
        api.put("namespaces", "", &json!({"metadata": {"name": NAMESPACE}}));
        if let Some((code, message)) = answer {
            api.fail(fault(Method::POST, "/pods?", code, message, 100));
        }
        let findings = access(&api).checkup(NAMESPACE, &manifests()).await;
        let all: Vec<String> = findings.iter().map(ToString::to_string).collect();
        let pods = all.into_iter().find(|line| line.contains(" pods: "));
        pods.unwrap()
    };
    let all = [
        checked(None).await,
        checked(Some((504, "the request has timed out"))).await,
        checked(Some((403, "pods is forbidden: User \"jo\" cannot create resource \"pods\" in API group \"\""))).await,
        checked(Some((403, "pods \"x\" is forbidden: exceeded quota: small, requested: pods=1, used: pods=5, limited: pods=5"))).await,
        checked(Some((403, "pods \"x\" is forbidden: maximum memory usage per Container is 64Mi, but limit is 128Mi"))).await,
        checked(Some((400, "admission webhook \"policy.example.com\" denied the request: images come from registry.example.com"))).await,
    ];
    crate::support::snapshots()
        .bind(|| insta::assert_snapshot!("kubernetes_admission", all.concat()));
}

#[tokio::test(start_paused = true)]
async fn the_preflight_refuses_a_family_that_the_cluster_lacks() {
    let plan = |path: &str| {
        let text = format!(
            "version: 1\nname: p\nworkers: {{ w1: {{}}, w2: {{}} }}\n\
             paths: [{{ name: a, from: w1, to: w2, {path} }}]\ntests: [iperf3: {{}}]\n"
        );
        netplan::plan::load(Source::new("p.yaml", text), &[]).unwrap()
    };
    let checked = async |path: &str, ranges: &[&str], refusal: Option<&'static str>| {
        let api = FakeApi::new(|_| running());
        api.put("namespaces", "", &json!({"metadata": {"name": NAMESPACE}}));
        let mut node = api.get("nodes", "", "n1").unwrap();
        node["spec"] = json!({"podCIDRs": ranges});
        api.put("nodes", "", &node);
        if let Some(message) = refusal {
            api.fail(fault(Method::POST, "/services?", 422, message, 1));
        }
        let (access, plan) = (access(&api), plan(path));
        let finding = access.family_check(NAMESPACE, &plan, &manifests()).await;
        finding.map(|finding| finding.to_string())
    };
    let (v4, dual) = (["10.1.0.0/24"], ["10.1.0.0/24", "fd00:1::/64"]);
    let service = "via: cluster_ip, family: ipv6";
    let none = "Service \"x\" is invalid: spec.ipFamilies[0]: Invalid value: \"IPv6\": not configured on this cluster";
    assert_eq!(checked("via: cluster_ip", &v4, None).await, None);
    let all = [
        checked("via: pod_ip, family: ipv6", &v4, None).await,
        checked("via: pod_ip, family: ipv6", &dual, None).await,
        checked(service, &dual, Some(none)).await,
        checked(service, &dual, None).await,
    ];
    let all: Vec<String> = all.into_iter().flatten().collect();
    assert_eq!(all.len(), 4);
    crate::support::snapshots()
        .bind(|| insta::assert_snapshot!("kubernetes_families", all.concat()));
}

type Right = (String, String, String);

/// What the roles of rbac.yaml allow, by their names.
fn roles() -> BTreeMap<String, BTreeSet<Right>> {
    let text = include_str!("../../rbac.yaml");
    let words = |value: &Value| -> Vec<String> {
        let all = value.as_array().unwrap().iter();
        all.map(|word| word.as_str().unwrap().to_owned()).collect()
    };
    let role = |text: &str| {
        let role = netplan::plan::document(text).unwrap();
        let mut rights = BTreeSet::new();
        for rule in role["rules"].as_array().unwrap() {
            for group in words(&rule["apiGroups"]) {
                for resource in words(&rule["resources"]) {
                    let verbs = words(&rule["verbs"]).into_iter();
                    rights.extend(verbs.map(|verb| (group.clone(), resource.clone(), verb)));
                }
            }
        }
        (
            role["metadata"]["name"].as_str().unwrap().to_owned(),
            rights,
        )
    };
    text.split("\n---\n").map(role).collect()
}

/// The right that a request in the run's namespace takes.
fn right(request: &str) -> Option<Right> {
    let (method, uri) = request.split_once(' ')?;
    let uri = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
    let (before, inside) = path.split_once("/namespaces/netplan/")?;
    let group = match before.split_once("/apis/") {
        Some((_, group)) => group.split('/').next()?,
        None => "",
    };
    let mut words = inside.split('/');
    let (resource, name, sub) = (words.next()?, words.next(), words.next());
    let verb = match (method, name.is_some()) {
        ("GET", false) if query.contains("watch=true") => "watch",
        ("GET", false) => "list",
        ("GET", true) => "get",
        ("DELETE", false) => "deletecollection",
        ("DELETE", true) => "delete",
        ("PATCH", _) => "patch",
        _ => "create",
    };
    let resource = match sub {
        Some(sub) => format!("{resource}/{sub}"),
        None => resource.to_owned(),
    };
    Some((group.to_owned(), resource, verb.to_owned()))
}

#[tokio::test(start_paused = true)]
async fn the_least_role_is_what_the_preflight_asks_for_and_a_run_uses() {
    let roles = roles();
    let least = &roles["netplan"];
    let api = FakeApi::new(|_| running());
    let manifests = manifests();
    assert_eq!(access(&api).preflight(NAMESPACE, &manifests).await, []);
    let making = &roles["netplan-namespaces"];
    let asked = api.asked();
    // `kubectl apply` of the rendered objects reads each before it writes.
    let by_kubectl = manifests
        .iter()
        .filter(|one| one.kind() != "Namespace")
        .map(|one| {
            let group = one.object["apiVersion"].as_str().unwrap().split_once('/');
            let group = group.map_or("", |(group, _)| group).to_owned();
            let plural = one.kind().to_lowercase().replace("policy", "policie") + "s";
            (group, plural, "get".to_owned())
        });
    let asked: BTreeSet<Right> = asked.into_iter().chain(by_kubectl).collect();
    let allowed: BTreeSet<Right> = least.union(making).cloned().collect();
    assert_eq!(asked, allowed);

    let api = FakeApi::new(|_| running());
    api.put("namespaces", "", &json!({"metadata": {"name": NAMESPACE}}));
    assert_eq!(access(&api).preflight(NAMESPACE, &manifests).await, []);
    assert!(api.asked().is_subset(least));
    let cluster = run(&api);
    cluster.apply(&manifests).await.unwrap();
    let evicted = json!({"phase": "Failed", "reason": "Evicted", "message": "low on disk"});
    api.set_status(NAMESPACE, "netplan-0badcafe-w2", &evicted);
    next_end(&cluster).await;
    cluster.logs("netplan-0badcafe-w2").await.unwrap();
    clean_all(&api).await;
    // Events and quotas are a help where one may see them; pods go with their Jobs; who may not create pods is not told what
    // admission makes of them.
    let tolerated = |right: &Right| {
        let (resource, verb) = (right.1.as_str(), right.2.as_str());
        matches!(resource, "events" | "resourcequotas" | "limitranges")
            || resource == "pods" && matches!(verb, "deletecollection" | "create")
    };
    for request in api.requests() {
        if let Some(right) = right(&request).filter(|right| !tolerated(right)) {
            assert!(least.contains(&right), "{request}: {right:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn who_may_do_only_the_least_can_run_and_clean_up() {
    let api = FakeApi::new(|_| running());
    api.put("namespaces", "", &json!({"metadata": {"name": NAMESPACE}}));
    for path in [
        "/nodes",
        "/api/v1/namespaces/netplan?",
        "/events",
        "kube-system",
    ] {
        api.fail(fault(Method::GET, path, 403, "not for you", 1000));
    }
    api.fail(fault(Method::DELETE, "/pods?", 403, "not for you", 1000));
    let manifests = manifests();
    assert_eq!(access(&api).preflight(NAMESPACE, &manifests).await, []);
    run(&api).apply(&manifests).await.unwrap();
    clean_all(&api).await;
    assert_eq!(api.all(), ["namespaces/netplan", "nodes/n1", "nodes/n2"]);
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_no_config_map_takes_is_refused_before() {
    let api = FakeApi::new(|_| running());
    let mut manifests = manifests();
    let is_map = |one: &&mut Manifest| one.kind() == "ConfigMap";
    let map = manifests.iter_mut().find(is_map).unwrap();
    map.object["data"]["plan.yaml"] = json!("x".repeat(1 << 20));
    let problems = access(&api).preflight(NAMESPACE, &manifests).await;
    assert_eq!(problems.len(), 1);
    insta::assert_snapshot!(
        problems[0],
        @"the resolved plan has 1025 KiB, and a ConfigMap takes 1024 KiB; split the plan into two, or shorten its lists of values to `{ from, to, step }`"
    );
}

#[tokio::test(start_paused = true)]
async fn the_journal_of_a_run_that_continues_takes_its_part_of_the_config_map() {
    let api = FakeApi::new(|_| running());
    let mut manifests = manifests();
    let is_map = |one: &&mut Manifest| one.kind() == "ConfigMap";
    let map = manifests.iter_mut().find(is_map).unwrap();
    map.object["data"]["plan.yaml"] = json!("x".repeat(400 << 10));
    // In base64: 4 characters for 3 bytes.
    map.object["binaryData"]["journal.gz"] = json!("AAAA".repeat((600 << 10) / 3));
    assert_eq!(access(&api).preflight(NAMESPACE, &manifests).await, []);
    let map = manifests.iter_mut().find(is_map).unwrap();
    map.object["binaryData"]["journal.gz"] = json!("AAAA".repeat((700 << 10) / 3));
    let problems = access(&api).preflight(NAMESPACE, &manifests).await;
    assert_eq!(problems.len(), 1);
    insta::assert_snapshot!(
        problems[0],
        @"the resolved plan and the journal so far have 1101 KiB, and a ConfigMap takes 1024 KiB; run the missing cells as a separate run, with `--only`"
    );
}

#[tokio::test(start_paused = true)]
async fn host_network_needs_a_namespace_that_allows_it() {
    let api = FakeApi::new(|_| running());
    let restricted = json!({"metadata": {"name": NAMESPACE,
        "labels": {"pod-security.kubernetes.io/enforce": "baseline"}}});
    api.put("namespaces", "", &restricted);
    let mut manifests = manifests();
    manifests.last_mut().unwrap().object["spec"]["template"]["spec"]["hostNetwork"] = json!(true);
    let problems = access(&api).preflight(NAMESPACE, &manifests).await;
    assert_eq!(problems.len(), 1);
    assert!(
        problems[0].what.contains("level `baseline`"),
        "{problems:?}"
    );
}

/// The next end, or a panic: it has to come from what has happened already.
async fn next_end(cluster: &Kubernetes) -> netplan::cluster::PodEnded {
    match timeout(Duration::from_secs(90), cluster.ended()).await {
        Ok(Some(ended)) => ended,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_pod_whose_job_is_deleted_has_no_successor() {
    let api = FakeApi::new(|_| running());
    let cluster = run(&api);
    cluster.apply(&manifests()).await.unwrap();
    // Current kubelets say how a deleted pod has ended before it is gone.
    api.let_pods_linger();
    api.delete("jobs", NAMESPACE, ORCHESTRATOR);
    let ended = json!({"terminated": {"exitCode": 1}});
    let failed =
        json!({"phase": "Failed", "containerStatuses": [container(&ended, 0, &json!({}))]});
    api.set_status(NAMESPACE, ORCHESTRATOR, &failed);
    let ended = next_end(&cluster).await;
    assert_eq!((ended.exit, ended.next), (Exit::Code(1), Next::Removed));
}

#[tokio::test(start_paused = true)]
async fn restarts_evictions_and_deletions_are_told_over_cut_watches() {
    let api = FakeApi::new(|_| running());
    let cluster = run(&api);
    cluster.apply(&manifests()).await.unwrap();
    let w1 = "netplan-0badcafe-w1";
    let restarted = |count: u32, code: i32| -> Value {
        let last = json!({"terminated": {"exitCode": code}});
        let mut status = running();
        status["containerStatuses"] = json!([container(&json!({"running": {}}), count, &last)]);
        status
    };
    api.set_status(NAMESPACE, w1, &restarted(1, 137));
    let ended = next_end(&cluster).await;
    assert_eq!((ended.pod.as_str(), ended.exit), (w1, Exit::Signal(9)));
    assert_eq!(ended.next, Next::Restarted(1));
    assert_eq!(ended.last_lines, ["the last line"]);

    // Nothing is told twice after a new list, and nothing in between is lost.
    api.cut_watches(Cut::Outdated);
    api.set_status(NAMESPACE, w1, &restarted(2, 1));
    let ended = next_end(&cluster).await;
    assert_eq!(
        (ended.exit, ended.next),
        (Exit::Code(1), Next::Restarted(2))
    );

    api.cut_watches(Cut::Refused);
    api.delete_pod_of(NAMESPACE, "netplan-0badcafe-w2");
    let ended = next_end(&cluster).await;
    assert_eq!((ended.exit, ended.next), (Exit::Removed, Next::Replaced));
    assert_eq!(ended.pod, "netplan-0badcafe-w2");

    api.cut_watches(Cut::Plain);
    let evicted = json!({"phase": "Failed", "reason": "Evicted", "message": "low on disk"});
    api.set_status(NAMESPACE, ORCHESTRATOR, &evicted);
    let ended = next_end(&cluster).await;
    assert_eq!(
        (ended.pod.as_str(), ended.next),
        (ORCHESTRATOR, Next::Replaced)
    );
    assert_eq!(ended.last_lines[0], "Evicted: low on disk");
    // Dropping the future loses nothing, and there is nothing left to tell.
    assert!(timeout(SOON, cluster.ended()).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_is_lost_on_the_way_up_is_waited_for_anew() {
    let w1 = "netplan-0badcafe-w1";
    let evicted = json!({"phase": "Failed", "reason": "Evicted", "message": "low on memory"});
    for loses in [
        (|api, job, _| api.delete_pod_of(NAMESPACE, job)) as fn(&FakeApi, &str, &Value),
        |api, job, evicted| api.set_status(NAMESPACE, job, evicted),
    ] {
        let api = FakeApi::new(|name| match name {
            "netplan-0badcafe-w1" => waiting("ContainerCreating", ""),
            _ => running(),
        });
        let cluster = run(&api);
        let later = async {
            tokio::time::sleep(SOON).await;
            loses(&api, w1, &evicted);
            tokio::time::sleep(Duration::from_secs(60)).await;
            api.set_status(NAMESPACE, w1, &running());
        };
        let manifests = manifests();
        let (applied, ()) = tokio::join!(cluster.apply(&manifests), later);
        applied.unwrap();
        let runs = access(&api).runs().await.unwrap();
        assert_eq!((runs[0].workers, runs[0].workers_up), (3, 3));
        cluster.down().await.unwrap();
        assert_eq!(api.all(), ["nodes/n1", "nodes/n2"]);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_asked_of_an_evicted_worker_goes_to_its_successor() {
    let api = FakeApi::new(|_| running());
    let cluster = run(&api);
    cluster.apply(&manifests()).await.unwrap();
    let w2 = "netplan-0badcafe-w2";
    let evicted = json!({"phase": "Failed", "reason": "Evicted", "message": "low on memory"});
    api.set_status(NAMESPACE, w2, &evicted);
    let ended = next_end(&cluster).await;
    assert_eq!((ended.pod.as_str(), ended.next), (w2, Next::Replaced));
    cluster.logs(w2).await.unwrap();
    let asked = api.requests();
    let asked = asked.iter().rfind(|one| one.contains("/log")).unwrap();
    let pod = api.pod_of(NAMESPACE, w2)["metadata"]["name"].clone();
    assert!(asked.contains(pod.as_str().unwrap()), "{asked} of {pod}");
    // Its own end, later, is news again.
    api.delete_pod_of(NAMESPACE, w2);
    assert_eq!(next_end(&cluster).await.next, Next::Replaced);
    // A Job that has given up makes no other one.
    let mut job = api.get("jobs", NAMESPACE, w2).unwrap();
    job["status"] = json!({"failed": 101, "conditions": [{"type": "Failed", "status": "True"}]});
    api.put("jobs", NAMESPACE, &job);
    api.delete_pod_of(NAMESPACE, w2);
    assert_eq!(next_end(&cluster).await.next, Next::GaveUp(101));
}

#[tokio::test(start_paused = true)]
async fn what_a_job_cannot_make_is_said_in_the_clusters_words() {
    let api = FakeApi::new(|_| running());
    api.refuse_pods_of("netplan-0badcafe-w2");
    let cluster = run(&api);
    let begun = Instant::now();
    let told = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        api.say(
            NAMESPACE,
            "Job",
            "netplan-0badcafe-w2",
            "FailedCreate",
            "Error creating: pods \"netplan-0badcafe-w2-x1\" is forbidden: exceeded quota: small, requested: pods=1, used: pods=3, limited: pods=3",
        );
    };
    let manifests = manifests();
    let (applied, ()) = tokio::join!(cluster.apply(&manifests), told);
    assert!(begun.elapsed() < Duration::from_secs(15));
    insta::assert_snapshot!(
        applied.unwrap_err(),
        @r#"pod `netplan-0badcafe-w2` does not start: FailedCreate: Error creating: pods "netplan-0badcafe-w2-x1" is forbidden: exceeded quota: small, requested: pods=1, used: pods=3, limited: pods=3; the namespace's quota or Pod Security level does not allow it"#
    );
    cluster.down().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_run_is_applied_once() {
    let api = FakeApi::new(|_| running());
    let cluster = run(&api);
    cluster.apply(&manifests()).await.unwrap();
    let again = cluster.apply(&manifests()).await;
    assert_eq!(again, Err(Error::AlreadyApplied));
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_keeps_nothing() {
    let api = FakeApi::new(|_| running());
    run(&api).dry_run(&manifests()).await.unwrap();
    assert_eq!(api.all(), ["nodes/n1", "nodes/n2"]);
    let patches = api.requests();
    let patches: Vec<&String> = patches
        .iter()
        .filter(|one| one.starts_with("PATCH"))
        .collect();
    assert_eq!(patches.len(), manifests().len() - 1);
    assert!(patches.iter().all(|one| one.contains("dryRun=All")
        && one.contains("fieldManager=netplan")
        && one.contains("fieldValidation=Strict")));
}

#[tokio::test(start_paused = true)]
async fn a_wrong_label_or_namespace_is_refused_here() {
    let api = FakeApi::new(|_| running());
    let error = access(&api)
        .run("ffffffff", NAMESPACE)
        .apply(&manifests())
        .await;
    assert!(matches!(error, Err(Error::Refused { field, .. }) if field.contains("netplan/run")));
}

//! The local cluster, with real namespaces and real traffic.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests"
)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use netplan::cluster::local::{Blueprint, Local};
use netplan::cluster::{Cluster, Error, Exit, Next, PodEnded};
use netplan::plan::units::{BitRate, Percent};
use netplan::plan::{self, Link, Offloads};
use netplan::render::Manifest;
use serde_json::{Value, json};

use crate::support::{
    NETPLAN, SOON, installed, local_cluster, needs, program_path, root, skip, snapshots, wait_until,
};

pub fn settings(nodes: u32) -> plan::Local {
    plan::Local {
        nodes,
        links: Link::default(),
        offloads: Offloads::Off,
        ..plan::Local::default()
    }
}

pub fn manifest(object: Value) -> Manifest {
    Manifest {
        template: "test.yaml.j2".into(),
        text: object.to_string(),
        object,
    }
}

/// A pod that runs a shell script, and what to merge into its spec.
pub fn pod(name: &str, script: &str, more: &Value) -> Manifest {
    let mut spec = json!({
        "restartPolicy": "Never",
        "containers": [{"name": "c", "image": "none", "command": ["sh", "-c", script]}],
    });
    merge(&mut spec, more);
    manifest(json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "np", "labels": {"worker": name}},
        "spec": spec,
    }))
}

fn merge(into: &mut Value, more: &Value) {
    match (into, more) {
        (Value::Object(into), Value::Object(more)) => {
            for (key, value) in more {
                merge(into.entry(key.as_str()).or_insert(Value::Null), value);
            }
        }
        (Value::Array(into), Value::Array(more)) => {
            for (into, more) in into.iter_mut().zip(more) {
                merge(into, more);
            }
        }
        (_, Value::Null) => {}
        (into, more) => *into = more.clone(),
    }
}

pub fn service(name: &str, ports: &[u16]) -> Manifest {
    let ports: Vec<Value> = ports
        .iter()
        .flat_map(|port| {
            ["TCP", "UDP"].map(|transport| {
                json!({
                    "name": format!("{}-{port}", transport.to_lowercase()),
                    "port": port, "targetPort": port, "protocol": transport,
                })
            })
        })
        .collect();
    manifest(json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "np"},
        "spec": {"selector": {"worker": name}, "ports": ports},
    }))
}

pub fn rule(kind: &str, other: &str) -> Value {
    json!({"affinity": {kind: {"requiredDuringSchedulingIgnoredDuringExecution": [{
        "topologyKey": "kubernetes.io/hostname",
        "labelSelector": {"matchLabels": {"worker": other}},
    }]}}})
}

/// The next pod that ends.
async fn next_end(cluster: &Local) -> Option<PodEnded> {
    let ended = tokio::time::timeout(SOON, cluster.ended());
    ended.await.expect("a pod should end in time")
}

/// Runs the pods until each of `names` has ended, and gives their exits and logs.
pub async fn outcome(cluster: &Local, names: &[&str]) -> Vec<(Exit, String)> {
    let mut exits = std::collections::BTreeMap::new();
    while names.iter().any(|name| !exits.contains_key(*name)) {
        let ended = next_end(cluster).await.expect("the cluster is there");
        exits.insert(ended.pod.clone(), ended.exit);
    }
    let mut all = Vec::new();
    for name in names {
        all.push((exits[*name], cluster.logs(name).await.unwrap()));
    }
    all
}

/// A transfer over TCP and one over UDP, tried again while the server is not up or busy.
const TRANSFERS: &str = "transfer() {
    until iperf3 -c $1 -n 256K >/tmp/out 2>&1; do sleep 0.02; done; echo tcp $1
    until iperf3 -c $1 -u -b 1G -n 64K >/tmp/out 2>&1; do sleep 0.02; done; echo udp $1
}
";

#[tokio::test]
async fn all_five_paths_carry_tcp_and_udp() {
    needs!(local_cluster());
    five_paths(settings(2)).await;
}

#[tokio::test]
async fn a_shaped_link_and_the_kernels_offloads_carry_traffic_as_well() {
    needs!(local_cluster());
    let links = Link {
        rate: Some(BitRate(100_000_000)),
        loss: Some(Percent(0.1)),
        mtu: Some(9000),
        delay: None,
        queue: None,
    };
    five_paths(plan::Local {
        nodes: 3,
        links,
        offloads: Offloads::Kernel,
        ..plan::Local::default()
    })
    .await;
}

async fn five_paths(settings: plan::Local) {
    let script = |targets: &str| format!("{TRANSFERS} for t in {targets}; do transfer $t; done");
    let tmp = json!({
        "containers": [{"volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}]}],
        "volumes": [{"name": "tmp", "emptyDir": {}}],
    });
    let with_tmp = |rule: &Value| {
        let mut more = tmp.clone();
        merge(&mut more, rule);
        // The lists above are new keys of the spec.
        more
    };
    let mut same = with_tmp(&rule("podAffinity", "w1"));
    same["containers"][0]["command"] = json!([
        "sh",
        "-c",
        format!(
            "{} & {}",
            "iperf3 -s >/dev/null",
            script("w2.np.svc.cluster.local")
        ),
    ]);
    // w2 serves until the cluster ends.
    same["containers"][0]["command"][2] = json!(format!(
        "{}; wait",
        same["containers"][0]["command"][2].as_str().unwrap()
    ));
    let undeclared = "
        begin=$(date +%s%N); iperf3 -c w2 -p 5999 >/tmp/out 2>&1; echo refused $?
        end=$(date +%s%N); echo took $(( (end - begin) / 1000000 )) ms
        bash -c 'exec 3>/dev/udp/w2/5999; echo 1 >&3; sleep 0.1; echo 2 >&3' 2>/dev/null || echo udp";
    let cluster = Local::start(Path::new(NETPLAN), &settings).await.unwrap();
    let manifests = [
        pod("w1", &script("10.244.1.12 w2"), &tmp),
        pod("w2", "", &same),
        pod(
            "w3",
            &format!("{}{undeclared}", script("10.244.1.12 w2")),
            &with_tmp(&rule("podAntiAffinity", "w1")),
        ),
        service("w2", &[5201]),
    ];
    cluster.apply(&manifests).await.unwrap();
    let ended = outcome(&cluster, &["w1", "w3"]).await;
    let all = "tcp 10.244.1.12\nudp 10.244.1.12\ntcp w2\nudp w2\n";
    assert_eq!(ended[0], (Exit::Code(0), all.to_owned()));
    let (exit, log) = &ended[1];
    assert_eq!(*exit, Exit::Code(0));
    let refused = log.strip_prefix(all).unwrap_or_else(|| panic!("{log}"));
    let took: u64 = refused
        .strip_prefix("refused 1\ntook ")
        .and_then(|rest| rest.strip_suffix(" ms\nudp\n"))
        .and_then(|ms| ms.parse().ok())
        .unwrap_or_else(|| panic!("{log}"));
    assert!(took < 900, "an undeclared port took {took} ms");
    let deadline = Instant::now() + Duration::from_secs(10);
    let hairpin = "tcp w2.np.svc.cluster.local\nudp w2.np.svc.cluster.local\n";
    while cluster.logs("w2").await.unwrap() != hairpin {
        assert!(
            Instant::now() < deadline,
            "{}",
            cluster.logs("w2").await.unwrap()
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let description = cluster.description();
    assert_eq!(description["pods"]["w3"]["node"], "node-2");
    cluster.down().await.unwrap();
}

#[tokio::test]
async fn a_pod_has_its_volumes_environment_names_and_program() {
    needs!(local_cluster());
    let script = "cat /run/netplan/plan/plan.yaml; stat -c %a /run/netplan/tls/key
        cat /run/netplan/tls/key; (echo x > /run/netplan/plan/new) 2>/dev/null || echo read-only
        echo $IP $NODE $SAID; ls /tmp; echo $$$$; command -v netplan; hostname
        ls /sys/class/net; getent hosts w1.np; set -- /proc/[0-9]*; echo $#; env | grep -c HOME
        touch /tmp/mark";
    let more = json!({
        "containers": [{
            "env": [
                {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
                {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
                {"name": "SAID", "value": "at-$(IP)-$(NOBODY)"},
            ],
            "volumeMounts": [
                {"name": "plan", "mountPath": "/run/netplan/plan", "readOnly": true},
                {"name": "tls", "mountPath": "/run/netplan/tls"},
                {"name": "tmp", "mountPath": "/tmp"},
            ],
        }],
        "volumes": [
            {"name": "plan", "configMap": {"name": "run"}},
            {"name": "tls", "secret": {"secretName": "run-w1", "defaultMode": "0440"}},
            {"name": "tmp", "emptyDir": {}},
        ],
    });
    let cluster = Local::start(Path::new(NETPLAN), &settings(1))
        .await
        .unwrap();
    let manifests = [
        pod("w1", script, &more),
        service("w1", &[1]),
        manifest(
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "run"},
            "data": {"plan.yaml": "version: 1\n"}}),
        ),
        manifest(
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "run-w1"},
            "type": "Opaque", "stringData": {"key": "secret\n"}}),
        ),
    ];
    cluster.apply(&manifests).await.unwrap();
    let ended = outcome(&cluster, &["w1"]).await;
    assert_eq!(
        ended[0].1,
        "version: 1\n440\nsecret\nread-only\n10.244.1.11 node-1 at-10.244.1.11-$(NOBODY)\n1\n\
         /run/netplan-image/netplan\nw1\neth0\nlo\n\
         10.96.0.11      w1 w1.np w1.np.svc w1.np.svc.cluster.local\n1\n0\n"
    );
    assert!(!Path::new("/tmp/mark").exists());
    assert_eq!(ended[0].0, Exit::Code(0));
}

#[tokio::test]
async fn a_failing_pod_is_started_again_with_its_files_until_the_limit() {
    needs!(local_cluster());
    let more = json!({
        "restartPolicy": "OnFailure",
        "containers": [{"volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}]}],
        "volumes": [{"name": "tmp", "emptyDir": {}}],
    });
    let cluster = Local::start(Path::new(NETPLAN), &settings(1))
        .await
        .unwrap();
    let script = "echo x >> /tmp/starts; wc -l < /tmp/starts; (sleep 1000 &) ; exit 7";
    let manifests = [
        pod("fails", script, &more),
        pod(
            "missing",
            "",
            &json!({"containers": [{"command": ["no-such-program"]}]}),
        ),
    ];
    cluster.apply(&manifests).await.unwrap();
    let mut fails = Vec::new();
    let mut missing = None;
    while fails.len() < 4 || missing.is_none() {
        let ended = next_end(&cluster).await.unwrap();
        match ended.pod.as_str() {
            "fails" => fails.push(ended),
            _ => missing = Some(ended),
        }
    }
    let nexts: Vec<Next> = fails.iter().map(|ended| ended.next).collect();
    assert_eq!(
        nexts,
        [
            Next::Restarted(1),
            Next::Restarted(2),
            Next::Restarted(3),
            Next::GaveUp(3)
        ]
    );
    assert!(fails.iter().all(|ended| ended.exit == Exit::Code(7)));
    assert_eq!(fails[3].last_lines, ["1", "2", "3", "4"]);
    assert_eq!(
        fails[3].to_string(),
        "pod `fails` ended: exit code 7; not started again after 3 restarts"
    );
    let missing = missing.unwrap();
    assert_eq!((missing.exit, missing.next), (Exit::Code(127), Next::Stays));
    assert!(missing.last_lines[0].contains("cannot start `no-such-program`"));
}

#[tokio::test]
async fn a_killed_pod_comes_back_with_its_address_and_connect_waits_for_it() {
    needs!(local_cluster());
    let more = json!({"restartPolicy": "Always"});
    let cluster = Local::start(Path::new(NETPLAN), &settings(1))
        .await
        .unwrap();
    let script = "sleep 0.2; exec iperf3 -s -p 6000";
    cluster.apply(&[pod("w1", script, &more)]).await.unwrap();
    let within = Duration::from_secs(5);
    for restart in 1..=2 {
        let stream = cluster.connect("w1", 6000, within).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap().port(), 6000);
        cluster.kill("w1").await.unwrap();
        let ended = next_end(&cluster).await.unwrap();
        assert_eq!(
            (ended.exit, ended.next),
            (Exit::Signal(9), Next::Restarted(restart))
        );
    }
    let refused = cluster
        .connect("w1", 6001, Duration::from_millis(50))
        .await
        .unwrap_err();
    assert_eq!(
        refused.to_string(),
        "cannot connect to port 6001 of pod `w1`: nothing listens there"
    );
    assert_eq!(
        cluster
            .connect("w9", 1, within)
            .await
            .unwrap_err()
            .to_string(),
        "there is no pod `w9`"
    );
    assert_eq!(cluster.apply(&[]).await, Err(Error::AlreadyApplied));
}

/// What the machine shows of its network and mounts.
fn machine() -> Vec<String> {
    let output = |program: &str, args: &[&str]| {
        let output = Command::new(program)
            .args(args)
            .env("PATH", program_path())
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    vec![
        output("ip", &["-brief", "link"]),
        output("ip", &["netns"]),
        output("nft", &["list", "ruleset"]),
        fs::read_to_string("/proc/self/mountinfo").unwrap(),
    ]
}

#[tokio::test]
async fn the_machine_shows_nothing_of_it() {
    needs!(local_cluster());
    let before = machine();
    let cluster = Local::start(Path::new(NETPLAN), &settings(2))
        .await
        .unwrap();
    let manifests = [
        pod("w1", "exec sleep 1001", &Value::Null),
        service("w1", &[5201]),
    ];
    cluster.apply(&manifests).await.unwrap();
    assert_eq!(machine(), before);
    let mut processes = Vec::new();
    wait_until("the pod to run", || {
        processes = cluster_processes(std::process::id(), "sleep 1001");
        processes.len() >= 2
    });
    cluster.down().await.unwrap();
    assert!(processes.iter().all(|pid| !alive(*pid)), "{processes:?}");
    assert_eq!(machine(), before);
}

/// The processes of the one cluster that `owner` holds and whose pod runs `command`; its first process first, which all others
/// descend from. Other tests of this process hold clusters too.
fn cluster_processes(owner: u32, command: &str) -> Vec<u32> {
    let mut all = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse::<u32>().ok())
        else {
            continue;
        };
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let parent = stat
            .rsplit(") ")
            .next()
            .and_then(|rest| rest.split(' ').nth(1));
        let line = fs::read_to_string(entry.path().join("cmdline")).unwrap_or_default();
        if let Some(parent) = parent.and_then(|parent| parent.parse::<u32>().ok()) {
            all.push((pid, parent, line.replace('\0', " ").trim_end().to_owned()));
        }
    }
    let below = |holder: u32| {
        let mut found = vec![holder];
        let mut next = 0;
        while let Some(&parent) = found.get(next) {
            found.extend(all.iter().filter(|one| one.1 == parent).map(|one| one.0));
            next += 1;
        }
        found
    };
    all.iter()
        .filter(|(_, parent, line)| *parent == owner && line.contains("__local"))
        .map(|(holder, ..)| below(*holder))
        .find(|pids| {
            all.iter()
                .any(|(pid, _, line)| pids.contains(pid) && line == command)
        })
        .unwrap_or_default()
}

fn alive(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    !stat.is_empty() && !stat.contains(") Z ")
}

#[tokio::test]
async fn a_cluster_whose_first_process_is_killed_says_so_and_leaves_no_process() {
    needs!(local_cluster());
    let cluster = Local::start(Path::new(NETPLAN), &settings(1))
        .await
        .unwrap();
    cluster
        .apply(&[pod("w1", "exec sleep 1002", &Value::Null)])
        .await
        .unwrap();
    let mut processes = Vec::new();
    wait_until("the pod to run", || {
        processes = cluster_processes(std::process::id(), "sleep 1002");
        processes.len() >= 2
    });
    let holder = nix::unistd::Pid::from_raw(i32::try_from(processes[0]).unwrap());
    nix::sys::signal::kill(holder, nix::sys::signal::Signal::SIGKILL).unwrap();
    assert_eq!(next_end(&cluster).await, None);
    let error = cluster
        .connect("w1", 1, Duration::from_secs(5))
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("the local cluster has ended: "),
        "{error}"
    );
    wait_until("every process to be gone", || {
        !processes.iter().any(|pid| alive(*pid))
    });
}

#[tokio::test]
async fn a_cluster_that_does_not_answer_is_not_waited_for_without_end() {
    needs!(local_cluster());
    let cluster = Local::start(Path::new(NETPLAN), &settings(1))
        .await
        .unwrap();
    cluster
        .apply(&[pod("w1", "exec sleep 1004", &Value::Null)])
        .await
        .unwrap();
    let mut processes = Vec::new();
    wait_until("the pod to run", || {
        processes = cluster_processes(std::process::id(), "sleep 1004");
        processes.len() >= 3
    });
    for pid in &processes {
        let pid = nix::unistd::Pid::from_raw(i32::try_from(*pid).unwrap());
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGSTOP).unwrap();
    }
    // Nothing else happens: the clock runs to the deadline.
    tokio::time::pause();
    let error = cluster.logs("w1").await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the local cluster has ended: it did not answer within 10 s"
    );
    tokio::time::resume();
    cluster.down().await.unwrap();
    wait_until("every process to be gone", || {
        !processes.iter().any(|pid| alive(*pid))
    });
}

/// Not a test: a command line that holds a cluster until it is killed.
#[tokio::test]
#[ignore = "a helper process of the next test"]
async fn helper_that_is_killed() {
    let cluster = Local::start(Path::new(NETPLAN), &settings(2))
        .await
        .unwrap();
    let script = "setsid sleep 1000 & exec sleep 1003";
    cluster
        .apply(&[pod("w1", script, &Value::Null)])
        .await
        .unwrap();
    println!("\nready");
    tokio::time::sleep(Duration::from_secs(60)).await;
}

#[test]
fn kill_9_of_the_command_line_leaves_no_process() {
    needs!(local_cluster());
    let mut client = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "local::helper_that_is_killed",
            "--ignored",
            "--nocapture",
        ])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(client.stdout.take().unwrap()).lines();
    assert!(lines.map_while(Result::ok).any(|line| line == "ready"));
    // Holder, init, the pod's command and what its script has started.
    let mut processes = Vec::new();
    wait_until("the pod's script to run", || {
        processes = cluster_processes(client.id(), "sleep 1003");
        processes.len() >= 4
    });
    client.kill().unwrap();
    client.wait().unwrap();
    wait_until("every process to be gone", || {
        !processes.iter().any(|pid| alive(*pid))
    });
}

/// The same as an ordinary user, when we are root.
#[test]
fn an_ordinary_user_needs_no_root() {
    needs!(root(), local_cluster(), installed(&["setpriv"]));
    let test = std::env::current_exe().unwrap();
    let as_user = |args: &[&str]| {
        Command::new("setpriv")
            .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
            .args(args)
            .output()
    };
    let reach = as_user(&["test", "-x", test.to_str().unwrap(), "-a", "-x", NETPLAN]);
    needs!(if reach.unwrap().status.success() {
        Ok(())
    } else {
        Err(format!("`nobody` cannot reach {}", test.display()))
    });
    let output = as_user(&[
        test.to_str().unwrap(),
        "--exact",
        "local::all_five_paths_carry_tcp_and_udp",
        "local::a_pod_has_its_volumes_environment_names_and_program",
        "local::kill_9_of_the_command_line_leaves_no_process",
        "--nocapture",
    ])
    .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && said.contains("3 passed"),
        "{said}\n{errors}"
    );
    // They report it themselves where that user may not make namespaces.
    for line in errors.lines().filter(|line| line.starts_with("skipped")) {
        skip(format!("as nobody: {line}"));
    }
}

fn refusal(manifests: &[Manifest], nodes: u32) -> String {
    Blueprint::new(manifests, &settings(nodes))
        .unwrap_err()
        .to_string()
}

#[test]
fn what_it_does_not_know_it_refuses_by_name() {
    let ok = || pod("w1", "true", &Value::Null);
    let changed = |pointer: &str, value: Value| {
        let mut manifest = ok();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        manifest.object.pointer_mut(parent).unwrap()[key] = value;
        manifest
    };
    let volumes = |path: &str| {
        json!({
            "containers": [{"volumeMounts": [{"name": "v", "mountPath": path}]}],
            "volumes": [{"name": "v", "emptyDir": {}}],
        })
    };
    let mut said = String::new();
    let mut refuse = |manifests: &[Manifest], nodes| {
        said += &refusal(manifests, nodes);
        said += "\n\n";
    };
    refuse(&[changed("/spec/hostNetwork", json!(true))], 2);
    refuse(&[changed("/spec/containers/0/lifecycle", json!({}))], 2);
    refuse(&[changed("/spec/restartPolicy", json!("Sometimes"))], 2);
    refuse(&[changed("/kind", json!("Deployment"))], 2);
    refuse(&[ok(), ok()], 2);
    refuse(
        &[pod(
            "w1",
            "",
            &json!({"volumes": [{"name": "v", "hostPath": {}}]}),
        )],
        2,
    );
    refuse(&[pod("w1", "", &volumes("/etc"))], 2);
    refuse(&[pod("w1", "", &volumes("/run/netplan/../x"))], 2);
    let mut topology = rule("podAffinity", "w1");
    topology["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"][0]["topologyKey"] =
        json!("topology.kubernetes.io/zone");
    refuse(&[pod("w1", "", &topology)], 2);
    refuse(&[service("w1", &[1]), service("w1", &[2])], 2);
    let mut bad_name = service("w1", &[1]);
    bad_name.object["metadata"]["name"] = json!("w1; }");
    refuse(&[bad_name], 2);
    let job = |restart: &str| {
        manifest(json!({
            "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "job"},
            "spec": {"backoffLimit": 3, "template": {"spec": {
                "restartPolicy": restart,
                "containers": [{"name": "c", "command": ["true"]}],
            }}},
        }))
    };
    assert!(Blueprint::new(&[job("OnFailure")], &settings(1)).is_ok());
    refuse(&[job("Never")], 2);
    for field in ["completions", "parallelism"] {
        let mut one = job("OnFailure");
        one.object["spec"][field] = json!(1);
        assert!(Blueprint::new(&[one.clone()], &settings(1)).is_ok());
        one.object["spec"][field] = json!(2);
        refuse(&[one], 2);
    }
    refuse(
        &[manifest(
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"},
            "data": {"../x": ""}}),
        )],
        2,
    );
    let mut node_port = service("w1", &[1]);
    node_port.object["spec"]["type"] = json!("NodePort");
    refuse(&[node_port], 2);
    refuse(&[ok(), pod("w3", "", &rule("podAntiAffinity", "w1"))], 1);
    refuse(&[pod("w2", "", &rule("podAffinity", "w1"))], 2);
    let mut both = rule("podAffinity", "w1");
    merge(&mut both, &rule("podAntiAffinity", "w1"));
    refuse(&[ok(), pod("w2", "", &both)], 2);
    snapshots().bind(|| insta::assert_snapshot!("local_refusals", said));
}

#[test]
fn the_network_of_three_workers_on_a_shaped_link() {
    let links = Link {
        rate: Some(BitRate(1_000_000_000)),
        delay: Some(plan::units::Duration(Duration::from_millis(1))),
        loss: Some(Percent(0.1)),
        mtu: None,
        queue: None,
    };
    let manifests = [
        pod("w1", "true", &Value::Null),
        pod("w2", "true", &rule("podAffinity", "w1")),
        pod("w3", "true", &rule("podAntiAffinity", "w1")),
        service("w1", &[5201]),
        service("w2", &[5201, 12865]),
    ];
    let settings = plan::Local {
        nodes: 2,
        links,
        offloads: Offloads::Off,
        ..plan::Local::default()
    };
    let network = Blueprint::new(&manifests, &settings)
        .unwrap()
        .network()
        .to_string();
    snapshots().bind(|| insta::assert_snapshot!("local_network", network));
}

#[tokio::test]
async fn the_shipped_templates_are_understood_and_run() {
    needs!(local_cluster());
    let cluster = Local::start(Path::new(NETPLAN), &settings(2))
        .await
        .unwrap();
    cluster.apply(&super::render::shipped()).await.unwrap();
    let nodes: Vec<String> = ["orchestrator", "w1", "w2", "w3"]
        .map(|pod| {
            let pod = format!("netplan-0badcafe-{pod}");
            cluster.description()["pods"][pod]["node"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .to_vec();
    assert_eq!(nodes, ["node-1", "node-1", "node-1", "node-2"]);
    cluster.down().await.unwrap();
}

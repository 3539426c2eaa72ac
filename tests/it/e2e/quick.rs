//! The quick plan: every row, from where it should, over what it should.

use std::collections::BTreeMap;

use serde_json::Value;

use super::case::Case;

/// What the API server knows of the workers while the run continues.
struct Placed {
    nodes: BTreeMap<String, String>,
    pod_ips: BTreeMap<String, String>,
    cluster_ip: String,
}

fn look(case: &Case, run: &str) -> Placed {
    let pods = case.api.wait_for("the run's pods to be placed", |api| {
        let pods = api.pods(&case.namespace, run);
        let up = pods.values().all(|pod| pod["status"]["podIP"].is_string());
        (pods.len() == 4 && up).then_some(pods)
    });
    let of = |pointer: &str| {
        let value = |pod: &Value| pod.pointer(pointer).unwrap().as_str().unwrap().to_owned();
        pods.iter()
            .map(|(role, pod)| (role.clone(), value(pod)))
            .collect()
    };
    let service = format!(
        "/api/v1/namespaces/{}/services/netplan-{run}-w2",
        case.namespace
    );
    let service = case.api.get(&service).unwrap();
    Placed {
        nodes: of("/spec/nodeName"),
        pod_ips: of("/status/podIP"),
        cluster_ip: service["spec"]["clusterIP"].as_str().unwrap().to_owned(),
    }
}

#[test]
#[ignore = "needs a Kubernetes cluster with netplan's image"]
fn all_thirteen_rows_are_measured_where_and_over_what_the_plan_says() {
    let case = Case::new(include_str!("../../../plans/quick.yaml"));
    let running = case.start_run(&[]);
    let run = running.run_id();
    let placed = look(&case, &run);
    let policies = format!(
        "/apis/networking.k8s.io/v1/namespaces/{}/networkpolicies",
        case.namespace
    );
    assert_eq!(case.api.list(&policies).len(), 4);
    let ended = running.finish();
    ended.expect(0);

    // Placement.
    let nodes = &placed.nodes;
    assert_eq!(nodes["w1"], nodes["w2"]);
    assert_ne!(nodes["w1"], nodes["w3"]);
    for joined in case.events_of("worker_joined") {
        let worker = joined["worker"].as_str().unwrap();
        assert_eq!(joined["node"], nodes[worker]);
        assert_eq!(joined["pod_ip"], placed.pod_ips[worker]);
    }

    // Every cell is measured, and arrived where it should.
    let samples = case.events_of("sample");
    assert_eq!(samples.len(), 38);
    case.expect_measured(38);
    for sample in &samples {
        let metrics = &sample["metrics"];
        assert!(
            metrics["throughput_bps"].as_f64().unwrap() > 1e6,
            "{sample}"
        );
        let path = sample["path"].as_str().unwrap();
        let target = if path.ends_with("pod") {
            &placed.pod_ips["w2"]
        } else {
            &placed.cluster_ip
        };
        let command = sample["command"].as_array().unwrap();
        assert!(command.iter().any(|word| word == target), "{sample}");
    }
    // The kernel's word for it: whom the sockets of iperf3 were connected to, and from where.
    for sample in samples.iter().filter(|sample| sample["tool"] == "iperf3") {
        let raw = case.read(&format!("out/raw/{}", sample["raw"].as_str().unwrap()));
        let raw: Value = serde_json::from_str(&raw).unwrap();
        let (from, target) = match sample["path"].as_str().unwrap() {
            "same-node-pod" => ("w1", &placed.pod_ips["w2"]),
            "same-node-service" => ("w1", &placed.cluster_ip),
            "remote-pod" => ("w3", &placed.pod_ips["w2"]),
            "remote-service" => ("w3", &placed.cluster_ip),
            _ => ("w2", &placed.cluster_ip),
        };
        for socket in raw["start"]["connected"].as_array().unwrap() {
            assert_eq!(socket["remote_host"], **target);
            assert_eq!(socket["local_host"], placed.pod_ips[from]);
        }
    }

    // nptest's CSV has its 13 rows, none without a figure.
    let csv = case.read("out/result.csv");
    let rows: Vec<&str> = csv.lines().skip(1).filter(|row| !row.is_empty()).collect();
    assert_eq!(rows.len(), 13, "{csv}");
    for (number, row) in (1..).zip(rows) {
        assert!(row.starts_with(&format!("{number} ")), "{row}");
        let maximum = row.split(',').nth(1).unwrap().trim();
        assert!(maximum.parse::<f64>().unwrap() > 0.0, "{row}");
    }

    // What it ran on is recorded.
    let environment: Value = serde_json::from_str(&case.read("out/environment.json")).unwrap();
    let cluster = &environment["cluster"]["description"];
    let version = &case.api.get("/version").unwrap()["gitVersion"];
    assert_eq!(&cluster["server_version"], version);
    for node in cluster["nodes"].as_array().unwrap() {
        for key in ["name", "kernel", "os", "runtime", "architecture"] {
            assert_ne!(node[key], "", "{node}");
        }
    }
    assert!(
        environment["workers"]["w1"]["environment"]["mtu"]
            .as_u64()
            .unwrap()
            > 500
    );
    case.expect_no_namespace();
}

//! The cluster, asked without netplan, in plain JSON: what a version of Kubernetes does not know stays out
//! of the way.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use http::Request;
use kube::Client;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

/// What is waited for takes no longer than this on any cluster that works.
const PATIENCE: Duration = Duration::from_secs(180);
const ASK_AGAIN: Duration = Duration::from_millis(200);

/// What comes and goes by itself.
const RESTLESS: &[&str] = &["Event", "Lease", "ComponentStatus"];

pub struct Api {
    runtime: Runtime,
    client: Client,
}

impl Api {
    /// The cluster of the current kubeconfig.
    pub fn open() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let client = runtime.block_on(Client::try_default());
        let client = client.expect("`make e2e` needs a kubeconfig");
        Self { runtime, client }
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> kube::Result<Value> {
        let request = Request::builder().method(method).uri(path).header(
            "content-type",
            match method {
                "PATCH" => "application/merge-patch+json",
                _ => "application/json",
            },
        );
        let body = if body.is_null() {
            Vec::new()
        } else {
            body.to_string().into_bytes()
        };
        let request = request.body(body).unwrap();
        self.runtime.block_on(self.client.request::<Value>(request))
    }

    /// `None` when there is no such thing.
    pub fn get(&self, path: &str) -> Option<Value> {
        match self.ask("GET", path, &Value::Null) {
            Ok(object) => Some(object),
            Err(kube::Error::Api(status)) if status.code == 404 => None,
            Err(error) => panic!("GET {path}: {error}"),
        }
    }

    /// The items of a list.
    pub fn list(&self, path: &str) -> Vec<Value> {
        let list = self.get(path).unwrap_or_default();
        list["items"].as_array().cloned().unwrap_or_default()
    }

    pub fn post(&self, path: &str, object: &Value) -> kube::Result<Value> {
        self.ask("POST", path, object)
    }

    pub fn delete(&self, path: &str) {
        match self.ask("DELETE", path, &Value::Null) {
            Err(kube::Error::Api(status)) if status.code == 404 => {}
            answer => drop(answer.unwrap()),
        }
    }

    /// Changes fields of an object.
    pub fn patch(&self, path: &str, change: &Value) {
        self.ask("PATCH", path, change).unwrap();
    }

    /// Evicts a pod as `kubectl drain` does.
    pub fn evict(&self, namespace: &str, pod: &str) {
        let path = format!("/api/v1/namespaces/{namespace}/pods/{pod}/eviction");
        // The first is unknown before Kubernetes 1.22, the second from 1.25 on.
        let evicted = ["policy/v1", "policy/v1beta1"].map(|version| {
            let eviction = json!({
                "apiVersion": version,
                "kind": "Eviction",
                "metadata": { "name": pod, "namespace": namespace },
            });
            self.post(&path, &eviction)
                .map_err(|error| error.to_string())
        });
        assert!(evicted.iter().any(Result::is_ok), "{evicted:?}");
    }

    /// The pods of a run in a namespace, by their role: `orchestrator`, `w1`.
    pub fn pods(&self, namespace: &str, run: &str) -> BTreeMap<String, Value> {
        let path = format!("/api/v1/namespaces/{namespace}/pods?labelSelector=netplan/run={run}");
        let role = |pod: &Value| {
            let labels = &pod["metadata"]["labels"];
            let worker = labels["netplan/worker"].as_str();
            worker.unwrap_or("orchestrator").to_owned()
        };
        let pods = self.list(&path).into_iter();
        pods.filter(|pod| pod["metadata"]["deletionTimestamp"].is_null())
            .map(|pod| (role(&pod), pod))
            .collect()
    }

    /// Whether there is a namespace of this name, also if it is being deleted.
    pub fn has_namespace(&self, namespace: &str) -> bool {
        self.get(&format!("/api/v1/namespaces/{namespace}"))
            .is_some()
    }

    /// Every object in a namespace, of every kind that the cluster knows: what it is, and its version.
    pub fn everything(&self, namespace: &str) -> BTreeMap<String, String> {
        let mut groups = vec!["/api/v1".to_owned()];
        for group in self.get("/apis").unwrap()["groups"].as_array().unwrap() {
            let version = group["preferredVersion"]["groupVersion"].as_str().unwrap();
            groups.push(format!("/apis/{version}"));
        }
        let mut found = BTreeMap::new();
        for group in groups {
            // An extension's server may be away.
            let Ok(known) = self.ask("GET", &group, &Value::Null) else {
                continue;
            };
            for resource in known["resources"].as_array().unwrap() {
                let kind = resource["kind"].as_str().unwrap();
                let lists = resource["verbs"]
                    .as_array()
                    .unwrap()
                    .contains(&json!("list"));
                if !lists || resource["namespaced"] != true || RESTLESS.contains(&kind) {
                    continue;
                }
                let name = resource["name"].as_str().unwrap();
                for object in self.list(&format!("{group}/namespaces/{namespace}/{name}")) {
                    let metadata = &object["metadata"];
                    let key = format!("{kind} {}", metadata["name"].as_str().unwrap());
                    let version = format!("{} {}", metadata["uid"], metadata["resourceVersion"]);
                    found.insert(key, version);
                }
            }
        }
        found
    }

    /// Asks until there is an answer.
    #[track_caller]
    pub fn wait_for<T>(&self, what: &str, mut ask: impl FnMut(&Self) -> Option<T>) -> T {
        let begun = Instant::now();
        loop {
            if let Some(answer) = ask(self) {
                return answer;
            }
            assert!(begun.elapsed() < PATIENCE, "waited in vain for {what}");
            std::thread::sleep(ASK_AGAIN);
        }
    }
}

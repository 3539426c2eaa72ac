//! One test's folder, namespace and command lines.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::api::Api;
use crate::support::{Ended, Netplan, Running, wait_until};

/// The workers and paths of `plans/quick.yaml`.
const WORKERS_AND_PATHS: &str = "\
version: 1
name: e2e
workers:
  w1: {}
  w2: { same_node_as: w1 }
  w3: { other_node_than: w1 }
paths:
  - { name: same-node-pod,     label: Same VM using Pod IP,          from: w1, to: w2, via: pod_ip }
  - { name: same-node-service, label: Same VM using Virtual IP,      from: w1, to: w2, via: cluster_ip }
  - { name: remote-pod,        label: Remote VM using Pod IP,        from: w3, to: w2, via: pod_ip }
  - { name: remote-service,    label: Remote VM using Virtual IP,    from: w3, to: w2, via: cluster_ip }
  - { name: hairpin,           label: Hairpin Pod to own Virtual IP, from: w2, to: w2, via: cluster_ip }
defaults: { duration: 1s }
tests:
";

/// A whole plan: two nodes' own network.
pub const HOST: &str = "\
version: 1
name: host
workers:
  w1: {}
  w2: { other_node_than: w1 }
paths:
  - { name: host, from: w1, to: w2, via: host }
defaults: { duration: 1s }
tests:
  - iperf3: {}
  - netperf: { test: TCP_STREAM }
";
/// Two cells in two seconds.
pub const SHORT: &str = "  - iperf3: {}\n    paths: [remote-service, hairpin]\n";
/// Fifteen cells in fifteen seconds: long enough for something to happen half-way.
pub const LONG: &str = "  - iperf3: { mss: [500, 1000, 1400] }\n";

/// A folder with `plan.yaml`, and a namespace of its own, that is gone with it.
pub struct Case {
    folder: TempDir,
    pub api: Api,
    pub namespace: String,
}

impl Case {
    /// With the tests of a plan.
    pub fn with(tests: &str) -> Self {
        Self::new(&format!("{WORKERS_AND_PATHS}{tests}"))
    }

    /// With the tests of a plan, in the namespace of another case.
    pub fn beside(other: &Self, tests: &str) -> Self {
        let mut case = Self::with(tests);
        other.namespace.clone_into(&mut case.namespace);
        case
    }

    /// With a whole plan.
    pub fn new(plan: &str) -> Self {
        let case = Self {
            folder: tempfile::tempdir().unwrap(),
            api: Api::open(),
            namespace: format!("netplan-e2e-{:08x}", getrandom::u32().unwrap()),
        };
        case.write("plan.yaml", plan);
        case
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// The namespace is there before netplan comes.
    pub fn make_namespace(&self) {
        let object = json!({ "metadata": { "name": self.namespace } });
        self.api.post("/api/v1/namespaces", &object).unwrap();
        // The controllers fill it.
        self.api.wait_for("the namespace's own objects", |api| {
            let path = format!(
                "/api/v1/namespaces/{}/serviceaccounts/default",
                self.namespace
            );
            let account = api.get(&path)?;
            // Up to 1.23 it gets a token.
            let old = api.get("/version")?["minor"]
                .as_str()?
                .trim_end_matches('+')
                < "24";
            (!old || account["secrets"].is_array()).then_some(())
        });
    }

    /// Starts netplan in the folder.
    pub fn start(&self, arguments: &[&str]) -> Running {
        let netplan = Netplan::in_folder(&self.folder).with_own_environment();
        netplan.args(arguments).start()
    }

    /// Starts `netplan COMMAND … --namespace …`.
    pub fn start_in_namespace(&self, arguments: &[&str]) -> Running {
        let mut all = arguments.to_vec();
        all.extend(["--namespace", &self.namespace]);
        self.start(&all)
    }

    /// Starts `netplan run plan.yaml`, with the results in `out/`, which is emptied.
    pub fn start_run(&self, arguments: &[&str]) -> Running {
        let _ = fs::remove_dir_all(self.path("out"));
        let image = format!("kubernetes.image={}", image());
        let mut all = vec!["run", "plan.yaml", "--on", "kubernetes", "--set", &image];
        all.extend(["--namespace", &self.namespace]);
        if !arguments.contains(&"--detach") {
            all.extend(["--output", "out"]);
        }
        all.extend(arguments);
        self.start(&all)
    }

    pub fn run(&self, arguments: &[&str]) -> Ended {
        self.start_run(arguments).finish()
    }

    /// The journal in `out/` as far as it has got.
    pub fn events(&self) -> Vec<Value> {
        let journal = self.read("out/events.jsonl");
        let lines = journal.lines();
        lines
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    }

    /// The events of a kind in `out/`.
    pub fn events_of(&self, kind: &str) -> Vec<Value> {
        let is_one = |event: &Value| event["event"] == kind;
        self.events().into_iter().filter(is_one).collect()
    }

    /// The outcomes of the cells in `out/`.
    pub fn outcomes(&self) -> Vec<Value> {
        let ended = self.events_of("cell_ended").into_iter();
        ended.map(|event| event["outcome"].clone()).collect()
    }

    /// So many cells, and every one measured.
    #[track_caller]
    pub fn expect_measured(&self, count: usize) {
        let outcomes = self.outcomes();
        let bad: Vec<_> = outcomes
            .iter()
            .filter(|outcome| outcome["measured"].is_null())
            .collect();
        assert_eq!(bad, Vec::<&Value>::new());
        assert_eq!(outcomes.len(), count);
    }

    /// Waits until so many cells of a run have ended.
    #[track_caller]
    pub fn wait_for_cells(&self, running: &Running, count: usize) {
        wait_until("the cells to be measured", || {
            assert!(!running.has_ended(), "{}", running.stderr());
            self.outcomes().len() >= count
        });
    }

    /// Nothing of any run is left, and neither is the namespace that netplan made.
    #[track_caller]
    pub fn expect_no_namespace(&self) {
        assert!(
            !self.api.has_namespace(&self.namespace),
            "{:#?}",
            self.api.everything(&self.namespace)
        );
    }
}

impl Drop for Case {
    fn drop(&mut self) {
        self.api
            .delete(&format!("/api/v1/namespaces/{}", self.namespace));
    }
}

/// The image that the pods are to have.
pub fn image() -> String {
    let default = concat!("netplan:", env!("CARGO_PKG_VERSION"));
    std::env::var("NETPLAN_E2E_IMAGE").unwrap_or_else(|_| default.to_owned())
}

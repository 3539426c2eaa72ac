//! One test's folder, namespace and command lines.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::api::Api;
use crate::support::{NETPLAN, wait_until};

/// No command line takes this long, whatever the cluster.
const PATIENCE: Duration = Duration::from_secs(400);

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
        Self::of(&format!("{WORKERS_AND_PATHS}{tests}"))
    }

    /// With a whole plan.
    pub fn of(plan: &str) -> Self {
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
        let nth = fs::read_dir(self.folder.path()).unwrap().count();
        let file = |name: &str| self.path(&format!("{name}.{nth}"));
        let (stdout, stderr) = (file("stdout"), file("stderr"));
        let child = Command::new(NETPLAN)
            .current_dir(self.folder.path())
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(File::create(&stdout).unwrap())
            .stderr(File::create(&stderr).unwrap())
            .spawn()
            .unwrap();
        println!("$ netplan {}", arguments.join(" "));
        Running {
            child,
            stdout,
            stderr,
        }
    }

    /// Starts `netplan COMMAND … --namespace …`.
    pub fn start_in_namespace(&self, arguments: &[&str]) -> Running {
        let mut all = arguments.to_vec();
        all.extend(["--namespace", &self.namespace]);
        self.start(&all)
    }

    /// Starts `netplan run plan.yaml`, with the results in `out/`.
    pub fn start_run(&self, arguments: &[&str]) -> Running {
        let image = format!("kubernetes.image={}", image());
        let mut all = vec!["run", "plan.yaml", "--on", "kubernetes", "--output", "out"];
        all.extend(["--namespace", &self.namespace, "--set", &image]);
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

    /// Waits until so many cells have ended.
    #[track_caller]
    pub fn wait_for_cells(&self, count: usize) {
        wait_until("the cells to be measured", || {
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

/// A netplan that has been started.
pub struct Running {
    child: Child,
    stdout: PathBuf,
    stderr: PathBuf,
}

/// A netplan that has ended.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Running {
    pub fn stderr(&self) -> String {
        fs::read_to_string(&self.stderr).unwrap()
    }

    /// The run's id, once it is said.
    pub fn run_id(&self) -> String {
        let mut id = None;
        wait_until("the run's id to be said", || {
            id = run_id(&self.stderr());
            id.is_some()
        });
        id.unwrap()
    }

    /// Ctrl-C.
    pub fn interrupt(&self) {
        self.signal(Signal::SIGINT);
    }

    /// `kill -9`.
    #[expect(dead_code, reason = "for what comes next")]
    pub fn kill(mut self) {
        self.signal(Signal::SIGKILL);
        self.child.wait().unwrap();
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).unwrap();
        kill(Pid::from_raw(pid), signal).unwrap();
    }

    /// Waits for its end.
    #[track_caller]
    pub fn finish(mut self) -> Ended {
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(begun.elapsed() < PATIENCE, "{}", self.stderr());
            std::thread::sleep(Duration::from_millis(20));
        };
        let ended = Ended {
            code: status.code(),
            stdout: fs::read_to_string(&self.stdout).unwrap(),
            stderr: self.stderr(),
        };
        println!("{}{}", ended.stdout, ended.stderr);
        println!("code {:?} after {:.1?}", ended.code, begun.elapsed());
        ended
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Ended {
    #[track_caller]
    pub fn expect(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code));
        self
    }

    #[track_caller]
    pub fn says(&self, words: &str) -> &Self {
        let said = self.stdout.contains(words) || self.stderr.contains(words);
        assert!(said, "it does not say `{words}`");
        self
    }
}

/// The id in `run 0badcafe of …`.
pub fn run_id(said: &str) -> Option<String> {
    let (_, rest) = said.split_once("run ")?;
    let id = rest.get(..8)?;
    let is_id = id.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_id.then(|| id.to_owned())
}

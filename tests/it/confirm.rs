//! The question before a run on a cluster elsewhere that nobody named, at a real terminal.

use std::fs;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use nix::pty::{OpenptyResult, openpty};
use serde_json::json;
use tempfile::TempDir;

use crate::support::{Netplan, Running, wait_until};

const PLAN: &str = "\
version: 1
name: case
workers: { a: {}, b: { other_node_than: a } }
paths: [{ name: remote, from: a, to: b, via: pod_ip }]
tests: [{ iperf3: {}, duration: 1s }]
";
const QUESTION: &str = "run on context prod-eu? [Y/n] ";

/// A person at a terminal, in whose home a kubeconfig names a cluster elsewhere. The way there is a proxy on which
/// nobody listens, so that nothing leaves this machine.
struct Person {
    home: TempDir,
    terminal: OpenptyResult,
}

impl Person {
    fn new(server: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let kubeconfig = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "prod-eu",
            "clusters": [{"name": "c", "cluster": {
                "server": server, "insecure-skip-tls-verify": true, "proxy-url": "http://127.0.0.1:9",
            }}],
            "contexts": [{"name": "prod-eu", "context": {"cluster": "c", "user": "u"}}],
            "users": [],
        });
        fs::write(home.path().join("kubeconfig"), kubeconfig.to_string()).unwrap();
        fs::write(home.path().join("plan.yaml"), PLAN).unwrap();
        let terminal = openpty(None, None).unwrap();
        Self { home, terminal }
    }

    fn elsewhere() -> Self {
        Self::new("https://192.0.2.1:6443")
    }

    /// The program in a session of its own that has the terminal.
    fn netplan(&self, arguments: &[&str], stdin: Stdio) -> Netplan {
        Netplan::in_folder(&self.home)
            .started_by(&["setsid", "--wait"])
            .env("KUBECONFIG", "kubeconfig")
            .args(["run", "plan.yaml"])
            .args(arguments)
            .stdin(stdin)
    }

    fn slave(&self) -> Stdio {
        self.terminal.slave.try_clone().unwrap().into()
    }

    fn types(&self, keys: &[u8]) {
        let master: OwnedFd = self.terminal.master.try_clone().unwrap();
        fs::File::from(master).write_all(keys).unwrap();
    }

    /// The exit code, and all that was said.
    fn run(&self, arguments: &[&str], keys: &[u8]) -> (i32, String) {
        let running = self.netplan(arguments, self.slave()).start();
        self.types(keys);
        end(running)
    }
}

fn end(running: Running) -> (i32, String) {
    let ended = running.finish();
    (ended.code.unwrap(), ended.stderr)
}

const STARTED: &str =
    "the API server of context `prod-eu` (https://192.0.2.1:6443, through the proxy";
const NOT_STARTED: &str = "nothing was started; `--on local` runs on this machine";

#[test]
fn yes_starts_and_no_does_not() {
    for (keys, code, asked, says) in [
        ("\n", 1, 1, STARTED),
        ("y\n", 1, 1, STARTED),
        ("n\n", 1, 1, NOT_STARTED),
        ("\x04", 1, 1, NOT_STARTED),
        ("prod\nyes\n", 1, 2, STARTED),
        ("a\nb\nc\n", 1, 3, NOT_STARTED),
    ] {
        let (exit, said) = Person::elsewhere().run(&[], keys.as_bytes());
        assert_eq!(
            (exit, said.matches(QUESTION).count()),
            (code, asked),
            "{keys:?}: {said}"
        );
        assert!(said.contains(says), "{keys:?}: {said}");
        assert!(
            said.starts_with("netplan: on Kubernetes, context `prod-eu`, namespace `netplan`;"),
            "{said}"
        );
    }
}

#[test]
fn whoever_named_the_cluster_is_not_asked() {
    for arguments in [
        &["--yes"][..],
        &["-y"],
        &["--on", "kubernetes"],
        &["--context", "prod-eu"],
    ] {
        let (exit, said) = Person::elsewhere().run(arguments, b"");
        assert!(
            exit == 1 && said.contains(STARTED) && !said.contains("[Y/n]"),
            "{arguments:?}: {said}"
        );
    }
    let (exit, said) = Person::elsewhere().run(&["--dry-run"], b"");
    assert!(exit == 0 && !said.contains("[Y/n]"), "{said}");
}

#[test]
fn nobody_is_asked_without_a_terminal() {
    let (exit, said) = end(Person::elsewhere().netplan(&[], Stdio::null()).start());
    assert!(
        exit == 1 && said.contains(STARTED) && !said.contains("[Y/n]"),
        "{said}"
    );
}

#[test]
fn ctrl_c_starts_nothing() {
    let person = Person::elsewhere();
    let running = person
        .netplan(&[], person.slave())
        .started_by(&["setsid", "--ctty", "--wait"])
        .start();
    // stderr is not a terminal here, so that the question goes to the terminal itself. Before it is asked, Ctrl-C would
    // end the process as it ends any other.
    let mut master = fs::File::from(person.terminal.master.try_clone().unwrap());
    let shown = Arc::new(Mutex::new(Vec::new()));
    let seen = shown.clone();
    std::thread::spawn(move || {
        let mut byte = [0];
        while master.read_exact(&mut byte).is_ok() {
            seen.lock().unwrap().push(byte[0]);
        }
    });
    wait_until("the question", || {
        assert!(!running.has_ended(), "it ended without a question");
        String::from_utf8_lossy(&shown.lock().unwrap()).ends_with(QUESTION)
    });
    person.types(b"\x03");
    let (exit, said) = end(running);
    assert_eq!(exit, 130, "{said}");
    assert!(
        !said.contains(STARTED) && !said.contains("panicked"),
        "{said}"
    );
}

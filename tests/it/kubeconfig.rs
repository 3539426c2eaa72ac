//! Kubeconfigs as people have them, by the real program: which files count, what is wrong in one, and what it means
//! that the API server cannot be reached. No way of these ends in a silent run on this machine, or in a backtrace.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::time::Duration;

use netplan::cluster::kubernetes::{Connection, Settings, Timeouts};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::fake_cluster::FakeCluster;
use crate::kubernetes_doors::{Server, netplan};
use crate::support::{Ended, Netplan, snapshots};

const PLAN: &str = "\
version: 1
name: case
workers: { a: {}, b: { other_node_than: a } }
paths: [{ name: remote, from: a, to: b, via: pod_ip }]
tests: [{ iperf3: {}, duration: 1s }]
";

/// A home with a plan in it.
struct Home(TempDir);

impl Home {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("plan.yaml"), PLAN).unwrap();
        Self(folder)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, text: &str) {
        let file = self.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    /// The program in the home, with this KUBECONFIG.
    fn netplan(&self, kubeconfig: Option<&str>, arguments: &[&str]) -> Ended {
        let mut netplan = Netplan::in_folder(self.path()).args(arguments);
        if let Some(value) = kubeconfig {
            netplan = netplan.env("KUBECONFIG", value);
        }
        netplan.run()
    }

    /// What a run says, and that it has begun nothing.
    fn run(&self, kubeconfig: Option<&str>, arguments: &[&str]) -> String {
        let all = [&["run", "plan.yaml", "--output", "out"], arguments].concat();
        let seen = self.seen(&self.netplan(kubeconfig, &all));
        assert!(!self.path().join("out").exists(), "{seen}");
        seen
    }

    fn seen(&self, ended: &Ended) -> String {
        let said = &ended.stderr;
        assert!(!said.contains("panicked"), "{said}");
        let home = self.path().to_str().unwrap();
        format!("exit code {}\n{said}", ended.code.unwrap()).replace(home, "HOME")
    }
}

/// A port of loopback that nobody listens on.
fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

#[test]
fn each_oddity_is_named_with_its_way_out() {
    let home = Home::new();
    let port = free_port().to_string();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/kubeconfig");
    let mut names: Vec<String> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let mut all = Vec::new();
    for name in &names {
        let text = fs::read_to_string(folder.join(name)).unwrap();
        home.write(name, &text.replace("33253", &port));
        let seen = home.run(Some(name), &[]).replace(&port, "PORT");
        assert!(seen.starts_with("exit code 1\n"), "{name}: {seen}");
        all.push(format!("# {name}\n{seen}"));
    }
    assert_eq!(names.len(), 6);
    let hint = json!({"exec": {
        "apiVersion": "client.authentication.k8s.io/v1", "command": "acme-login",
        "installHint": "acme-login is missing.\n\n  Get it: https://login.example.com/get\n",
    }});
    home.write("hint.yaml", &kubeconfig(&json!({}), &hint));
    all.push(format!(
        "# with an install hint\n{}",
        home.run(Some("hint.yaml"), &[])
    ));
    snapshots().bind(|| insta::assert_snapshot!("kubeconfig_oddities", all.join("\n")));
}

/// A kubeconfig whose cluster and user have these fields besides.
fn kubeconfig(cluster: &Value, user: &Value) -> String {
    let mut of_cluster = json!({"server": "https://127.0.0.1:9"});
    let fields = of_cluster.as_object_mut().unwrap();
    fields.extend(cluster.as_object().unwrap().clone());
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "x",
        "clusters": [{"name": "c", "cluster": of_cluster}],
        "users": [{"name": "u", "user": user}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
    })
    .to_string()
}

#[test]
fn a_variable_without_a_file_never_means_this_machine() {
    let home = Home::new();
    home.write(".kube/config", &kubeconfig(&json!({}), &json!({})));
    let all: Vec<String> = ["none", "none:none-either", ":", ".", "plan.yaml"]
        .into_iter()
        .map(|value| format!("# KUBECONFIG={value}\n{}", home.run(Some(value), &[])))
        .chain([format!(
            "# --kubeconfig none\n{}",
            home.run(None, &["--kubeconfig", "none"])
        )])
        .collect();
    snapshots().bind(|| insta::assert_snapshot!("kubeconfig_missing", all.join("\n")));
    for all in all {
        assert!(all.contains("exit code 1\nerror: "), "{all}");
    }
    // By name, this machine is possible all the same.
    let seen = home.run(Some("none"), &["--on", "local", "--dry-run"]);
    assert!(seen.starts_with("exit code 0\n"), "{seen}");
}

#[test]
fn without_a_kubeconfig_the_run_says_that_it_is_on_this_machine() {
    let home = Home::new();
    let dry = |kubeconfig| home.run(kubeconfig, &["--dry-run"]);
    let says = "netplan: on this machine: there is no kubeconfig `HOME/.kube/config`; ";
    for kubeconfig in [None, Some("")] {
        let seen = dry(kubeconfig);
        assert!(seen.starts_with(&format!("exit code 0\n{says}")), "{seen}");
    }
    // As after `kind delete cluster`.
    let empty = include_str!("../data/kubeconfig/empty-kind.yaml");
    home.write(".kube/config", empty);
    let seen = dry(None);
    let says = "netplan: on this machine: the kubeconfig `HOME/.kube/config` has no cluster; ";
    assert!(seen.starts_with(&format!("exit code 0\n{says}")), "{seen}");
    let seen = home.run(None, &["--context", "prod"]);
    assert!(
        seen.contains("there is no context `prod` in `HOME/.kube/config`"),
        "{seen}"
    );
    let named = home.run(None, &["--on", "local", "--dry-run"]);
    assert!(!named.contains("kubeconfig"), "{named}");
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_files_of_a_list_are_skipped_and_the_context_is_named() {
    let cluster = FakeCluster::start().await;
    let home = Home::new();
    let real = cluster.folder.path().join("kubeconfig");
    home.write("first", "{current-context: fake}");
    let list = format!("none:first:{}", real.display());
    let status = home.netplan(Some(&list), &["status"]);
    assert_eq!(home.seen(&status), "exit code 0\nnetplan: no runs\n");
    let seen = home.run(Some(&list), &["--dry-run"]);
    let says = "netplan: on Kubernetes, context `fake`, namespace `netplan`; use `--on local` for this machine\n";
    assert!(seen.starts_with(&format!("exit code 0\n{says}")), "{seen}");
    let seen = home.run(Some(&list), &["--dry-run", "--namespace", "bench"]);
    assert!(
        seen.contains("context `fake`, namespace `bench`;"),
        "{seen}"
    );
    for named in [["--on", "kubernetes"], ["--context", "fake"]] {
        let seen = home.run(Some(&list), &[&named[..], &["--dry-run"]].concat());
        assert!(seen.starts_with("exit code 0\nnetplan: dry run"), "{seen}");
    }
}

#[test]
fn a_value_that_cannot_be_used_is_named_with_its_file() {
    let home = Home::new();
    home.write("empty.pem", "");
    home.write("newline.token", "a\nb\n");
    let certificate = rcgen::generate_simple_self_signed(vec!["me".to_owned()]).unwrap();
    home.write("me.crt", &certificate.cert.pem());
    fs::write(home.path().join("odd-utf16"), [0xFF, 0xFE, 0x41]).unwrap();
    let cluster = |fields: Value| kubeconfig(&fields, &json!({}));
    let user = |fields: Value| kubeconfig(&json!({}), &fields);
    let script = |text: &str| {
        let exec = json!({"apiVersion": "client.authentication.k8s.io/v1", "interactiveMode": "Never",
            "command": "/bin/sh", "args": ["-c", text]});
        user(json!({"exec": exec}))
    };
    let credential = |status: &str| {
        format!(
            "printf '%s' '{{\"apiVersion\": \"client.authentication.k8s.io/v1\", \"kind\": \"ExecCredential\"{status}}}'"
        )
    };
    let cases = [
        ("no-server", cluster(json!({"server": null}))),
        (
            "other-scheme",
            cluster(json!({"server": "ftp://127.0.0.1"})),
        ),
        (
            "no-brackets",
            cluster(json!({"server": "https://fd00::1:6443"})),
        ),
        (
            "large-port",
            cluster(json!({"server": "https://127.0.0.1:99999"})),
        ),
        ("space", cluster(json!({"server": "https://a b"}))),
        (
            "ca-missing",
            cluster(json!({"certificate-authority": "none.crt"})),
        ),
        (
            "ca-empty",
            cluster(json!({"certificate-authority": "empty.pem"})),
        ),
        (
            "ca-no-base64",
            cluster(json!({"certificate-authority-data": "-----BEGIN"})),
        ),
        (
            "ca-no-pem",
            cluster(json!({"certificate-authority-data": "aGVsbG8K"})),
        ),
        (
            "ca-endless",
            cluster(json!({"certificate-authority": "/dev/zero"})),
        ),
        (
            "proxy-no-scheme",
            cluster(json!({"proxy-url": "proxy:3128"})),
        ),
        (
            "proxy-scheme",
            cluster(json!({"proxy-url": "socks4://proxy:1080"})),
        ),
        ("server-name", cluster(json!({"tls-server-name": "a b"}))),
        ("token", user(json!({"token": "a\nb"}))),
        ("token-file", user(json!({"tokenFile": "newline.token"}))),
        (
            "token-file-missing",
            user(json!({"tokenFile": "none.token"})),
        ),
        (
            "certificate-alone",
            user(json!({"client-certificate": "me.crt"})),
        ),
        (
            "certificate-empty",
            user(json!({"client-certificate": "empty.pem", "client-key": "me.crt"})),
        ),
        (
            "key-is-none",
            user(json!({"client-certificate": "me.crt", "client-key": "me.crt"})),
        ),
        ("impersonate", user(json!({"as": "a\nb"}))),
        (
            "provider",
            user(json!({"auth-provider": {"name": "azure"}})),
        ),
        (
            "exec-nothing",
            user(json!({"exec": {"apiVersion": "client.authentication.k8s.io/v1"}})),
        ),
        ("exec-fails", script("echo 'no such profile' >&2; exit 3")),
        ("exec-prints-words", script("echo hello")),
        ("exec-no-status", script(&credential(""))),
        (
            "exec-bad-token",
            script(&credential(", \"status\": {\"token\": \"a\\nb\"}")),
        ),
        ("kind", "{apiVersion: v1, kind: Pod}".to_owned()),
        ("yaml", "a: [".to_owned()),
    ];
    let mut all = Vec::new();
    for (name, text) in cases {
        home.write(name, &text);
        all.push(format!("# {name}\n{}", home.run(Some(name), &[])));
    }
    all.push(format!("# odd-utf16\n{}", home.run(Some("odd-utf16"), &[])));
    snapshots().bind(|| insta::assert_snapshot!("kubeconfig_values", all.join("\n")));
    for seen in all {
        assert!(seen.contains("exit code 1\nerror: "), "{seen}");
    }
}

#[tokio::test]
async fn a_login_that_never_ends_is_given_up() {
    let home = Home::new();
    // It ends with this test, whose end of the pipe is its standard input.
    let (end, _kept) = std::io::pipe().unwrap();
    let wait = format!(
        "read line < /proc/{}/fd/{}",
        std::process::id(),
        std::os::fd::AsRawFd::as_raw_fd(&end)
    );
    let exec = json!({"apiVersion": "client.authentication.k8s.io/v1", "interactiveMode": "Never",
        "command": "/bin/sh", "args": ["-c", wait]});
    home.write("config", &kubeconfig(&json!({}), &json!({"exec": exec})));
    let settings = Settings {
        kubeconfig: Some(home.path().join("config")),
        timeouts: Timeouts {
            login: Duration::from_millis(100),
            ..Timeouts::default()
        },
        ..Settings::default()
    };
    let error = Connection::open(&settings).await.unwrap_err().to_string();
    assert!(
        error.contains("the program `/bin/sh`, with which user `u` in"),
        "{error}"
    );
    assert!(
        error.contains("logs in, does not end within 0.1 s; log in by hand first"),
        "{error}"
    );
}

#[test]
fn no_message_shows_the_password_in_a_servers_url() {
    let home = Home::new();
    for server in [
        "me:SECRET@host",
        "ftp://me:SECRET@host",
        "https://me:SECRET@host:0",
    ] {
        home.write("k", &kubeconfig(&json!({"server": server}), &json!({})));
        let seen = home.run(Some("k"), &[]);
        assert!(
            seen.contains("`server` of") && seen.contains("host"),
            "{seen}"
        );
        assert!(!seen.contains("SECRET"), "{seen}");
    }
}

#[test]
fn a_token_file_may_end_in_a_newline() {
    let server = Server::start(Some("right"));
    let token = server.write("token", "right\n");
    let kubeconfig = server.kubeconfig(&json!({"tokenFile": token}), &json!({}));
    let status = netplan(&kubeconfig, &["status"], &[]);
    assert_eq!(server.seen(&status), "exit code 0\nnetplan: no runs\n");
}

#[test]
fn a_certificate_that_cannot_be_verified_is_not_a_cluster_that_is_down() {
    let server = Server::start(None);
    let other = Server::start_with(None, "other.example", 2024..4096);
    let expired = Server::start_with(None, "127.0.0.1", 2001..2002);
    let none = [
        ("SSL_CERT_FILE", "/nonexistent".to_owned()),
        ("SSL_CERT_DIR", "/nonexistent".to_owned()),
    ];
    // Some CA, so that this test does not depend on those of the machine.
    let some = [(
        "SSL_CERT_FILE",
        other
            .write("some.crt", other.ca_pem())
            .display()
            .to_string(),
    )];
    let address = server.address;
    let doctor = |kubeconfig: &Path, variables: &[(&str, String)]| {
        let output = netplan(kubeconfig, &["doctor", "--on", "kubernetes"], variables);
        let folder = kubeconfig.parent().unwrap().to_str().unwrap();
        let seen = server.seen(&output).replace(folder, "FOLDER");
        seen.replace(&other.address.to_string(), "OTHER")
            .replace(&expired.address.to_string(), "EXPIRED")
    };
    let no_ca = json!({"certificate-authority": null});
    let mut all = Vec::new();
    let mut add = |name: &str, seen: String| all.push(format!("# {name}\n{seen}"));
    let unknown = server.kubeconfig(&json!({}), &no_ca);
    add("no CA here nor there", doctor(&unknown, &none));
    add("no CA in the kubeconfig", doctor(&unknown, &some));
    let foreign = other.kubeconfig(&json!({}), &json!({"server": format!("https://{address}")}));
    add("another CA", doctor(&foreign, &[]));
    add(
        "another name",
        doctor(&other.kubeconfig(&json!({}), &json!({})), &[]),
    );
    add(
        "expired",
        doctor(&expired.kubeconfig(&json!({}), &json!({})), &[]),
    );
    let proxy = json!({"server": "https://192.0.2.1", "proxy-url": format!("http://u:p@127.0.0.1:{}", free_port())});
    let through = doctor(&server.kubeconfig(&json!({}), &proxy), &[]);
    assert!(
        through.contains("(https://192.0.2.1, through the proxy `http://127.0.0.1:"),
        "{through}"
    );
    assert!(!through.contains("u:p"), "{through}");
    snapshots().bind(|| insta::assert_snapshot!("kubeconfig_certificates", all.join("\n")));

    // Without verification no CA is needed.
    let insecure = json!({"certificate-authority": null, "insecure-skip-tls-verify": true});
    let insecure = server.kubeconfig(&json!({}), &insecure);
    let status = netplan(&insecure, &["status"], &none);
    assert_eq!(server.seen(&status), "exit code 0\nnetplan: no runs\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_and_plain_servers_are_told_apart() {
    let cluster = FakeCluster::start().await;
    let file = cluster.folder.path().join("kubeconfig");
    let text = fs::read_to_string(&file).unwrap();
    // A server without TLS needs no CA of this machine.
    let none = [
        ("SSL_CERT_FILE", "/nonexistent".to_owned()),
        ("SSL_CERT_DIR", "/nonexistent".to_owned()),
    ];
    let status = netplan(&file, &["status"], &none);
    assert!((status.code == Some(0)), "{}", &status.stderr);
    let insecure = text
        .replace("http://", "https://")
        .replace("\"server\"", "\"insecure-skip-tls-verify\":true,\"server\"");
    fs::write(&file, insecure).unwrap();
    let status = netplan(&file, &["status"], &[]);
    let said = &status.stderr;
    assert!(
        said.contains("does not speak TLS; check `server` of cluster `fake` in"),
        "{said}"
    );
}

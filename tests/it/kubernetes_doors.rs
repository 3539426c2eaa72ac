//! The ways to an API server that a kubeconfig can name, by the real program over loopback: TLS, exec
//! plugins, HTTP proxies. And what `doctor` says when it is there.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use http::{Method, Request};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rcgen::{CertificateParams, KeyPair};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, copy_bidirectional};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::fake_api::{FakeApi, Fault, refuse, running};
use crate::support::{Ended, Netplan, snapshots, wait_until};

/// An API server that listens, with a certificate of its own.
pub struct Server {
    pub api: FakeApi,
    pub address: SocketAddr,
    ca_pem: String,
    pub folder: tempfile::TempDir,
}

impl Server {
    /// With a token it answers only who brings it.
    pub fn start(token: Option<&'static str>) -> Self {
        Self::start_with(token, "127.0.0.1", 2024..4096)
    }

    /// With a certificate for this name, valid in these years.
    pub fn start_with(
        token: Option<&'static str>,
        name: &str,
        years: std::ops::Range<i32>,
    ) -> Self {
        let api = FakeApi::new(|_| running());
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(years.start, 1, 1);
        params.not_after = rcgen::date_time_ymd(years.end, 1, 1);
        let cert = params.self_signed(&key).unwrap();
        let provider = Arc::new(ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![cert.der().clone()],
                PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
            )
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let served = api.clone();
        let address = listen(move |stream| {
            let (acceptor, api) = (acceptor.clone(), served.clone());
            async move {
                let Ok(stream) = acceptor.accept(stream).await else {
                    return;
                };
                let service = service_fn(move |request: Request<Incoming>| {
                    let api = api.clone();
                    async move {
                        let (head, body) = request.into_parts();
                        let bytes = body.collect().await.unwrap().to_bytes();
                        let right = token.map(|token| format!("Bearer {token}"));
                        let given = head.headers.get("authorization");
                        let given = given.map(|value| value.to_str().unwrap().to_owned());
                        if right.is_some() && given != right {
                            let answer = refuse(401, "Unauthorized");
                            return Ok::<_, std::convert::Infallible>(answer);
                        }
                        let request = Request::from_parts(head, bytes.to_vec().into());
                        Ok(api.answer(request).await)
                    }
                });
                let _ = http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            }
        });
        Self {
            api,
            address,
            ca_pem: cert.pem(),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// A kubeconfig whose user and cluster have these fields besides.
    pub fn kubeconfig(&self, user: &Value, cluster: &Value) -> PathBuf {
        let ca = self.write("ca.crt", &self.ca_pem);
        let mut of_cluster = json!({
            "server": format!("https://{}", self.address),
            "certificate-authority": ca,
        });
        let fields = of_cluster.as_object_mut().unwrap();
        fields.extend(cluster.as_object().unwrap().clone());
        let text = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "door",
            "clusters": [{"name": "c", "cluster": of_cluster}],
            "users": [{"name": "u", "user": user}],
            "contexts": [{"name": "door", "context": {"cluster": "c", "user": "u"}}],
        });
        self.write("kubeconfig", &text.to_string())
    }

    pub fn seen(&self, ended: &Ended) -> String {
        let (code, said) = (ended.code.unwrap(), ended.said());
        format!("exit code {code}\n{said}")
            .replace(&self.address.to_string(), "ADDRESS")
            .replace(self.folder.path().to_str().unwrap(), "FOLDER")
            .replace(env!("CARGO_PKG_VERSION"), "VERSION")
    }
}

/// Serves connections on loopback until the process ends.
fn listen<F>(serve: impl Fn(tokio::net::TcpStream) -> F + Send + 'static) -> SocketAddr
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream));
            }
        });
    });
    address
}

/// A proxy that knows CONNECT, and counts. All its ways lead `onward_to` an address, or to the one that is asked for.
pub fn proxy(onward_to: Option<SocketAddr>) -> (SocketAddr, Arc<AtomicU32>) {
    let count = Arc::new(AtomicU32::new(0));
    let counted = count.clone();
    let address = listen(move |stream| {
        let counted = counted.clone();
        async move {
            let mut stream = BufReader::new(stream);
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                if stream.read_line(&mut head).await.unwrap() == 0 {
                    return;
                }
            }
            let mut words = head.split(' ');
            assert_eq!(words.next(), Some("CONNECT"), "{head}");
            let asked = words.next().unwrap().to_owned();
            let onward = onward_to.map_or(asked, |address| address.to_string());
            let mut onward = tokio::net::TcpStream::connect(onward).await.unwrap();
            counted.fetch_add(1, Ordering::Relaxed);
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
            let _ = copy_bidirectional(&mut stream, &mut onward).await;
        }
    });
    (address, count)
}

pub fn netplan(kubeconfig: &Path, arguments: &[&str], variables: &[(&str, String)]) -> Ended {
    let netplan = Netplan::in_repository().args(arguments);
    let netplan = netplan.args([Path::new("--kubeconfig"), kubeconfig]);
    let set = |netplan: Netplan, (name, value): &(&str, String)| netplan.env(name, value);
    variables.iter().fold(netplan, set).run()
}

#[test]
fn doctor_says_what_is_well() {
    let server = Server::start(None);
    let kubeconfig = server.kubeconfig(&json!({}), &json!({}));
    let doctor = netplan(&kubeconfig, &["doctor"], &[]);
    snapshots().bind(|| insta::assert_snapshot!("kubernetes_doctor_well", server.seen(&doctor)));
    assert!(server.api.get("namespaces", "", "netplan").is_none());
}

#[test]
fn doctor_says_all_that_is_missing_at_once() {
    let server = Server::start(None);
    server.api.deny("create", "namespaces");
    server.api.deny("create", "pods/portforward");
    server.api.deny("deletecollection", "secrets");
    let mut node = server.api.get("nodes", "", "n2").unwrap();
    node["spec"] = json!({"unschedulable": true});
    server.api.put("nodes", "", &node);
    for name in ["n1", "n2"] {
        let mut node = server.api.get("nodes", "", name).unwrap();
        let images = json!([{"names": ["docker.io/library/netplan:other"], "sizeBytes": 1}]);
        node["status"]["images"] = images;
        server.api.put("nodes", "", &node);
    }
    let plan = server.write(
        "plan.yaml",
        "version: 1
name: wants
workers: { w1: {}, w2: { other_node_than: w1 } }
paths: [{ name: far, from: w1, to: w2, via: pod_ip }]
tests: [{ iperf3: {} }]
kubernetes:
  namespace: team-a
  image_pull_policy: Never
  pull_secrets: [registry]
  priority_class: high
  runtime_class: kata
",
    );
    let kubeconfig = server.kubeconfig(&json!({}), &json!({}));
    let doctor = netplan(
        &kubeconfig,
        &["doctor", plan.to_str().unwrap(), "--on", "kubernetes"],
        &[],
    );
    snapshots().bind(|| insta::assert_snapshot!("kubernetes_doctor_missing", server.seen(&doctor)));
}

#[test]
fn doctor_names_the_platform_with_its_evidence() {
    let server = Server::start(None);
    for group in [
        "apps",
        "security.openshift.io",
        "kyverno.io",
        "networking.istio.io",
    ] {
        server.api.add_group(group);
    }
    for (name, architecture) in [("n1", "amd64"), ("n2", "arm64")] {
        let mut node = server.api.get("nodes", "", name).unwrap();
        node["metadata"]["labels"]["kubernetes.io/arch"] = json!(architecture);
        node["metadata"]["annotations"] = json!({"k8s.ovn.org/node-subnets": "{}"});
        node["status"]["nodeInfo"] = json!({
            "architecture": architecture, "bootID": "", "containerRuntimeVersion": "", "kernelVersion": "",
            "kubeProxyVersion": "", "kubeletVersion": "", "machineID": "", "operatingSystem": "linux",
            "osImage": "", "systemUUID": "",
        });
        server.api.put("nodes", "", &node);
    }
    let labels = json!({"istio-injection": "enabled"});
    let namespace = json!({"metadata": {"name": "netplan", "labels": labels}});
    server.api.put("namespaces", "", &namespace);
    let kubeconfig = server.kubeconfig(&json!({}), &json!({}));
    let doctor = netplan(&kubeconfig, &["doctor"], &[]);
    snapshots()
        .bind(|| insta::assert_snapshot!("kubernetes_doctor_platform", server.seen(&doctor)));
    let plan = server.write(
        "plan.yaml",
        "version: 1
name: wants
workers: { w1: {}, w2: { other_node_than: w1 } }
paths: [{ name: far, from: w1, to: w2, via: pod_ip }]
tests: [{ iperf3: {} }]
kubernetes: { user: platform, architecture: amd64 }
",
    );
    let plan = plan.to_str().unwrap();
    let doctor = netplan(&kubeconfig, &["doctor", plan, "--on", "kubernetes"], &[]);
    snapshots()
        .bind(|| insta::assert_snapshot!("kubernetes_doctor_platform_kept", server.seen(&doctor)));
}

/// The Job of the orchestrator of another run.
fn other_run(run: &str, status: &Value) -> Value {
    let labels = json!({
        "app.kubernetes.io/name": "netplan", "netplan/run": run, "netplan/role": "orchestrator",
    });
    let name = format!("netplan-{run}-orchestrator");
    json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name, "labels": labels}, "status": status})
}

/// The status of a Job that has ended.
fn complete() -> Value {
    json!({"conditions": [{"type": "Complete", "status": "True"}]})
}

const SECOND: &str = "version: 1
name: second
workers: { w1: {}, w2: {} }
paths: [{ name: near, from: w1, to: w2, via: pod_ip }]
tests: [{ iperf3: {} }]
";

#[test]
fn a_run_waits_for_the_others_before_anything_else() {
    let server = Server::start(None);
    let other = other_run("0badcafe", &json!({}));
    server.api.put("jobs", "team-a", &other);
    let fault = |method, path, code, times| Fault {
        method,
        path,
        code,
        message: "not today",
        times,
    };
    // The first look fails.
    server.api.fail(fault(Method::GET, "/configmaps", 401, 1));
    // The run itself is not what is looked at.
    server.api.fail(fault(Method::PATCH, "/", 422, 100));
    let plan = server.write("plan.yaml", SECOND);
    let kubeconfig = server.kubeconfig(&json!({}), &json!({}));
    let run = Netplan::in_folder(server.folder.path())
        .args(["run", plan.to_str().unwrap(), "--wait"])
        .args(["--on", "kubernetes", "--output", "out"])
        .args([Path::new("--kubeconfig"), &kubeconfig])
        .start();
    let waits = "run 0badcafe (namespace team-a) measures on this cluster; waiting for its end";
    wait_until("the run to wait", || run.stderr().contains(waits));
    let said = run.stderr();
    assert!(said.contains("cannot list the runs"), "{said}");
    assert!(said.contains("asking again"), "{said}");
    assert!(server.api.asked().is_empty(), "the preflight is for later");
    let ended = other_run("0badcafe", &complete());
    server.api.put("jobs", "team-a", &ended);
    let said = run.finish().said();
    assert!(said.contains("not today"), "{said}");
    assert_eq!(said.matches("cannot list the runs").count(), 1, "{said}");
    assert!(!server.api.asked().is_empty());
}

#[test]
fn a_run_names_the_others_that_measure_on_the_cluster() {
    let server = Server::start(None);
    let other = other_run("0badcafe", &json!({}));
    server.api.put("jobs", "team-a", &other);
    let ended = other_run("0badbeef", &complete());
    server.api.put("jobs", "team-b", &ended);
    // The run itself is not what is looked at.
    server.api.fail(Fault {
        method: Method::PATCH,
        path: "/",
        code: 422,
        message: "not today",
        times: 100,
    });
    let plan = server.write("plan.yaml", SECOND);
    let kubeconfig = server.kubeconfig(&json!({}), &json!({}));
    let arguments = [
        "run",
        plan.to_str().unwrap(),
        "--on",
        "kubernetes",
        "--output",
        "out",
    ];
    let run = Netplan::in_folder(server.folder.path()).args(arguments);
    let run = run.args([Path::new("--kubeconfig"), &kubeconfig]).run();
    let said = run.said();
    assert!(
        said.contains("run 0badcafe (namespace team-a) measures on this cluster"),
        "{said}"
    );
    assert!(
        !said.contains("0badbeef") && said.contains("not today"),
        "{said}"
    );
}

#[test]
fn doctor_says_when_nobody_answers() {
    let server = Server::start(Some("right"));
    let refused = server.kubeconfig(&json!({"token": "wrong"}), &json!({}));
    let refused = netplan(&refused, &["doctor"], &[]);
    let nobody = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .unwrap()
        .local_addr()
        .unwrap();
    let cluster = json!({"server": format!("https://{nobody}")});
    let nobody_there = server.kubeconfig(&json!({}), &cluster);
    let nobody_there = netplan(&nobody_there, &["doctor"], &[]);
    let seen = [refused, nobody_there].map(|one| server.seen(&one));
    let seen = seen.join("\n").replace(&nobody.to_string(), "NOBODY");
    snapshots().bind(|| insta::assert_snapshot!("kubernetes_doctor_refused", seen));
}

#[test]
fn an_exec_plugin_is_asked_for_its_token() {
    let server = Server::start(Some("from-the-plugin"));
    let credential = json!({
        "apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
        "status": {"token": "from-the-plugin"},
    });
    let plugin = server.write(
        "plugin",
        &format!("#!/bin/sh\ntest \"$1\" = get-token && echo '{credential}'\n"),
    );
    fs::set_permissions(&plugin, fs::Permissions::from_mode(0o755)).unwrap();
    let exec = |command: &Path| {
        json!({"exec": {
            "apiVersion": "client.authentication.k8s.io/v1", "interactiveMode": "Never",
            "command": command, "args": ["get-token"],
        }})
    };
    let kubeconfig = server.kubeconfig(&exec(&plugin), &json!({}));
    let status = netplan(&kubeconfig, &["status"], &[]);
    assert_eq!(server.seen(&status), "exit code 0\nnetplan: no runs\n");

    let kubeconfig = server.kubeconfig(&exec(Path::new("/nowhere/plugin")), &json!({}));
    let status = netplan(&kubeconfig, &["status"], &[]);
    snapshots()
        .bind(|| insta::assert_snapshot!("kubernetes_exec_plugin_missing", server.seen(&status)));
}

#[test]
fn the_way_leads_through_a_proxy() {
    let server = Server::start(None);
    let (address, count) = proxy(Some(server.address));
    let url = format!("http://{address}");
    let by_kubeconfig = server.kubeconfig(&json!({}), &json!({"proxy-url": url}));
    let status = netplan(&by_kubeconfig, &["status"], &[("NO_PROXY", "*".to_owned())]);
    assert_eq!(server.seen(&status), "exit code 0\nnetplan: no runs\n");
    let tunnels = count.load(Ordering::Relaxed);
    assert!(tunnels > 0);

    // As with kubectl, the environment's proxy is not asked for loopback.
    let plain = server.kubeconfig(&json!({}), &json!({}));
    let proxied = [("HTTPS_PROXY", url.clone())];
    let status = netplan(&plain, &["status"], &proxied);
    assert_eq!(server.seen(&status), "exit code 0\nnetplan: no runs\n");
    assert_eq!(count.load(Ordering::Relaxed), tunnels);

    let elsewhere = json!({"server": "https://192.0.2.1:6443", "tls-server-name": "127.0.0.1"});
    let elsewhere = server.kubeconfig(&json!({}), &elsewhere);
    let status = netplan(&elsewhere, &["status"], &proxied);
    assert_eq!(server.seen(&status), "exit code 0\nnetplan: no runs\n");
    assert!(count.load(Ordering::Relaxed) > tunnels);
}

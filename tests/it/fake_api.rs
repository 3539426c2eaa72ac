//! An API server in memory, behind kube's own client.
//!
//! It keeps objects, watches, owner references and labels as the real one does, plays Job controller
//! and kubelet in a word, and fails where a test says so.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt};
use http::{Method, Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use k8s_openapi::ByteString;
use kube::Client;
use kube::client::Body;
use kube::client::retry::RetryPolicy;
use serde_json::{Value, json};
use tokio::sync::watch;
use tower::retry::RetryLayer;
use tower::{BoxError, ServiceBuilder, service_fn};

/// What becomes of a pod as soon as it is there.
pub type Kubelet = fn(name: &str) -> Value;

#[derive(Clone)]
pub struct FakeApi {
    inner: Arc<Mutex<Inner>>,
    /// Says that there are news, and how often all watches have been cut.
    news: Arc<watch::Sender<u64>>,
}

struct Inner {
    objects: BTreeMap<Key, Value>,
    /// Every change: its version, type and object.
    history: Vec<(u64, &'static str, Key, Value)>,
    version: u64,
    kubelet: Kubelet,
    faults: Vec<Fault>,
    denied: BTreeSet<(String, String)>,
    /// Watches that begin at an earlier version get 410: as an event, or as the answer.
    forgotten: u64,
    cut: Cut,
    requests: Vec<String>,
    /// What was asked for in access reviews: group, resource, verb.
    asked: BTreeSet<(String, String, String)>,
    /// So many pods have been made.
    pods: u32,
    /// Jobs that can make no pods.
    barren: BTreeSet<String>,
    /// What pods have printed.
    logs: BTreeMap<String, String>,
    /// API groups of custom resources.
    groups: Vec<String>,
    /// Kubelets end the containers of deleted pods, and never finish the rest.
    pods_linger: bool,
}

/// Resource, namespace (empty for none), name.
type Key = (String, String, String);

/// How watches are cut.
#[derive(Clone, Copy, PartialEq)]
pub enum Cut {
    /// They can continue where they were.
    Plain,
    /// They cannot; a new watch begins, and says so in its first event.
    Outdated,
    /// They cannot; no new watch begins.
    Refused,
}

/// Answers that replace the right one.
#[derive(Clone, Debug)]
pub struct Fault {
    pub method: Method,
    /// What the path has in it.
    pub path: &'static str,
    pub code: u16,
    pub message: &'static str,
    pub times: u32,
}

pub type Answer = Response<StreamBody<BoxStream<'static, Result<Frame<Bytes>, Infallible>>>>;

/// The status of a pod whose process runs.
pub fn running() -> Value {
    json!({
        "phase": "Running",
        "conditions": [{"type": "Ready", "status": "True"}],
        "containerStatuses": [container(&json!({"running": {}}), 0, &json!({}))],
    })
}

/// The status of a pod whose container waits.
pub fn waiting(reason: &str, message: &str) -> Value {
    let state = json!({"waiting": {"reason": reason, "message": message}});
    json!({"phase": "Pending", "containerStatuses": [container(&state, 0, &json!({}))]})
}

pub fn container(state: &Value, restarts: u32, last: &Value) -> Value {
    json!({
        "name": "c", "image": "i", "imageID": "", "ready": state.get("running").is_some(),
        "restartCount": restarts, "state": state, "lastState": last,
    })
}

impl FakeApi {
    pub fn new(kubelet: Kubelet) -> Self {
        let inner = Inner {
            objects: BTreeMap::new(),
            history: Vec::new(),
            version: 1,
            kubelet,
            faults: Vec::new(),
            denied: BTreeSet::new(),
            forgotten: 0,
            cut: Cut::Plain,
            requests: Vec::new(),
            asked: BTreeSet::new(),
            pods: 0,
            barren: BTreeSet::new(),
            logs: BTreeMap::new(),
            groups: Vec::new(),
            pods_linger: false,
        };
        let api = Self {
            inner: Arc::new(Mutex::new(inner)),
            news: Arc::new(watch::Sender::new(0)),
        };
        for node in ["n1", "n2"] {
            api.put(
                "nodes",
                "",
                &json!({
                    "apiVersion": "v1", "kind": "Node",
                    "metadata": {"name": node, "labels": {"kubernetes.io/hostname": node, "kubernetes.io/os": "linux"}},
                    "status": {"conditions": [{"type": "Ready", "status": "True"}]},
                }),
            );
        }
        api
    }

    /// A client with kube's own retries.
    pub fn client(&self) -> Client {
        let api = self.clone();
        let service = service_fn(move |request: Request<Body>| {
            let api = api.clone();
            async move { Ok::<_, BoxError>(api.answer(request).await) }
        });
        let service = ServiceBuilder::new()
            .layer(RetryLayer::new(RetryPolicy::default()))
            .service(service);
        Client::new(service, "default")
    }

    pub fn fail(&self, fault: Fault) {
        self.inner.lock().unwrap().faults.push(fault);
    }

    /// From now on all answers are right again.
    pub fn mend(&self) {
        self.inner.lock().unwrap().faults.clear();
    }

    /// The API server has the resources of this group.
    pub fn add_group(&self, name: &str) {
        self.inner.lock().unwrap().groups.push(name.to_owned());
    }

    /// From now on the containers of a deleted pod end, and the pod stays until it is deleted without its kubelet.
    pub fn let_pods_linger(&self) {
        self.inner.lock().unwrap().pods_linger = true;
    }

    pub fn deny(&self, verb: &str, resource: &str) {
        let denied = (verb.to_owned(), resource.to_owned());
        self.inner.lock().unwrap().denied.insert(denied);
    }

    /// Cuts all watches.
    pub fn cut_watches(&self, cut: Cut) {
        {
            let mut inner = self.inner.lock().unwrap();
            inner.cut = cut;
            if cut != Cut::Plain {
                inner.version += 10;
                inner.forgotten = inner.version;
            }
        }
        self.news.send_modify(|cuts| *cuts += 1);
    }

    /// Stores an object as it is.
    pub fn put(&self, resource: &str, namespace: &str, object: &Value) {
        let mut object = object.clone();
        object["metadata"]["namespace"] = json!(namespace);
        let name = object["metadata"]["name"].as_str().unwrap().to_owned();
        let key = (resource.to_owned(), namespace.to_owned(), name);
        self.inner.lock().unwrap().store(key, object);
        self.news.send_modify(|_| {});
    }

    pub fn get(&self, resource: &str, namespace: &str, name: &str) -> Option<Value> {
        let key = (resource.to_owned(), namespace.to_owned(), name.to_owned());
        self.inner.lock().unwrap().objects.get(&key).cloned()
    }

    /// Resource and name of every object.
    pub fn all(&self) -> Vec<String> {
        let inner = self.inner.lock().unwrap();
        let keys = inner.objects.keys();
        keys.map(|(resource, _, name)| format!("{resource}/{name}"))
            .collect()
    }

    /// Group, resource and verb of every access that was asked about.
    pub fn asked(&self) -> BTreeSet<(String, String, String)> {
        self.inner.lock().unwrap().asked.clone()
    }

    /// Method and path with its query, of every request.
    pub fn requests(&self) -> Vec<String> {
        self.inner.lock().unwrap().requests.clone()
    }

    /// The status of the pod of this Job; one that has failed gets a successor.
    pub fn set_status(&self, namespace: &str, job: &str, status: &Value) {
        let mut object = self.pod_of(namespace, job);
        object["status"] = status.clone();
        self.put("pods", namespace, &object);
        if status["phase"] == "Failed" {
            self.inner.lock().unwrap().succeed(&object);
            self.news.send_modify(|_| {});
        }
    }

    /// No pod of this Job is admitted.
    pub fn refuse_pods_of(&self, job: &str) {
        self.inner.lock().unwrap().barren.insert(job.to_owned());
    }

    /// The cluster warns of an object.
    pub fn say(&self, namespace: &str, kind: &str, name: &str, reason: &str, message: &str) {
        let event = json!({
            "apiVersion": "v1", "kind": "Event",
            "metadata": {"name": format!("{name}.{reason}")},
            "involvedObject": {"kind": kind, "name": name},
            "type": "Warning", "reason": reason, "message": message,
        });
        self.put("events", namespace, &event);
    }

    /// The newest pod of a Job.
    pub fn pod_of(&self, namespace: &str, job: &str) -> Value {
        let pod = self.inner.lock().unwrap().pod_of(namespace, job);
        pod.unwrap()
    }

    /// The process of a Job has ended well; nothing happens when the Job is gone.
    pub fn complete(&self, namespace: &str, job: &str) {
        {
            let mut inner = self.inner.lock().unwrap();
            let key = |resource: &str, name: &str| {
                (resource.to_owned(), namespace.to_owned(), name.to_owned())
            };
            let of_job = key("jobs", job);
            let Some(mut object) = inner.objects.get(&of_job).cloned() else {
                return;
            };
            object["status"] = json!({"conditions": [{"type": "Complete", "status": "True"}]});
            inner.store(of_job, object);
            if let Some(mut pod) = inner.pod_of(namespace, job) {
                let ended = json!([{
                    "name": "netplan", "image": "", "imageID": "", "ready": false, "restartCount": 0,
                    "state": {"terminated": {"exitCode": 0}},
                }]);
                pod["status"] = json!({"phase": "Succeeded", "containerStatuses": ended});
                let of_pod = key("pods", pod["metadata"]["name"].as_str().unwrap());
                inner.store(of_pod, pod);
            }
        }
        self.news.send_modify(|_| {});
    }

    /// Somebody deletes the pod of this Job.
    pub fn delete_pod_of(&self, namespace: &str, job: &str) {
        let pod = self.pod_of(namespace, job);
        self.delete("pods", namespace, pod["metadata"]["name"].as_str().unwrap());
    }

    /// Puts a line at the end of a pod's log.
    pub fn log(&self, pod: &str, line: &str) {
        let mut inner = self.inner.lock().unwrap();
        let log = inner.logs.entry(pod.to_owned()).or_default();
        log.push_str(line);
        log.push('\n');
    }

    /// Says that something has changed, from now on.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.news.subscribe()
    }

    pub fn delete(&self, resource: &str, namespace: &str, name: &str) {
        let key = (resource.to_owned(), namespace.to_owned(), name.to_owned());
        self.inner.lock().unwrap().remove(&key);
        self.news.send_modify(|_| {});
    }

    /// The answer to one request.
    pub async fn answer(&self, request: Request<Body>) -> Answer {
        let (head, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let path = head.uri.path().to_owned();
        let query: BTreeMap<String, String> = head
            .uri
            .query()
            .unwrap_or_default()
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(key, value)| (key.to_owned(), decoded(value)))
            .collect();
        let whole = format!("{} {}", head.method, head.uri);
        let mut inner = self.inner.lock().unwrap();
        inner.requests.push(whole.clone());
        if let Some(fault) = inner.faults.iter_mut().find(|fault| {
            fault.times > 0 && fault.method == head.method && whole.contains(fault.path)
        }) {
            fault.times -= 1;
            return refuse(fault.code, fault.message);
        }
        if path == "/version" {
            return json_answer(&json!({
                "major": "1", "minor": "20", "gitVersion": "v1.20.2", "gitCommit": "",
                "gitTreeState": "", "buildDate": "", "goVersion": "", "compiler": "", "platform": "",
            }));
        }
        if path == "/apis" {
            let groups = inner.groups.iter().map(|name| {
                let version = json!({"groupVersion": format!("{name}/v1"), "version": "v1"});
                json!({"name": name, "versions": [version], "preferredVersion": version})
            });
            let groups: Vec<Value> = groups.collect();
            return json_answer(
                &json!({"apiVersion": "v1", "kind": "APIGroupList", "groups": groups}),
            );
        }
        let sent: Value = serde_json::from_slice(&body).unwrap_or_default();
        let (resource, namespace, name, sub) = place(&path);
        if resource == "selfsubjectaccessreviews" {
            let asked = &sent["spec"]["resourceAttributes"];
            let word = |key: &str| asked[key].as_str().unwrap_or_default().to_owned();
            let resource = match word("subresource") {
                sub if sub.is_empty() => word("resource"),
                sub => format!("{}/{sub}", word("resource")),
            };
            let asked = (word("group"), resource.clone(), word("verb"));
            let allowed = !inner.denied.contains(&(word("verb"), resource));
            inner.asked.insert(asked);
            return json_answer(&json!({
                "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
                "metadata": {}, "spec": {}, "status": {"allowed": allowed},
            }));
        }
        if sub == "log" {
            let log = inner.logs.get(&name).cloned();
            let log = log.unwrap_or_else(|| "the last line\n".to_owned());
            let lines: Vec<&str> = log.split_inclusive('\n').collect();
            let tail = query.get("tailLines").and_then(|tail| tail.parse().ok());
            let skip = lines.len().saturating_sub(tail.unwrap_or(usize::MAX));
            return Response::new(text(lines[skip..].concat()));
        }
        let key = (resource.clone(), namespace.clone(), name.clone());
        let selector = query.get("labelSelector").cloned().unwrap_or_default();
        let picks = move |(of, place, _): &Key, object: &Value| {
            *of == resource
                && (namespace.is_empty() || *place == namespace)
                && selects(&selector, object)
        };
        let answer = match head.method {
            Method::GET if query.contains_key("watch") => {
                let from = query["resourceVersion"].parse().unwrap();
                if from < inner.forgotten {
                    if inner.cut == Cut::Refused {
                        return refuse(410, "too old resource version");
                    }
                    let status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {},
                        "status": "Failure", "code": 410, "reason": "Expired", "message": "too old"});
                    let event = json!({"type": "ERROR", "object": status});
                    return Response::new(text(event.to_string() + "\n"));
                }
                drop(inner);
                return self.watch(from, picks);
            }
            Method::GET if name.is_empty() => {
                let items: Vec<&Value> = inner
                    .objects
                    .iter()
                    .filter(|(key, object)| picks(key, object))
                    .map(|(_, object)| object)
                    .collect();
                json_answer(&json!({
                    "apiVersion": "v1", "kind": "List", "items": items,
                    "metadata": {"resourceVersion": inner.version.to_string()},
                }))
            }
            Method::GET => match inner.objects.get(&key) {
                Some(object) => json_answer(object),
                None => refuse(404, "not found"),
            },
            Method::POST if query.contains_key("dryRun") => json_answer(&sent),
            Method::POST => {
                let name = sent["metadata"]["name"].as_str().unwrap_or_default();
                let key = (key.0, key.1, name.to_owned());
                if inner.objects.contains_key(&key) {
                    return refuse(409, "already exists");
                }
                json_answer(&inner.store(key, sent))
            }
            Method::PATCH => {
                let dry = query.contains_key("dryRun");
                let mut object = sent;
                object["metadata"]["namespace"] = json!(key.1);
                if dry {
                    return json_answer(&object);
                }
                json_answer(&inner.apply(key, object))
            }
            Method::DELETE if name.is_empty() => {
                if key.0 == "services" {
                    return refuse(
                        405,
                        "the server does not allow this method on the requested resource",
                    );
                }
                let doomed: Vec<Key> = inner
                    .objects
                    .iter()
                    .filter(|(key, object)| picks(key, object))
                    .map(|(key, _)| key.clone())
                    .collect();
                for key in doomed {
                    inner.remove(&key);
                }
                json_answer(&json!({"apiVersion": "v1", "kind": "Status", "status": "Success"}))
            }
            Method::DELETE => {
                if !inner.objects.contains_key(&key) {
                    return refuse(404, "not found");
                }
                if sent["gracePeriodSeconds"] == json!(0) {
                    assert_eq!(
                        sent["preconditions"]["uid"],
                        inner.objects[&key]["metadata"]["uid"]
                    );
                    inner.remove_at_once(&key);
                } else {
                    inner.remove(&key);
                }
                json_answer(&json!({"apiVersion": "v1", "kind": "Status", "status": "Success"}))
            }
            _ => refuse(405, "what is that?"),
        };
        drop(inner);
        self.news.send_modify(|_| {});
        answer
    }

    fn watch(&self, from: u64, picks: impl Fn(&Key, &Value) -> bool + Send + 'static) -> Answer {
        let mut news = self.news.subscribe();
        let cuts = *news.borrow_and_update();
        let inner = self.inner.clone();
        let lines = stream::unfold((from, news, picks), move |(from, mut news, picks)| {
            let inner = inner.clone();
            async move {
                loop {
                    if *news.borrow_and_update() != cuts {
                        return None;
                    }
                    let (version, lines) = {
                        let inner = inner.lock().unwrap();
                        let changes = inner.history.iter().filter(|(version, ..)| *version > from);
                        let lines: String = changes
                            .filter(|(_, _, key, object)| picks(key, object))
                            .map(|(_, kind, _, object)| {
                                json!({"type": kind, "object": object}).to_string() + "\n"
                            })
                            .collect();
                        (inner.version, lines)
                    };
                    if !lines.is_empty() {
                        let frame = Ok(Frame::data(Bytes::from(lines)));
                        return Some((frame, (version, news, picks)));
                    }
                    news.changed().await.ok()?;
                }
            }
        });
        Response::new(StreamBody::new(lines.boxed()))
    }
}

impl Inner {
    fn pod_of(&self, namespace: &str, job: &str) -> Option<Value> {
        let own = |(key, pod): &(&Key, &Value)| {
            key.0 == "pods"
                && key.1 == namespace
                && pod["metadata"]["ownerReferences"][0]["name"] == job
        };
        let number = |pod: &Value| {
            let name = pod["metadata"]["name"].as_str().unwrap();
            name.rsplit_once("-x").unwrap().1.parse::<u32>().unwrap()
        };
        let pods = self.objects.iter().filter(own).map(|(_, pod)| pod);
        pods.max_by_key(|pod| number(pod)).cloned()
    }

    fn store(&mut self, key: Key, mut object: Value) -> Value {
        self.version += 1;
        if let Some(Value::Object(texts)) = object.as_object_mut().unwrap().remove("stringData") {
            let bytes = |text: Value| json!(ByteString(text.as_str().unwrap().into()));
            object["data"] = texts
                .into_iter()
                .map(|(key, text)| (key, bytes(text)))
                .collect();
        }
        let metadata = &mut object["metadata"];
        if metadata["uid"].is_null() {
            metadata["uid"] = json!(format!("u{}", self.version));
            metadata["creationTimestamp"] = json!("2026-01-01T00:00:00Z");
        }
        metadata["resourceVersion"] = json!(self.version.to_string());
        let kind = if self.objects.contains_key(&key) {
            "MODIFIED"
        } else {
            "ADDED"
        };
        self.history
            .push((self.version, kind, key.clone(), object.clone()));
        self.objects.insert(key, object.clone());
        object
    }

    /// An apply, and what controllers make of it.
    fn apply(&mut self, key: Key, mut object: Value) -> Value {
        if let Some(earlier) = self.objects.get(&key) {
            object["metadata"]["uid"] = earlier["metadata"]["uid"].clone();
            return self.store(key, object);
        }
        if key.0 == "pods" {
            object["status"] = (self.kubelet)(&key.2);
            object["spec"]["nodeName"] = json!("n1");
        }
        let stored = self.store(key.clone(), object);
        if key.0 == "jobs" {
            self.make_pod(&key);
        }
        stored
    }

    /// As the Job controller does, which waits longer.
    fn make_pod(&mut self, job: &Key) {
        let Some(object) = self.objects.get(job) else {
            return;
        };
        if self.barren.contains(&job.2) {
            return;
        }
        let template = &object["spec"]["template"];
        let mut pod = json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": template["metadata"],
            "spec": template["spec"],
            "status": (self.kubelet)(&job.2),
        });
        self.pods += 1;
        let name = format!("{}-x{}", job.2, self.pods);
        pod["spec"]["nodeName"] = json!("n2");
        pod["metadata"]["name"] = json!(name);
        pod["metadata"]["namespace"] = json!(job.1);
        pod["metadata"]["ownerReferences"] = json!([{
            "apiVersion": "batch/v1", "kind": "Job", "name": job.2, "controller": true,
            "uid": object["metadata"]["uid"],
        }]);
        self.store(("pods".to_owned(), job.1.clone(), name), pod);
    }

    /// Makes a pod's successor, if a Job that is still there wants one.
    fn succeed(&mut self, pod: &Value) {
        let owner = &pod["metadata"]["ownerReferences"][0];
        if owner["kind"] == "Job" {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let namespace = text(&pod["metadata"]["namespace"]);
            self.make_pod(&("jobs".to_owned(), namespace, text(&owner["name"])));
        }
    }

    fn remove(&mut self, key: &Key) {
        let pod = self.objects.get(key).filter(|_| key.0 == "pods");
        if let Some(mut pod) = pod.filter(|_| self.pods_linger).cloned() {
            let ended = container(&json!({"terminated": {"exitCode": 0}}), 0, &json!({}));
            pod["metadata"]["deletionTimestamp"] = json!("2026-11-27T21:36:27Z");
            pod["status"]["containerStatuses"] = json!([ended]);
            self.store(key.clone(), pod);
        } else {
            self.remove_at_once(key);
        }
    }

    fn remove_at_once(&mut self, key: &Key) {
        let Some(object) = self.objects.remove(key) else {
            return;
        };
        self.version += 1;
        let mut last = object.clone();
        last["metadata"]["resourceVersion"] = json!(self.version.to_string());
        self.history
            .push((self.version, "DELETED", key.clone(), last));
        let uid = &object["metadata"]["uid"];
        let owned: Vec<Key> = self
            .objects
            .iter()
            .filter(|(_, object)| {
                let owners = object["metadata"]["ownerReferences"].as_array();
                owners.is_some_and(|owners| owners.iter().any(|owner| owner["uid"] == *uid))
            })
            .map(|(key, _)| key.clone())
            .collect();
        for key in owned {
            self.remove(&key);
        }
        if key.0 == "pods" && object["status"]["phase"] != "Failed" {
            self.succeed(&object);
        }
    }
}

/// Resource, namespace, name and subresource that a path leads to.
fn place(path: &str) -> (String, String, String, String) {
    let words: Vec<&str> = path.trim_matches('/').split('/').collect();
    let rest = if words[0] == "api" {
        &words[2..]
    } else {
        &words[3..]
    };
    let word = |at: usize| rest.get(at).copied().unwrap_or_default().to_owned();
    if word(0) == "namespaces" && rest.len() > 2 {
        (word(2), word(1), word(3), word(4))
    } else {
        (word(0), String::new(), word(1), word(2))
    }
}

fn selects(selector: &str, object: &Value) -> bool {
    selector
        .split(',')
        .filter(|term| !term.is_empty())
        .all(|term| {
            let labels = &object["metadata"]["labels"];
            match term.split_once('=') {
                Some((key, value)) => labels[key] == value,
                None => !labels[term].is_null(),
            }
        })
}

fn decoded(text: &str) -> String {
    let mut parts = text.split('%');
    let mut out = parts.next().unwrap_or_default().replace('+', " ");
    for part in parts {
        let code = u8::from_str_radix(&part[..2], 16).unwrap();
        out.push(char::from(code));
        out.push_str(&part[2..]);
    }
    out
}

fn text(
    content: impl Into<Bytes>,
) -> StreamBody<BoxStream<'static, Result<Frame<Bytes>, Infallible>>> {
    let frame = Ok(Frame::data(content.into()));
    StreamBody::new(stream::iter([frame]).boxed())
}

fn json_answer(value: &Value) -> Answer {
    Response::new(text(value.to_string()))
}

/// A failure in the API server's own form.
pub fn refuse(code: u16, message: &str) -> Answer {
    let reason = match code {
        403 => "Forbidden",
        404 => "NotFound",
        409 if message.contains("exists") => "AlreadyExists",
        409 => "Conflict",
        410 => "Expired",
        _ => "",
    };
    let status = json!({
        "reason": reason,
        "apiVersion": "v1", "kind": "Status", "status": "Failure", "code": code, "message": message,
    });
    let mut answer = json_answer(&status);
    *answer.status_mut() = StatusCode::from_u16(code).unwrap();
    answer
}

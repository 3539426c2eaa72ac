//! One run in a cluster: applies its objects, waits for its pods, reports their ends.

use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::io::AsyncBufReadExt;
use futures::stream::{Stream, StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::LogParams;
use tokio::io::DuplexStream;
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::Instant;

use super::hindrance::Births;
use super::port_forward;
use crate::cluster::kubernetes::api_error::api_error;
use crate::cluster::kubernetes::connection::Connection;
use crate::cluster::kubernetes::labels::selector;
use crate::cluster::kubernetes::objects::apply;
use crate::cluster::kubernetes::objects::apply::{Mode, pod_spec};
use crate::cluster::kubernetes::objects::namespace;
use crate::cluster::kubernetes::objects::owner::Owner;
use crate::cluster::kubernetes::objects::remove::remove_run;
use crate::cluster::kubernetes::pods::pod_watch::{Change, PodWatch};
use crate::cluster::kubernetes::pods::status::{current_pod, is_leaving, pod_state, rendered_name};
use crate::cluster::kubernetes::pods::terminations::{Termination, Terminations};
use crate::cluster::kubernetes::startup::{Startup, StartupFailure, Verdict};
use crate::cluster::{Cluster, Error, Health, PodAddresses, PodEnded};
use crate::render::Manifest;

/// One run in a Kubernetes cluster, applied by this process or by another one.
pub struct Kubernetes {
    connection: Connection,
    run: String,
    namespace: String,
    owner: Option<Owner>,
    applied: AtomicBool,
    /// The run's Jobs have been seen.
    has_jobs: AtomicBool,
    births: Births,
    description: OnceLock<serde_json::Value>,
    follow: Mutex<Follow>,
}

/// The run's pods, seen from one watch to the end of this value.
struct Follow {
    watch: PodWatch,
    terminations: Terminations,
    /// Not yet told.
    ended: std::collections::VecDeque<Termination>,
}

/// A log is shown in part when it is longer.
const LOG_LINES: u32 = 5000;
/// What is waited for is said when it has been so for this long.
const LASTING: Duration = Duration::from_secs(1);

impl Connection {
    /// One run in this cluster, applied or to be applied.
    #[must_use]
    pub fn run(&self, id: &str, namespace: &str) -> Kubernetes {
        Kubernetes::new(self.clone(), id, namespace)
    }
}

impl Kubernetes {
    fn new(connection: Connection, run: &str, namespace: &str) -> Self {
        let watch = PodWatch::new(&connection, namespace, &selector(run));
        Self {
            connection,
            run: run.to_owned(),
            namespace: namespace.to_owned(),
            owner: None,
            applied: AtomicBool::new(false),
            has_jobs: AtomicBool::new(false),
            births: Births::default(),
            description: OnceLock::new(),
            follow: Mutex::new(Follow {
                watch,
                terminations: Terminations::default(),
                ended: std::collections::VecDeque::new(),
            }),
        }
    }

    /// The same, removed by the cluster when its owner is.
    #[must_use]
    pub fn owned_by(self, owner: Option<Owner>) -> Self {
        Self { owner, ..self }
    }

    /// The run's id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.run
    }

    /// The run's namespace.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Asks the API server what it would say to the objects; nothing is kept. The namespace has to
    /// be there.
    ///
    /// # Errors
    /// The first object that it would refuse.
    pub async fn dry_run(&self, manifests: &[Manifest]) -> Result<(), Error> {
        apply::apply(
            &self.connection,
            &self.namespace,
            &self.run,
            manifests,
            None,
            Mode::DryRun,
        )
        .await
    }

    /// Asks about the cluster, for [`Cluster::description`]; `apply` does so by itself.
    pub async fn load_description(&self) {
        if self.description.get().is_none() {
            let _ = self
                .description
                .set(Box::pin(self.connection.describe()).await);
        }
    }

    /// The lines that a pod prints, from its beginning and as they come. Ends with the container,
    /// or with a cut connection: what has been read then has to be skipped by the caller.
    ///
    /// # Errors
    /// [`Error::NoSuchPod`], or the log cannot be had.
    pub async fn follow_logs(
        &self,
        pod: &str,
    ) -> Result<impl Stream<Item = Result<String, Error>> + Send + use<>, Error> {
        let name = self.own_name(pod).await?;
        let params = LogParams {
            follow: true,
            ..LogParams::default()
        };
        let what = format!("read the log of pod `{pod}`");
        let lines = self
            .pods()
            .log_stream(&name, &params)
            .await
            .map_err(|error| api_error(what.as_str(), &error))?
            .lines();
        Ok(lines
            .map_err(move |error| Error::system(what.as_str(), error))
            .boxed())
    }

    /// Waits until every pod is up; says what it waits for.
    async fn wait_ready(&self, manifests: &[Manifest]) -> Result<(), Error> {
        let pods = manifests
            .iter()
            .filter(|manifest| pod_spec(&manifest.object).is_some())
            .map(|manifest| manifest.name().to_owned());
        let mut startup = Startup::new(pods, Instant::now(), self.connection.timeouts);
        let mut follow = self.follow.lock().await;
        follow.watch.with_events(&self.connection, &self.namespace);
        let mut said = String::new();
        let mut since = Instant::now();
        let mut news = String::new();
        loop {
            let until = match startup.verdict(Instant::now()) {
                Verdict::Ready => break,
                Verdict::Failed(failure) => {
                    drop(follow);
                    return Err(self.explain(failure).await);
                }
                Verdict::Wait { message, until } => {
                    if message != news {
                        news = message;
                        since = Instant::now();
                    }
                    // What passes by itself in a moment is not worth a line.
                    let due = since + LASTING;
                    if news == said {
                        until
                    } else if due <= Instant::now() {
                        (self.connection.report_progress)(&news);
                        said.clone_from(&news);
                        until
                    } else {
                        until.min(due)
                    }
                }
            };
            let Ok(change) = tokio::time::timeout_at(until, follow.watch.next()).await else {
                continue;
            };
            let change = change?;
            let now = Instant::now();
            self.note_birth(&change);
            match &change {
                Change::Pod { pod, .. } | Change::Gone(pod) => {
                    let name = rendered_name(pod);
                    match current_pod(follow.watch.pods(), &name).filter(|pod| !is_leaving(pod)) {
                        Some(pod) => startup.observe_pod(now, &name, &pod_state(pod)),
                        None => startup.observe_deletion(now, &name),
                    }
                }
                Change::Event { kind, name, event } => {
                    let subject = follow.subject(kind, name);
                    startup.observe_event(now, &subject, event);
                }
                Change::Unanswered(why) => {
                    (self.connection.report_progress)(&format!(
                        "the API server does not answer: {why}"
                    ));
                }
                Change::Listed => {}
            }
            follow.take(&change);
        }
        follow.watch.without_events();
        Ok(())
    }

    async fn explain(&self, failure: StartupFailure) -> Error {
        let mut details = failure.details;
        if failure.has_run
            && let Ok(name) = self.own_name(&failure.pod).await
        {
            let lines = self.last_lines(&name, true).await;
            details.extend(lines.into_iter().map(|line| format!("| {line}")));
        }
        Error::PodFailed {
            pod: failure.pod,
            problem: Box::new(failure.problem),
            details,
        }
    }

    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Takes note of whether there are Jobs now, and says whether there have been some.
    pub(super) fn has_had_jobs(&self, are_there: bool) -> bool {
        self.has_jobs.fetch_or(are_there, Ordering::Relaxed) || are_there
    }

    pub(super) fn births(&self) -> &Births {
        &self.births
    }

    fn note_birth(&self, change: &Change) {
        if let Change::Pod { pod, .. } = change {
            self.births.note(pod);
        }
    }

    pub(super) fn pods(&self) -> Api<Pod> {
        Api::namespaced(self.connection.client.clone(), &self.namespace)
    }

    /// The name of the pod that goes by a rendered name.
    pub(super) async fn own_name(&self, pod: &str) -> Result<String, Error> {
        let found = port_forward::find_pod(&self.connection, &self.namespace, &self.run, pod)
            .await
            .map_err(|error| api_error(format!("look for pod `{pod}`"), &error))?;
        found
            .and_then(|pod| pod.metadata.name)
            .ok_or_else(|| Error::NoSuchPod {
                pod: pod.to_owned(),
            })
    }

    /// The next end. It stays in the queue until it is told.
    async fn wait_ended(&self) -> (MutexGuard<'_, Follow>, Result<Termination, Error>) {
        let mut follow = self.follow.lock().await;
        loop {
            if let Some(ended) = follow.ended.front() {
                let ended = ended.clone();
                return (follow, Ok(ended));
            }
            match follow.watch.next().await {
                Ok(change) => {
                    self.note_birth(&change);
                    follow.take(&change);
                }
                Err(error) => return (follow, Err(error)),
            }
        }
    }
}

impl Follow {
    fn take(&mut self, change: &Change) {
        let ended = match change {
            Change::Pod { pod, first } => self.terminations.observe(pod, *first),
            Change::Gone(pod) => self.terminations.observe_deletion(pod),
            _ => None,
        };
        self.ended.extend(ended);
    }

    /// The rendered name of what an event is about.
    fn subject(&self, kind: &str, name: &str) -> String {
        let pod = self
            .watch
            .pods()
            .find(|pod| kind == "Pod" && pod.metadata.name.as_deref() == Some(name));
        pod.map_or_else(|| name.to_owned(), rendered_name)
    }
}

impl Cluster for Kubernetes {
    type Stream = DuplexStream;

    async fn apply(&self, manifests: &[Manifest]) -> Result<(), Error> {
        if self.applied.swap(true, Ordering::Relaxed) {
            return Err(Error::AlreadyApplied);
        }
        namespace::ensure(&self.connection, &self.namespace, &self.run, manifests).await?;
        apply::apply(
            &self.connection,
            &self.namespace,
            &self.run,
            manifests,
            self.owner.as_ref(),
            Mode::Real,
        )
        .await?;
        self.wait_ready(manifests).await?;
        self.load_description().await;
        Ok(())
    }

    async fn connect(&self, pod: &str, port: u16, within: Duration) -> Result<DuplexStream, Error> {
        port_forward::connect(
            &self.connection,
            &self.namespace,
            &self.run,
            pod,
            port,
            within,
        )
        .await
    }

    async fn ended(&self) -> Option<PodEnded> {
        let (mut follow, ended) = self.wait_ended().await;
        let Ok(ended) = ended else {
            return None;
        };
        let told = self.to_pod_ended(&ended).await;
        follow.ended.pop_front();
        Some(told)
    }

    async fn health(&self, last: &Health) -> Health {
        self.wait_for_health(last).await
    }

    async fn logs(&self, pod: &str) -> Result<String, Error> {
        self.log(pod, Some(LOG_LINES)).await
    }

    async fn addresses(&self, pod: &str) -> Result<PodAddresses, Error> {
        self.pod_addresses(pod).await
    }

    fn description(&self) -> serde_json::Value {
        self.description.get().cloned().unwrap_or_default()
    }

    async fn down(self) -> Result<(), Error> {
        let made_for = Some(self.run.as_str());
        remove_run(
            &self.connection,
            &self.namespace,
            &self.run,
            false,
            made_for,
        )
        .await
    }
}

impl fmt::Debug for Kubernetes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kubernetes")
            .field("connection", &self.connection)
            .field("run", &self.run)
            .field("namespace", &self.namespace)
            .finish_non_exhaustive()
    }
}

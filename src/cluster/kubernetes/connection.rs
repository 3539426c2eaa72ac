//! A connection to a cluster.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use kube::Client;

use super::kubeconfig;
use super::kubeconfig::{Chosen, Connected, MergedConfig, Origin};
use crate::cluster::Error;
use crate::diag::Problem;

/// Which cluster, and how long to wait for it. By default it is the one that
/// kubectl would talk to, or the one that this process runs in.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Default: the files of `KUBECONFIG`, else `~/.kube/config`, else the pod's own cluster.
    pub kubeconfig: Option<PathBuf>,
    /// Default: the kubeconfig's current context.
    pub context: Option<String>,
    /// Where to look for runs. Default: all namespaces that netplan may list.
    pub namespace: Option<String>,
    pub timeouts: Timeouts,
}

/// Deadlines; every wait has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For all pods of a run to be ready, images pulled.
    pub ready: Duration,
    /// For the issue of a pod to pass: registries and schedulers try again.
    pub issue: Duration,
    /// For the replacement of a lost pod: Jobs wait before they create one.
    pub replaced: Duration,
    /// For removed objects to be gone.
    pub gone: Duration,
    /// For the program with which the kubeconfig's user logs in: it may ask a person.
    pub login: Duration,
    /// For one answer of the API server, kube's own retries included.
    pub answer: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            ready: Duration::from_secs(5 * 60),
            issue: Duration::from_secs(12),
            replaced: Duration::from_secs(45),
            gone: Duration::from_secs(90),
            login: Duration::from_secs(5 * 60),
            answer: Duration::from_secs(30),
        }
    }
}

/// Receives a line about what is being waited for.
pub(super) type ProgressReport = Arc<dyn Fn(&str) + Send + Sync>;

/// A connection to a cluster; clones share it.
#[derive(Clone)]
pub struct Connection {
    pub(super) client: Client,
    pub(super) origin: Arc<Origin>,
    server: http::Uri,
    pub(super) namespace: Option<String>,
    /// The namespace to look in without the permission to list all.
    pub(super) home: String,
    pub(super) timeouts: Timeouts,
    pub(super) report_progress: ProgressReport,
    /// What admission changes in the run's pods, once the preflight has asked.
    pub(super) pod_changes: Arc<OnceLock<Vec<String>>>,
}

/// What the configuration says about a cluster.
#[derive(Debug)]
pub enum Configured {
    Cluster(Box<Connection>),
    /// Nothing is configured and nothing was named; the reason, a sentence without its period.
    Nothing(String),
}

impl Connection {
    /// Reads the configuration; nothing is asked of the cluster yet.
    ///
    /// # Errors
    /// A kubeconfig that cannot be read or used, or there is none.
    pub async fn open(settings: &Settings) -> Result<Self, Error> {
        match Self::find(settings).await? {
            Configured::Cluster(connection) => Ok(*connection),
            Configured::Nothing(why) => Err(Error::from(
                Problem::without_place(why).help("name one with `--kubeconfig` or KUBECONFIG"),
            )),
        }
    }

    /// The same, but not an error where nothing is configured and nothing was named: no kubeconfig, and this
    /// process does not run in a pod.
    ///
    /// # Errors
    /// A kubeconfig that cannot be read or used, or one that is named and missing.
    pub async fn find(settings: &Settings) -> Result<Configured, Error> {
        let chosen = Chosen::from_environment(settings.kubeconfig.as_deref());
        let merged = MergedConfig::new(&chosen.read()?)?;
        let context = settings.context.as_deref();
        let connected = if merged.is_empty() && context.is_none() && !chosen.is_explicit() {
            match kubeconfig::from_pod().await? {
                Some(connected) => connected,
                None if merged.has_files() => {
                    let why = format!("the kubeconfig {} has no cluster", chosen.searched_files());
                    return Ok(Configured::Nothing(why));
                }
                None => {
                    let why = format!("there is no kubeconfig {}", chosen.searched_files());
                    return Ok(Configured::Nothing(why));
                }
            }
        } else if !merged.has_files() {
            return Err(Error::from(
                Problem::without_place(format!(
                    "there is no kubeconfig {}, and so no context `{}`",
                    chosen.searched_files(),
                    context.unwrap_or_default()
                ))
                .help("name one with `--kubeconfig` or KUBECONFIG"),
            ));
        } else {
            kubeconfig::from_selected(&merged.select(context)?, settings.timeouts.login).await?
        };
        Ok(Configured::Cluster(Box::new(Self::new(
            connected, settings,
        ))))
    }

    fn new(connected: Connected, settings: &Settings) -> Self {
        Self {
            origin: Arc::new(connected.origin),
            home: connected.namespace,
            server: connected.server,
            namespace: settings.namespace.clone(),
            ..Self::from_client(connected.client, settings.timeouts)
        }
    }

    /// Whether the API server is on this machine, as those of kind, k3d and minikube are.
    pub async fn is_on_this_machine(&self) -> bool {
        self.origin.proxy.is_none() && kubeconfig::is_on_this_machine(&self.server).await
    }

    /// A connection over any client.
    #[must_use]
    pub fn from_client(client: Client, timeouts: Timeouts) -> Self {
        Self {
            client,
            origin: Arc::new(Origin::for_client()),
            server: http::Uri::default(),
            namespace: None,
            home: "default".to_owned(),
            timeouts,
            report_progress: Arc::new(|_| {}),
            pod_changes: Arc::default(),
        }
    }

    /// The same connection, which reports what it waits for.
    #[must_use]
    pub fn with_progress(mut self, report: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.report_progress = Arc::new(report);
        self
    }

    /// How people know the cluster: ``context `kind-dev` ``.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.origin.place
    }

    /// Waits for an answer until the deadline.
    pub(super) async fn ask<T>(
        &self,
        question: impl Future<Output = kube::Result<T>>,
    ) -> kube::Result<T> {
        let within = self.timeouts.answer;
        match tokio::time::timeout(within, question).await {
            Ok(answer) => {
                answer.map_err(|error| kubeconfig::explain_connection_error(error, &self.origin))
            }
            Err(_) => Err(kubeconfig::no_answer(&self.origin, within.as_secs())),
        }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("origin", &self.origin)
            .field("namespace", &self.namespace)
            .field("timeouts", &self.timeouts)
            .finish_non_exhaustive()
    }
}

//! A cluster that one can talk to.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use kube::Client;

use super::connection::{self, Chosen, Connected, Merged, Origin};
use super::run::Kubernetes;
use crate::cluster::{Error, Trouble};

/// Which cluster, and how patient to be with it. Without a word of the caller it is the one that
/// kubectl would talk to, or the one that this process runs in.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Default: the files of `KUBECONFIG`, else `~/.kube/config`, else the pod's own cluster.
    pub kubeconfig: Option<PathBuf>,
    /// Default: the kubeconfig's current context.
    pub context: Option<String>,
    /// Where to look for runs. Default: in all namespaces that one may look into.
    pub namespace: Option<String>,
    pub patience: Patience,
}

/// How long to wait for what; everything has an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// For all pods of a run to be ready, images pulled.
    pub ready: Duration,
    /// For a pod that cannot start to find a way all the same: registries and schedulers try again.
    pub hitch: Duration,
    /// For a pod that was lost to have a successor: Jobs wait before they make one.
    pub replaced: Duration,
    /// For removed objects to be gone.
    pub gone: Duration,
    /// For the program with which the kubeconfig's user logs in: it may ask a person.
    pub login: Duration,
    /// For one answer of the API server, kube's own retries included.
    pub answer: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            ready: Duration::from_secs(5 * 60),
            hitch: Duration::from_secs(12),
            replaced: Duration::from_secs(45),
            gone: Duration::from_secs(90),
            login: Duration::from_secs(5 * 60),
            answer: Duration::from_secs(30),
        }
    }
}

/// Takes a line about what is being waited for.
pub(super) type Tell = Arc<dyn Fn(&str) + Send + Sync>;

/// A cluster that one can talk to; clones share the connection.
#[derive(Clone)]
pub struct Access {
    pub(super) client: Client,
    pub(super) origin: Arc<Origin>,
    server: http::Uri,
    pub(super) namespace: Option<String>,
    /// Where a person without a view of the whole cluster works.
    pub(super) home: String,
    pub(super) patience: Patience,
    pub(super) tell: Tell,
}

/// What the configuration says about a cluster.
#[derive(Debug)]
pub enum Configured {
    Cluster(Box<Access>),
    /// Nothing is configured, and nothing was named; why, as a sentence without its period.
    Nothing(String),
}

impl Access {
    /// Reads the configuration; nothing is asked of the cluster yet.
    ///
    /// # Errors
    /// A kubeconfig that cannot be read or used, or there is none.
    pub async fn open(settings: &Settings) -> Result<Self, Error> {
        match Self::find(settings).await? {
            Configured::Cluster(access) => Ok(*access),
            Configured::Nothing(why) => Err(Error::Lacks(Trouble {
                what: why,
                help: "name one with `--kubeconfig` or KUBECONFIG".to_owned(),
            })),
        }
    }

    /// The same, but tells where nothing is configured and nothing was named: no kubeconfig, and this is no pod.
    ///
    /// # Errors
    /// A kubeconfig that cannot be read or used, or one that is named and missing.
    pub async fn find(settings: &Settings) -> Result<Configured, Error> {
        let chosen = Chosen::from_environment(settings.kubeconfig.as_deref());
        let merged = Merged::new(&chosen.read()?)?;
        let context = settings.context.as_deref();
        let connected = if merged.is_empty() && context.is_none() && !chosen.is_explicit() {
            match connection::from_pod().await? {
                Some(connected) => connected,
                None if merged.has_files() => {
                    let why = format!("the kubeconfig {} has no cluster", chosen.looked_for());
                    return Ok(Configured::Nothing(why));
                }
                None => {
                    let why = format!("there is no kubeconfig {}", chosen.looked_for());
                    return Ok(Configured::Nothing(why));
                }
            }
        } else if !merged.has_files() {
            return Err(Error::Lacks(Trouble {
                what: format!(
                    "there is no kubeconfig {}, and so no context `{}`",
                    chosen.looked_for(),
                    context.unwrap_or_default()
                ),
                help: "name one with `--kubeconfig` or KUBECONFIG".to_owned(),
            }));
        } else {
            connection::from_selected(&merged.select(context)?, settings.patience.login).await?
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
            ..Self::over(connected.client, settings.patience)
        }
    }

    /// Whether the API server is on this machine, as those of kind, k3d and minikube are.
    pub async fn is_on_this_machine(&self) -> bool {
        self.origin.proxy.is_none() && connection::is_on_this_machine(&self.server).await
    }

    /// A cluster behind any client.
    #[must_use]
    pub fn over(client: Client, patience: Patience) -> Self {
        Self {
            client,
            origin: Arc::new(Origin::of_client()),
            server: http::Uri::default(),
            namespace: None,
            home: "default".to_owned(),
            patience,
            tell: Arc::new(|_| {}),
        }
    }

    /// The same cluster, that says what it waits for.
    #[must_use]
    pub fn telling(mut self, tell: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.tell = Arc::new(tell);
        self
    }

    /// How people know the cluster: ``context `kind-dev` ``.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.origin.place
    }

    /// One run in this cluster, applied or to be applied.
    #[must_use]
    pub fn run(&self, id: &str, namespace: &str) -> Kubernetes {
        Kubernetes::new(self.clone(), id, namespace)
    }

    /// Waits for an answer, but not for ever.
    pub(super) async fn ask<T>(
        &self,
        question: impl Future<Output = kube::Result<T>>,
    ) -> kube::Result<T> {
        let within = self.patience.answer;
        match tokio::time::timeout(within, question).await {
            Ok(answer) => answer.map_err(|error| connection::explain(error, &self.origin)),
            Err(_) => Err(connection::no_answer(&self.origin, within.as_secs())),
        }
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access")
            .field("origin", &self.origin)
            .field("namespace", &self.namespace)
            .field("patience", &self.patience)
            .finish_non_exhaustive()
    }
}

//! A cluster that one can talk to.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::{Client, Config};

use super::failure::failed;
use super::run::Kubernetes;
use crate::cluster::Error;

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
    /// How people know the cluster: `context kind-dev`.
    place: String,
    pub(super) namespace: Option<String>,
    /// Where a person without a view of the whole cluster works.
    pub(super) home: String,
    pub(super) patience: Patience,
    pub(super) tell: Tell,
}

/// The API server's port has to open within this.
const CONNECTS_WITHIN: Duration = Duration::from_secs(10);

impl Access {
    /// Reads the configuration; nothing is asked of the cluster yet.
    ///
    /// # Errors
    /// A kubeconfig that cannot be read or has no such context, or there is none.
    pub async fn open(settings: &Settings) -> Result<Self, Error> {
        match Self::open_if_configured(settings).await? {
            Some(access) => Ok(access),
            None => Err(Error::Api {
                what: "find a cluster".to_owned(),
                cause: "there is no kubeconfig".to_owned(),
                help: "name one with `--kubeconfig` or KUBECONFIG, or run with `--on local`"
                    .to_owned(),
            }),
        }
    }

    /// The same, but `None` where nothing is configured and nothing was named: no kubeconfig, and
    /// this is no pod.
    ///
    /// # Errors
    /// A kubeconfig that cannot be read or has no such context.
    pub async fn open_if_configured(settings: &Settings) -> Result<Option<Self>, Error> {
        let options = KubeConfigOptions {
            context: settings.context.clone(),
            ..KubeConfigOptions::default()
        };
        let cannot = |error: &dyn std::error::Error| Error::Api {
            what: "use the kubeconfig".to_owned(),
            cause: crate::rpc::words(error),
            help: "`kubectl config get-contexts` shows what there is".to_owned(),
        };
        let read = match &settings.kubeconfig {
            Some(file) => Kubeconfig::read_from(file),
            None => Kubeconfig::read(),
        };
        let absent = settings.kubeconfig.is_none() && settings.context.is_none();
        let (mut config, place) = match read {
            Ok(kubeconfig) => {
                let context = options
                    .context
                    .clone()
                    .or_else(|| kubeconfig.current_context.clone())
                    .filter(|context| !context.is_empty());
                if context.is_none() && absent && kubeconfig.clusters.is_empty() {
                    return Ok(None);
                }
                let config = Config::from_custom_kubeconfig(kubeconfig, &options)
                    .await
                    .map_err(|error| cannot(&error))?;
                let context = context.unwrap_or_default();
                (config, format!("context `{context}`"))
            }
            Err(error) if absent && is_missing(&error) => match Config::incluster() {
                Ok(config) => (config, "the cluster of this pod".to_owned()),
                Err(_) => return Ok(None),
            },
            Err(error) => return Err(cannot(&error)),
        };
        config.connect_timeout = Some(CONNECTS_WITHIN);
        let home = config.default_namespace.clone();
        let client =
            Client::try_from(config).map_err(|error| failed("set up the connection", &error))?;
        let mut access = Self::over(client, settings.patience);
        access.place = place;
        access.home = home;
        access.namespace.clone_from(&settings.namespace);
        Ok(Some(access))
    }

    /// A cluster behind any client.
    #[must_use]
    pub fn over(client: Client, patience: Patience) -> Self {
        Self {
            client,
            place: "a client of its own".to_owned(),
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

    /// How people know the cluster.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
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
            Ok(answer) => answer,
            Err(_) => Err(kube::Error::Service(
                format!("no answer within {} s", within.as_secs()).into(),
            )),
        }
    }
}

/// Whether there is no kubeconfig, in contrast to a bad one.
fn is_missing(error: &KubeconfigError) -> bool {
    match error {
        KubeconfigError::FindPath => true,
        KubeconfigError::ReadConfig(error, _) => error.kind() == std::io::ErrorKind::NotFound,
        _ => false,
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access")
            .field("place", &self.place)
            .field("namespace", &self.namespace)
            .field("patience", &self.patience)
            .finish_non_exhaustive()
    }
}

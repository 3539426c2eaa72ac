//! Where a run runs: on this machine, or on a Kubernetes cluster.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::anyhow;
use clap::{Args, ValueEnum};

use super::local_cluster;
use super::preflight::Checkup;
use super::prepare::Prepared;
use crate::cli::error::CliError;
use crate::cli::help::complete;
use crate::cli::terminal::confirm::{self, Answer};
use crate::cli::terminal::printer;
use crate::cluster::kubernetes::{Configured, Connection, Settings};
use crate::plan::{NAMESPACE, namespace_name};

// Which cluster to connect to.
#[derive(Debug, Args)]
pub(in crate::cli) struct ConnectionArgs {
    /// The kubeconfig [default: that of kubectl]
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,

    /// The kubeconfig's context [default: its current one]
    #[arg(long, value_name = "NAME", add = complete::kubeconfig_contexts())]
    context: Option<String>,
}

// Where to look for runs.
#[derive(Debug, Args)]
pub(in crate::cli) struct KubernetesArgs {
    #[command(flatten)]
    connection: ConnectionArgs,

    /// The namespace to look for runs in [default: all; without the permission for that, `netplan` and the context's]
    #[arg(long, value_name = "NAME", value_parser = namespace)]
    namespace: Option<String>,
}

// Where to run.
#[derive(Debug, Args)]
pub(in crate::cli) struct TargetArgs {
    /// Where to run [default: the cluster of the current kubeconfig, else local]
    #[arg(long, value_enum)]
    on: Option<On>,

    #[command(flatten)]
    connection: ConnectionArgs,

    /// The run's namespace; created if missing, and then removed with the run
    #[arg(long, value_name = "NAME", value_parser = namespace)]
    pub namespace: Option<String>,
}

/// The name of a namespace, as an argument.
pub(in crate::cli) fn namespace(text: &str) -> Result<String, String> {
    match namespace_name(text) {
        Ok(()) => Ok(text.to_owned()),
        Err(problem) => Err(problem.help.unwrap_or(problem.what)),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum On {
    /// A Kubernetes cluster
    Kubernetes,
    /// Network namespaces of this machine
    Local,
}

/// Where a run runs.
pub(in crate::cli) enum Target {
    Local,
    Kubernetes(Box<Connection>),
}

/// This machine, if this build has the local cluster.
pub(super) fn local() -> anyhow::Result<Target> {
    match local_cluster::require() {
        Ok(()) => Ok(Target::Local),
        Err(problem) => Err(anyhow!("{problem}")),
    }
}

impl ConnectionArgs {
    fn settings(&self, namespace: Option<&String>) -> Settings {
        Settings {
            kubeconfig: self.kubeconfig.clone(),
            context: self.context.clone(),
            namespace: namespace.cloned(),
            ..Settings::default()
        }
    }
}

impl KubernetesArgs {
    /// The namespace that is named, else the one that runs use by default.
    pub fn namespace_or_default(&self) -> &str {
        self.namespace.as_deref().unwrap_or(NAMESPACE)
    }

    /// The cluster that is named, or that kubectl would talk to.
    pub async fn open(&self) -> anyhow::Result<Connection> {
        let settings = self.connection.settings(self.namespace.as_ref());
        Ok(Connection::open(&settings).await?)
    }
}

impl TargetArgs {
    /// Whether this machine or a cluster is asked for by name.
    pub fn named(&self) -> Option<On> {
        self.on
    }

    /// The target that is asked for, else the one that there is; says which, and what decided, when nothing on the
    /// command line did. `namespace` is where the objects would be.
    pub async fn resolve(&self, namespace: &str) -> anyhow::Result<Target> {
        let settings = self.connection.settings(self.namespace.as_ref());
        let found = match self.on {
            Some(On::Local) => return local(),
            Some(On::Kubernetes) => {
                Configured::Cluster(Box::new(Connection::open(&settings).await?))
            }
            None => Connection::find(&settings)
                .await
                .map_err(|error| anyhow!("{error}\n  use `--on local` for this machine"))?,
        };
        Ok(match found {
            Configured::Cluster(connection) => {
                if self.is_open() {
                    printer::note(&format!(
                        "on Kubernetes, {}, namespace `{namespace}`; use `--on local` for this machine",
                        connection.place()
                    ));
                }
                Target::Kubernetes(Box::new(connection.with_progress(printer::note)))
            }
            Configured::Nothing(why) => {
                printer::note(&format!(
                    "on this machine: {why}; `--kubeconfig` or `--context` names a cluster"
                ));
                local()?
            }
        })
    }

    /// Whether nothing on the command line says where to run.
    fn is_open(&self) -> bool {
        self.on.is_none() && self.connection.context.is_none()
    }

    /// Whether the run may start there. A benchmark saturates links, so that a person is asked before it starts on
    /// a cluster elsewhere that nobody named.
    pub async fn confirm(&self, target: &Target) -> anyhow::Result<Answer> {
        let Target::Kubernetes(connection) = target else {
            return Ok(Answer::Yes);
        };
        if !self.is_open() || !confirm::can_ask() || connection.is_on_this_machine().await {
            return Ok(Answer::Yes);
        }
        let place = connection.place().replace('`', "");
        Ok(confirm::ask(&format!("run on {place}?"), Answer::Yes).await?)
    }
}

impl Target {
    /// The target for a message: `on this machine`.
    pub fn describe(&self) -> String {
        match self {
            Self::Local => "on this machine".to_owned(),
            Self::Kubernetes(connection) => format!("on Kubernetes ({})", connection.place()),
        }
    }

    /// Looks at everything that a run needs of the place.
    pub async fn checkup(&self, prepared: &Prepared) -> Checkup {
        match self {
            Self::Local => Checkup::for_local_run(prepared),
            Self::Kubernetes(connection) => {
                let Prepared {
                    run,
                    plan,
                    manifests,
                    ..
                } = prepared;
                let mut place = connection.checkup(&run.namespace, manifests).await;
                let families = connection.family_check(&run.namespace, plan, manifests);
                place.extend(families.await);
                Checkup {
                    place,
                    // The image has them.
                    tools: Vec::new(),
                }
            }
        }
    }

    /// Fails when the run could not start, with everything that is in its way.
    pub async fn preflight(&self, prepared: &Prepared) -> Result<(), CliError> {
        let place = match self {
            Self::Local => "this machine",
            Self::Kubernetes(_) => "this cluster",
        };
        self.checkup(prepared).await.judge(place, prepared)
    }

    /// Asks the API server what it would say to the run's objects.
    pub async fn dry_run(&self, prepared: &Prepared) -> Result<(), CliError> {
        let Self::Kubernetes(connection) = self else {
            let message = "--dry-run=server asks an API server; the local cluster has none";
            return Err(CliError::Usage(message.to_owned()));
        };
        let run = connection.run(&prepared.run.id, &prepared.run.namespace);
        let asked = run.dry_run(&prepared.manifests).await;
        Ok(asked.map_err(anyhow::Error::from)?)
    }

    /// How long an orchestrator there may take to end a run that is interrupted.
    pub fn cancels_within(&self) -> Duration {
        match self {
            Self::Local => Duration::from_millis(700),
            // Through the API server's port-forward.
            Self::Kubernetes(_) => Duration::from_secs(5),
        }
    }
}

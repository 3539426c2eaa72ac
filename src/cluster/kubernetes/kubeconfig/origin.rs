//! Where the configuration of a cluster comes from, for messages.

use super::merged::Selected;

/// Where a cluster's configuration comes from, and what it says of the way there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cluster::kubernetes) struct Origin {
    /// How people know the cluster: ``context `kind-dev` ``.
    pub place: String,
    /// The API server's URL; empty for a client that is given.
    pub server: String,
    /// Who configures it: ``cluster `kind-dev` in `/home/me/.kube/config` ``.
    pub cluster: String,
    /// The configuration names CA certificates.
    pub has_ca: bool,
    /// The proxy on the way, without its password.
    pub proxy: Option<String>,
}

impl Origin {
    pub(super) fn from_selected(selected: &Selected) -> Self {
        let cluster = &selected.cluster;
        Self {
            place: format!("context `{}`", selected.context.name),
            server: cluster.value.server.clone().unwrap_or_default(),
            cluster: format!("cluster `{}` in `{}`", cluster.name, cluster.file.display()),
            has_ca: false,
            proxy: None,
        }
    }

    pub(super) fn from_pod(server: String) -> Self {
        Self {
            place: "the cluster of this pod".to_owned(),
            server,
            cluster: "the pod's service account".to_owned(),
            has_ca: true,
            proxy: None,
        }
    }

    /// A client that is made elsewhere.
    pub fn for_client() -> Self {
        Self {
            place: "a client of its own".to_owned(),
            server: String::new(),
            cluster: "the client's configuration".to_owned(),
            has_ca: true,
            proxy: None,
        }
    }

    /// The API server, as the subject of a message.
    pub fn api_server(&self) -> String {
        let way = match &self.proxy {
            Some(proxy) => format!(", through the proxy `{proxy}`"),
            None => String::new(),
        };
        match self.server.as_str() {
            "" => format!("the API server of {}", self.place),
            server => format!("the API server of {} ({server}{way})", self.place),
        }
    }
}

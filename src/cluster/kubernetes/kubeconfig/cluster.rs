//! What a kubeconfig says of a cluster: the API server's URL, its certificates, the way there.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kube::Config;
use kube::config::Cluster;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};

use super::files::read_bytes;
use super::merged::Entry;
use super::origin::Origin;
use super::{proxy, server};
use crate::diag::Problem;

/// A configuration for this cluster, still without a user. Notes in `origin` how the way leads there.
///
/// # Errors
/// A value that is not a URL, a certificate that cannot be read, with the file and the cluster that say so.
pub(super) fn config(entry: &Entry<Cluster>, origin: &mut Origin) -> Result<Config, Problem> {
    let cluster = &entry.value;
    let at = origin.cluster.clone();
    let Some(url) = nonempty(cluster.server.as_ref()) else {
        return Err(Problem::without_place(format!("{at} has no `server`"))
            .help("add the API server's URL: `server: https://HOST:6443`"));
    };
    let url = server::parse(url, &["https", "http"]).map_err(|(what, right)| {
        let [url, right] = [url.as_str(), &right].map(server::without_password);
        Problem::without_place(format!("`server` of {at} {what}: `{url}`"))
            .help(format!("write `server: {right}`"))
    })?;
    let proxy = match nonempty(cluster.proxy_url.as_ref()) {
        Some(named) => Some(proxy::named(named, &at)?),
        None => proxy::from_environment(&url, |name| std::env::var(name).ok())?,
    };
    origin.proxy = proxy
        .as_ref()
        .map(|proxy| server::without_password(&proxy.to_string()));
    let is_plain = url.scheme_str() == Some("http");
    let mut config = Config::new(url);
    config.proxy_url = proxy;
    config.accept_invalid_certs = cluster.insecure_skip_tls_verify.unwrap_or(false);
    config.disable_compression = cluster.disable_compression.unwrap_or(false);
    config.tls_server_name = nonempty(cluster.tls_server_name.as_ref()).cloned();
    if let Some(name) = &config.tls_server_name
        && ServerName::try_from(name.as_str()).is_err()
    {
        return Err(Problem::without_place(format!(
            "`tls-server-name` of {at} is not a host name: `{name}`"
        ))
        .help("write a name that the API server's certificate has"));
    }
    config.root_cert = certificates(cluster, &at)?;
    origin.has_ca = config.root_cert.is_some();
    if is_plain || config.accept_invalid_certs {
        // Nobody is verified; kube would ask for the certificates of this machine, which may have none.
        config.root_cert.get_or_insert_default();
    }
    Ok(config)
}

/// The cluster's CA certificates. kubectl takes an empty value for none.
fn certificates(cluster: &Cluster, at: &str) -> Result<Option<Vec<Vec<u8>>>, Problem> {
    let (key, pem) = if let Some(data) = nonempty(cluster.certificate_authority_data.as_ref()) {
        let key = "certificate-authority-data";
        (format!("`{key}` of {at}"), decoded(data, key, at)?)
    } else if let Some(file) = nonempty(cluster.certificate_authority.as_ref()) {
        let key = "certificate-authority";
        (
            format!("`{file}`, the `{key}` of {at},"),
            from_file(file, key, at)?,
        )
    } else {
        return Ok(None);
    };
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    match found {
        Ok(found) if !found.is_empty() => {
            Ok(Some(found.into_iter().map(|one| one.to_vec()).collect()))
        }
        found => {
            let why = found
                .err()
                .map_or(String::new(), |error| format!(" ({error})"));
            Err(
                Problem::without_place(format!("{key} has no certificate in PEM{why}")).help(
                    "get the CA certificate of the cluster again, such as from its administrator",
                ),
            )
        }
    }
}

pub(super) fn nonempty<T: AsRef<str>>(value: Option<&T>) -> Option<&T> {
    value.filter(|value| !value.as_ref().is_empty())
}

/// The bytes of a `…-data` key.
pub(super) fn decoded(data: &str, key: &str, at: &str) -> Result<Vec<u8>, Problem> {
    STANDARD.decode(data).map_err(|error| {
        Problem::without_place(format!("`{key}` of {at} is not base64: {error}")).help(format!(
            "encode the PEM file with `base64 -w0`, or name it with `{}`",
            key.trim_end_matches("-data")
        ))
    })
}

/// The bytes of a file that a key names.
pub(super) fn from_file(file: &str, key: &str, at: &str) -> Result<Vec<u8>, Problem> {
    read_bytes(Path::new(file)).map_err(|error| {
        Problem::without_place(format!(
            "cannot read `{file}`, the `{key}` of {at}: {error}"
        ))
        .help("make it readable, or log in to the cluster again to get a new kubeconfig")
    })
}

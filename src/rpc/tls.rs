//! Mutual TLS and HTTP/2 settings of both ends.

use std::time::Duration;

use tonic::transport::{
    Certificate, ClientTlsConfig, Endpoint, Error, Identity as Pair, Server, ServerTlsConfig,
};

use super::Identity;
use super::identity::orchestrator_name;

/// A peer that is silent for longer than interval and timeout together is gone. Long enough that
/// pings hardly ever fall into a sample.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(15);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A gRPC server that takes only clients with a certificate of the run's CA.
///
/// # Errors
/// When certificate or key cannot be used.
pub fn server(identity: &Identity) -> Result<Server, Error> {
    Server::builder()
        .http2_keepalive_interval(Some(KEEPALIVE_INTERVAL))
        .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
        .tls_config(
            ServerTlsConfig::new()
                .identity(pair(identity))
                .client_ca_root(Certificate::from_pem(&identity.ca_pem))
                .timeout(CONNECT_TIMEOUT),
        )
}

/// The endpoint of an orchestrator at `authority` (`host:port`), whatever its address is called:
/// its certificate must be the run's orchestrator's.
pub(super) fn endpoint(authority: &str, identity: &Identity) -> Result<Endpoint, Error> {
    Endpoint::from_shared(format!("https://{authority}"))?
        .connect_timeout(CONNECT_TIMEOUT)
        .http2_keep_alive_interval(KEEPALIVE_INTERVAL)
        .keep_alive_timeout(KEEPALIVE_TIMEOUT)
        .keep_alive_while_idle(true)
        .tls_config(
            ClientTlsConfig::new()
                .domain_name(orchestrator_name())
                .ca_certificate(Certificate::from_pem(&identity.ca_pem))
                .identity(pair(identity))
                .timeout(CONNECT_TIMEOUT),
        )
}

fn pair(identity: &Identity) -> Pair {
    Pair::from_pem(&identity.cert_pem, &identity.key_pem)
}

//! Mutual TLS of both ends. Only TLS 1.3 is spoken, only HTTP/2 over it, and only certificates of the
//! run's own CA are accepted.

use std::io;
use std::sync::Arc;

use rustls_pki_types::pem::{self, PemObject};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::server::{VerifierBuilderError, WebPkiClientVerifier};
use tokio_rustls::rustls::version::TLS13;
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector, client};

use super::Identity;

/// The ALPN name of HTTP/2 over TLS (RFC 9113, section 3.2).
const ALPN: &[u8] = b"h2";

/// The certificates or the key of a role cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the certificate, key or CA of `{role}` cannot be used: {why}")]
pub struct TlsError {
    role: String,
    why: String,
}

/// The server's side: it requires a certificate of the run's CA from every client.
///
/// # Errors
/// When the identity's certificate, key or CA cannot be used.
pub(super) fn acceptor(identity: &Identity) -> Result<TlsAcceptor, TlsError> {
    let config = || -> Result<ServerConfig, Unusable> {
        let material = Material::from_identity(identity)?;
        let provider = provider();
        let verifier = WebPkiClientVerifier::builder_with_provider(
            Arc::new(material.roots),
            Arc::clone(&provider),
        );
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13])?
            .with_client_cert_verifier(verifier.build()?)
            .with_single_cert(material.chain, material.key)?;
        config.alpn_protocols.push(ALPN.to_vec());
        Ok(config)
    };
    let config = config().map_err(|error| error.for_identity(identity))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// The client's side: it accepts only the run's member of one name, whatever address it was found at.
#[derive(Clone)]
pub(super) struct Connector {
    tls: TlsConnector,
    name: ServerName<'static>,
}

impl Connector {
    /// `server` is the name in the certificate of the other end.
    ///
    /// # Errors
    /// When the identity's certificate, key or CA cannot be used.
    pub(super) fn new(identity: &Identity, server: String) -> Result<Self, TlsError> {
        let config = || -> Result<Self, Unusable> {
            let material = Material::from_identity(identity)?;
            let mut config = ClientConfig::builder_with_provider(provider())
                .with_protocol_versions(&[&TLS13])?
                .with_root_certificates(material.roots)
                .with_client_auth_cert(material.chain, material.key)?;
            config.alpn_protocols.push(ALPN.to_vec());
            let name = ServerName::try_from(server);
            Ok(Self {
                tls: TlsConnector::from(Arc::new(config)),
                name: name.map_err(|error| Unusable(error.to_string()))?,
            })
        };
        config().map_err(|error| error.for_identity(identity))
    }

    /// Does the handshake over a stream that leads to the other end.
    pub(super) async fn connect<IO>(&self, io: IO) -> io::Result<client::TlsStream<IO>>
    where
        IO: AsyncRead + AsyncWrite + Unpin,
    {
        let stream = self.tls.connect(self.name.clone(), io).await?;
        if stream.get_ref().1.alpn_protocol() == Some(ALPN) {
            Ok(stream)
        } else {
            Err(io::Error::other("the other end does not speak HTTP/2"))
        }
    }
}

/// ring, the only provider that is compiled in: nothing is installed for the whole process.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// An identity as rustls takes it.
struct Material {
    roots: RootCertStore,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Material {
    fn from_identity(identity: &Identity) -> Result<Self, Unusable> {
        let certificates = |text: &str| -> Result<Vec<_>, pem::Error> {
            CertificateDer::pem_slice_iter(text.as_bytes()).collect()
        };
        let mut roots = RootCertStore::empty();
        for certificate in certificates(&identity.ca_pem)? {
            roots.add(certificate)?;
        }
        Ok(Self {
            roots,
            chain: certificates(&identity.cert_pem)?,
            key: PrivateKeyDer::from_pem_slice(identity.key_pem.as_bytes())?,
        })
    }
}

/// Why certificates or a key cannot be used.
struct Unusable(String);

impl Unusable {
    fn for_identity(self, identity: &Identity) -> TlsError {
        TlsError {
            role: identity.role.clone(),
            why: self.0,
        }
    }
}

impl From<pem::Error> for Unusable {
    fn from(error: pem::Error) -> Self {
        Self(error.to_string())
    }
}

impl From<rustls::Error> for Unusable {
    fn from(error: rustls::Error) -> Self {
        Self(error.to_string())
    }
}

impl From<VerifierBuilderError> for Unusable {
    fn from(error: VerifierBuilderError) -> Self {
        Self(error.to_string())
    }
}

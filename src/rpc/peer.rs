//! Who is at the other end of a connection, by its certificate.

use std::net::{IpAddr, SocketAddr};

use rustls_pki_types::{CertificateDer, ServerName};
use tonic::{Request, Status};

use super::identity::{client_name, worker_name};

/// The other end of a connection. TLS has already verified that its certificate comes from the
/// run's CA.
#[derive(Clone, Debug)]
pub struct Peer {
    certificate: CertificateDer<'static>,
    address: SocketAddr,
}

impl Peer {
    pub(super) fn new(certificate: CertificateDer<'static>, address: SocketAddr) -> Self {
        Self {
            certificate,
            address,
        }
    }

    /// The peer of a call that came over a connection of [`super::incoming`].
    ///
    /// # Errors
    /// `unauthenticated` when it came another way.
    pub fn from_request<T>(request: &Request<T>) -> Result<Self, Status> {
        let peer = request.extensions().get::<Self>().cloned();
        peer.ok_or_else(|| Status::unauthenticated("no certificate was shown"))
    }

    /// The address that its connection comes from.
    #[must_use]
    pub fn ip(&self) -> IpAddr {
        self.address.ip().to_canonical()
    }

    /// # Errors
    /// `permission_denied` when the peer is not the command line.
    pub fn must_be_client(&self) -> Result<(), Status> {
        if self.is(client_name()) {
            Ok(())
        } else {
            Err(Status::permission_denied(
                "only the client role may do this; the certificate names another",
            ))
        }
    }

    /// # Errors
    /// `permission_denied` when the peer is not the worker of this name.
    pub fn must_be_worker(&self, worker: &str) -> Result<(), Status> {
        if self.is(worker_name(worker)) {
            Ok(())
        } else {
            Err(Status::permission_denied(format!(
                "the certificate does not name worker `{worker}`"
            )))
        }
    }

    fn is(&self, name: String) -> bool {
        let Ok(name) = ServerName::try_from(name) else {
            return false;
        };
        webpki::EndEntityCert::try_from(&self.certificate)
            .is_ok_and(|certificate| certificate.verify_is_valid_for_subject_name(&name).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use rustls_pki_types::pem::PemObject;

    use super::*;
    use crate::rpc::RunIdentities;

    #[test]
    fn a_peer_is_only_what_its_certificate_names() {
        let run = RunIdentities::issue("r1", &["w1", "client"]).unwrap();
        let peer = |pem: &str| {
            let certificate = CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
            Peer::new(certificate, SocketAddr::from(([127, 0, 0, 1], 1)))
        };
        let w1 = peer(&run.workers[0].cert_pem);
        assert!(w1.must_be_worker("w1").is_ok());
        for other in ["w2", "W1.", "", "*", "client", "w1.worker.netplan", "ä"] {
            assert!(w1.must_be_worker(other).is_err(), "{other}");
        }
        assert!(w1.must_be_client().is_err());
        let client = peer(&run.client.cert_pem);
        assert!(client.must_be_client().is_ok());
        assert!(client.must_be_worker("client").is_err());
        let worker_client = peer(&run.workers[1].cert_pem);
        assert!(worker_client.must_be_client().is_err());
        assert!(worker_client.must_be_worker("client").is_ok());
    }
}

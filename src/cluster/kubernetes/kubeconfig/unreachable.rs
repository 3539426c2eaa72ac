//! Why an API server cannot be reached, and what to do about it.

use std::error::Error;
use std::io;

use rustls::{CertificateError, InvalidMessage};

use super::origin::Origin;
use crate::diag::{Problem, error_chain};

/// The same error; one of the connection is replaced by a [`Problem`] that names the server and the cause.
pub(in crate::cluster::kubernetes) fn explain_connection_error(
    error: kube::Error,
    origin: &Origin,
) -> kube::Error {
    match error {
        kube::Error::HyperError(_) | kube::Error::Service(_) => {
            kube::Error::Service(Box::new(problem(&error, origin)))
        }
        error => error,
    }
}

/// The server did not answer within so many seconds.
pub(in crate::cluster::kubernetes) fn no_answer(origin: &Origin, seconds: u64) -> kube::Error {
    let why = format!("no answer within {seconds} s");
    kube::Error::Service(Box::new(no_answer_because(origin, &why)))
}

fn problem(error: &kube::Error, origin: &Origin) -> Problem {
    if let Some(tls) = find::<rustls::Error>(error) {
        return from_tls(tls, origin);
    }
    if let Some(error) = find::<io::Error>(error) {
        return from_io(error, origin);
    }
    let why = error_chain(error);
    no_answer_because(origin, why.strip_prefix("ServiceError: ").unwrap_or(&why))
}

fn no_answer_because(origin: &Origin, why: &str) -> Problem {
    Problem::without_place(format!("{} does not answer: {why}", origin.api_server()))
        .help("start the cluster, or name another one with `--context`")
}

fn from_io(error: &io::Error, origin: &Origin) -> Problem {
    let why = match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
        io::ErrorKind::TimedOut => "the connection took too long".to_owned(),
        io::ErrorKind::HostUnreachable => "no route to the host".to_owned(),
        io::ErrorKind::NetworkUnreachable => "the network is unreachable".to_owned(),
        _ => error.to_string(),
    };
    if why.contains("failed to lookup address") {
        return Problem::without_place(format!(
            "the name of {} cannot be resolved: {why}",
            origin.api_server()
        ))
        .help(format!(
            "check `server` of {}, and this machine's DNS and VPN",
            origin.cluster
        ));
    }
    no_answer_because(origin, &why)
}

fn from_tls(error: &rustls::Error, origin: &Origin) -> Problem {
    let server = origin.api_server();
    let cluster = &origin.cluster;
    let (what, help) = match error {
        // A cluster that was made anew has another CA of the same name: then it is the signature that is bad.
        rustls::Error::InvalidCertificate(
            CertificateError::UnknownIssuer | CertificateError::BadSignature,
        ) if origin.has_ca => (
            format!("the certificate of {server} is not signed by the CA of {cluster}"),
            "get the cluster's kubeconfig again: the cluster may have been recreated".to_owned(),
        ),
        rustls::Error::InvalidCertificate(
            CertificateError::UnknownIssuer | CertificateError::BadSignature,
        ) => (
            format!(
                "the certificate of {server} is signed by no CA that this machine trusts, and {cluster} names no CA"
            ),
            "set `certificate-authority` there to the cluster's CA certificate".to_owned(),
        ),
        rustls::Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => (
            format!("the certificate of {server} is for another name"),
            format!(
                "give `server` of {cluster} a name that the certificate has, or set `tls-server-name` there"
            ),
        ),
        rustls::Error::InvalidCertificate(
            CertificateError::Expired | CertificateError::ExpiredContext { .. },
        ) => (
            format!("the certificate of {server} has expired"),
            "renew it on the cluster, and check this machine's clock".to_owned(),
        ),
        rustls::Error::InvalidCertificate(
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. },
        ) => (
            format!("the certificate of {server} is not valid yet"),
            "check this machine's clock".to_owned(),
        ),
        rustls::Error::InvalidCertificate(other) => (
            format!("the certificate of {server} cannot be verified: {other}"),
            format!("check `certificate-authority` of {cluster}"),
        ),
        rustls::Error::AlertReceived(alert) => (
            format!("{server} refuses the connection: TLS alert {alert:?}"),
            "the client certificate may have expired; log in to the cluster again".to_owned(),
        ),
        rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => (
            format!("{server} does not speak TLS"),
            format!("check `server` of {cluster}: its port, and whether it begins with `http://`"),
        ),
        other => (
            format!("no TLS connection to {server}: {other}"),
            format!("check `server` and `certificate-authority` of {cluster}"),
        ),
    };
    Problem::without_place(what).help(help)
}

/// The innermost error of a type. An I/O error hides the one that it carries from its causes.
fn find<'e, T: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e T> {
    let mut found = None;
    let mut next = Some(error);
    while let Some(error) = next {
        found = error.downcast_ref::<T>().or(found);
        let carried = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        next = match carried {
            Some(carried) => Some(carried),
            None => error.source(),
        };
    }
    found
}

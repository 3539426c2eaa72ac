//! Who takes part in a run: a run-scoped CA, and a certificate for each role.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use serde::Serialize;

/// The role of the orchestrator.
pub const ORCHESTRATOR: &str = "orchestrator";
/// The role of the command line: it watches, cancels and collects.
pub const CLIENT: &str = "client";

/// Certificates are valid this long after they are made. The key of a run's CA is forgotten then, so
/// nobody can make others.
const VALID: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// Certificates are valid from this long before they are made, for machines whose clocks differ.
const CLOCK_SKEW: Duration = Duration::from_secs(24 * 60 * 60);

/// The material of every role of a run.
#[derive(Debug)]
pub struct RunIdentities {
    pub orchestrator: Identity,
    pub client: Identity,
    /// One for each worker, in the order given; `role` is the worker's name.
    pub workers: Vec<Identity>,
}

/// What one role needs to prove itself and to know the others. A Secret holds exactly this.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Identity {
    /// `orchestrator`, `client`, or a worker's name.
    pub role: String,
    pub ca_pem: String,
    pub cert_pem: String,
    pub key_pem: String,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The key stays out of logs and panics.
        f.debug_struct("Identity")
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

/// Identities could not be made or read.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    #[error("the certificates of the run could not be made: {0}")]
    Certificate(#[from] rcgen::Error),
    #[error("cannot read `{}`: {source}; there must be ca.crt, tls.crt and tls.key", path.display())]
    Read {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("`{}` is not {expected}", path.display())]
    Content {
        path: PathBuf,
        expected: &'static str,
    },
}

impl RunIdentities {
    /// Makes a CA for the run, and with it the certificates of the orchestrator, the client and
    /// each worker (ECDSA P-256). The CA's key is forgotten: nobody else joins this run.
    ///
    /// # Errors
    /// When a certificate cannot carry a worker's name, or the system has no randomness.
    pub fn issue(run: &str, workers: &[&str]) -> Result<Self, IdentityError> {
        let now = SystemTime::now();
        let mut ca = params(run, Vec::new(), now)?;
        ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let ca_key = KeyPair::generate()?;
        let ca_pem = ca.self_signed(&ca_key)?.pem();
        let issuer = Issuer::new(ca, ca_key);

        let issue = |role: &str, name: String, usages: &[_]| -> Result<Identity, IdentityError> {
            let mut leaf = params(&format!("{run} {role}"), vec![name], now)?;
            leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
            leaf.extended_key_usages = usages.to_vec();
            leaf.use_authority_key_identifier_extension = true;
            let key = KeyPair::generate()?;
            Ok(Identity {
                role: role.to_owned(),
                ca_pem: ca_pem.clone(),
                cert_pem: leaf.signed_by(&key, &issuer)?.pem(),
                key_pem: key.serialize_pem(),
            })
        };
        Ok(Self {
            orchestrator: issue(
                ORCHESTRATOR,
                orchestrator_name(),
                &[ExtendedKeyUsagePurpose::ServerAuth],
            )?,
            client: issue(
                CLIENT,
                client_name(),
                &[ExtendedKeyUsagePurpose::ClientAuth],
            )?,
            workers: workers
                .iter()
                .map(|&worker| {
                    issue(
                        worker,
                        worker_name(worker),
                        // It calls the orchestrator, and answers the command line.
                        &[
                            ExtendedKeyUsagePurpose::ClientAuth,
                            ExtendedKeyUsagePurpose::ServerAuth,
                        ],
                    )
                })
                .collect::<Result<_, _>>()?,
        })
    }
}

impl Identity {
    /// Reads the material of `role` from a folder as a Secret mounts it.
    ///
    /// # Errors
    /// When a file is missing, unreadable or plainly not what its name says.
    pub fn load(role: &str, folder: &Path) -> Result<Self, IdentityError> {
        Self::read(role, folder, |name| {
            std::fs::read_to_string(folder.join(name))
        })
    }

    /// Takes the material of `role` from a Secret's data; `secret` is its name, for messages.
    ///
    /// # Errors
    /// When an entry is missing, no text, or plainly not what its name says.
    pub fn from_secret(
        role: &str,
        secret: &str,
        mut data: BTreeMap<String, Vec<u8>>,
    ) -> Result<Self, IdentityError> {
        Self::read(role, Path::new(secret), |name| {
            let bytes = data.remove(name).ok_or(ErrorKind::NotFound)?;
            String::from_utf8(bytes).map_err(|_| ErrorKind::InvalidData.into())
        })
    }

    fn read(
        role: &str,
        folder: &Path,
        mut text_of: impl FnMut(&str) -> std::io::Result<String>,
    ) -> Result<Self, IdentityError> {
        let mut read = |name: &str, sign: &str, expected: &'static str| {
            let path = folder.join(name);
            let text = text_of(name).map_err(|source| IdentityError::Read {
                path: path.clone(),
                source,
            })?;
            if text.contains(sign) {
                Ok(text)
            } else {
                Err(IdentityError::Content { path, expected })
            }
        };
        Ok(Self {
            role: role.to_owned(),
            ca_pem: read("ca.crt", "BEGIN CERTIFICATE", "a PEM certificate")?,
            cert_pem: read("tls.crt", "BEGIN CERTIFICATE", "a PEM certificate")?,
            key_pem: read("tls.key", "PRIVATE KEY", "a PEM private key")?,
        })
    }
}

/// The name in the orchestrator's certificate. Clients require it at whatever address they connect to.
pub(super) fn orchestrator_name() -> String {
    format!("{ORCHESTRATOR}.netplan")
}

pub(super) fn client_name() -> String {
    format!("{CLIENT}.netplan")
}

/// One level below the roles, so that a worker named `client` is not the client.
pub(super) fn worker_name(worker: &str) -> String {
    format!("{worker}.worker.netplan")
}

fn params(
    common_name: &str,
    names: Vec<String>,
    now: SystemTime,
) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::CommonName, format!("netplan {common_name}"));
    params.not_before = (now - CLOCK_SKEW).into();
    params.not_after = (now + VALID).into();
    Ok(params)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_has_its_own_certificate_and_all_share_the_ca() {
        let run = RunIdentities::issue("r1", &["w1", "w2"]).unwrap();
        let all = [
            &run.orchestrator,
            &run.client,
            &run.workers[0],
            &run.workers[1],
        ];
        for (i, one) in all.iter().enumerate() {
            assert_eq!(one.ca_pem, run.orchestrator.ca_pem);
            for other in &all[..i] {
                assert_ne!(one.cert_pem, other.cert_pem);
                assert_ne!(one.key_pem, other.key_pem);
            }
        }
        assert_eq!(run.workers[1].role, "w2");
        let other = RunIdentities::issue("r1", &[]).unwrap();
        assert_ne!(run.client.ca_pem, other.client.ca_pem);
    }

    #[test]
    fn secrets_do_not_reach_debug_output() {
        let run = RunIdentities::issue("r1", &["w1"]).unwrap();
        let shown = format!("{run:?}");
        assert!(!shown.contains("PRIVATE"), "{shown}");
    }

    #[test]
    fn loads_what_a_secret_mounts_and_says_what_is_missing() {
        let one = RunIdentities::issue("r1", &[]).unwrap().client;
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            std::fs::write(folder.path().join(name), text).unwrap();
        };
        write("ca.crt", &one.ca_pem);
        write("tls.crt", &one.cert_pem);
        let missing = Identity::load(CLIENT, folder.path()).unwrap_err();
        assert!(missing.to_string().contains("tls.key`"), "{missing}");
        write("tls.key", "");
        let empty = Identity::load(CLIENT, folder.path()).unwrap_err();
        assert!(
            empty.to_string().ends_with("is not a PEM private key"),
            "{empty}"
        );
        write("tls.key", &one.key_pem);
        assert_eq!(Identity::load(CLIENT, folder.path()).unwrap(), one);
        write("tls.key", &one.cert_pem);
        let wrong = Identity::load(CLIENT, folder.path()).unwrap_err();
        assert!(
            wrong.to_string().ends_with("is not a PEM private key"),
            "{wrong}"
        );
    }
}

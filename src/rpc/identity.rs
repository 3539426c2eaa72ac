//! Who takes part in a run: a run-scoped CA, a certificate for each role, a shared token.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use serde::Serialize;
use time::{Duration, OffsetDateTime};

/// The role of the orchestrator.
pub const ORCHESTRATOR: &str = "orchestrator";
/// The role of the command line: it watches, cancels and collects.
pub const CLIENT: &str = "client";

/// Certificates hold this long from their making. A run's CA has no key any more once its
/// certificates are made, so that they live no longer than the run's own objects in any case.
const VALID: Duration = Duration::days(30);
/// Certificates hold from this long before their making, for machines whose clocks differ.
const CLOCK_SKEW: Duration = Duration::days(1);
const TOKEN_BYTES: usize = 32;

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
    /// The run's token: a random hexadecimal word.
    pub token: String,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Key and token stay out of logs and panics.
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
    #[error("the system gave no random bytes for the run's token: {0}")]
    Random(#[from] getrandom::Error),
    #[error("cannot read `{}`: {source}; there must be ca.crt, tls.crt, tls.key and token", path.display())]
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
    /// When a worker's name cannot stand in a certificate, or the system has no randomness.
    pub fn issue(run: &str, workers: &[&str]) -> Result<Self, IdentityError> {
        let now = OffsetDateTime::now_utc();
        let mut ca = params(run, Vec::new(), now)?;
        ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let ca_key = KeyPair::generate()?;
        let ca_pem = ca.self_signed(&ca_key)?.pem();
        let issuer = Issuer::new(ca, ca_key);
        let token = random_token()?;

        let issue = |role: &str, name: String, usage| -> Result<Identity, IdentityError> {
            let mut leaf = params(&format!("{run} {role}"), vec![name], now)?;
            leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
            leaf.extended_key_usages = vec![usage];
            leaf.use_authority_key_identifier_extension = true;
            let key = KeyPair::generate()?;
            Ok(Identity {
                role: role.to_owned(),
                ca_pem: ca_pem.clone(),
                cert_pem: leaf.signed_by(&key, &issuer)?.pem(),
                key_pem: key.serialize_pem(),
                token: token.clone(),
            })
        };
        Ok(Self {
            orchestrator: issue(
                ORCHESTRATOR,
                orchestrator_name(),
                ExtendedKeyUsagePurpose::ServerAuth,
            )?,
            client: issue(CLIENT, client_name(), ExtendedKeyUsagePurpose::ClientAuth)?,
            workers: workers
                .iter()
                .map(|&worker| {
                    issue(
                        worker,
                        worker_name(worker),
                        ExtendedKeyUsagePurpose::ClientAuth,
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
    pub fn of_secret(
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
            if text.contains(sign) && !text.trim().is_empty() {
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
            token: read("token", "", "a token: it is empty")?.trim().to_owned(),
        })
    }
}

/// The name in the orchestrator's certificate; every client asks for it, whatever it dialled.
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
    now: OffsetDateTime,
) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::CommonName, format!("netplan {common_name}"));
    params.not_before = now - CLOCK_SKEW;
    params.not_after = now + VALID;
    Ok(params)
}

fn random_token() -> Result<String, getrandom::Error> {
    use std::fmt::Write as _;
    let mut bytes = [0_u8; TOKEN_BYTES];
    getrandom::fill(&mut bytes)?;
    Ok(bytes.iter().fold(String::new(), |mut token, byte| {
        let _ = write!(token, "{byte:02x}");
        token
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_has_its_own_certificate_and_all_share_ca_and_token() {
        let run = RunIdentities::issue("r1", &["w1", "w2"]).unwrap();
        let all = [
            &run.orchestrator,
            &run.client,
            &run.workers[0],
            &run.workers[1],
        ];
        for (i, one) in all.iter().enumerate() {
            assert_eq!(one.ca_pem, run.orchestrator.ca_pem);
            assert_eq!(one.token, run.orchestrator.token);
            for other in &all[..i] {
                assert_ne!(one.cert_pem, other.cert_pem);
                assert_ne!(one.key_pem, other.key_pem);
            }
        }
        assert_eq!(run.workers[1].role, "w2");
        assert_eq!(run.client.token.len(), 2 * TOKEN_BYTES);
        assert_ne!(
            run.client.token,
            RunIdentities::issue("r1", &[]).unwrap().client.token
        );
    }

    #[test]
    fn secrets_do_not_reach_debug_output() {
        let run = RunIdentities::issue("r1", &["w1"]).unwrap();
        let shown = format!("{run:?}");
        assert!(!shown.contains("PRIVATE"), "{shown}");
        assert!(!shown.contains(&run.client.token), "{shown}");
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
        write("tls.key", &one.key_pem);
        let missing = Identity::load(CLIENT, folder.path()).unwrap_err();
        assert!(missing.to_string().contains("token`"), "{missing}");
        write("token", " \n");
        let empty = Identity::load(CLIENT, folder.path()).unwrap_err();
        assert!(empty.to_string().ends_with("it is empty"), "{empty}");
        write("token", &format!("{}\n", one.token));
        assert_eq!(Identity::load(CLIENT, folder.path()).unwrap(), one);
        write("tls.key", &one.cert_pem);
        let wrong = Identity::load(CLIENT, folder.path()).unwrap_err();
        assert!(
            wrong.to_string().ends_with("is not a PEM private key"),
            "{wrong}"
        );
    }
}

//! What a kubeconfig says of a user: a token, a certificate, a program that logs in.

use http::HeaderValue;
use kube::config::AuthInfo;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use secrecy::{ExposeSecret, SecretString};

use super::cluster::{decoded, from_file, nonempty};
use crate::diag::Problem;

/// The user as kube can take it: empty values are none, as with kubectl, and what would make kube panic is refused.
///
/// # Errors
/// Credentials that cannot be read, with the file and the user that name them. `at` is how people know the user.
pub(super) fn checked(mut user: AuthInfo, at: &str) -> Result<AuthInfo, Problem> {
    for value in [
        &mut user.username,
        &mut user.token_file,
        &mut user.client_certificate,
        &mut user.client_certificate_data,
        &mut user.client_key,
        &mut user.impersonate,
        &mut user.impersonate_uid,
    ] {
        *value = value.take().filter(|value| !value.is_empty());
    }
    for secret in [
        &mut user.token,
        &mut user.password,
        &mut user.client_key_data,
    ] {
        *secret = secret
            .take()
            .filter(|secret| !secret.expose_secret().is_empty());
    }
    if let Some(token) = &user.token {
        is_header(token.expose_secret(), &format!("`token` of {at}"))?;
    } else if let Some(file) = &user.token_file {
        let bytes = from_file(file, "tokenFile", at)?;
        let whole = String::from_utf8_lossy(&bytes);
        let token = whole.trim();
        is_header(token, &format!("`{file}`, the `tokenFile` of {at},"))?;
        // kube sends the file as it is, and a newline is not possible in a header.
        if token.len() != bytes.len() {
            user.token = Some(SecretString::from(token));
        }
    }
    identity(&user, at)?;
    if let Some(exec) = &user.exec
        && nonempty(exec.command.as_ref()).is_none()
    {
        return Err(
            Problem::without_place(format!("`exec` of {at} has no `command`"))
                .help("name the program that logs in"),
        );
    }
    Ok(user)
}

fn is_header(token: &str, what: &str) -> Result<(), Problem> {
    if !token.is_empty() && HeaderValue::try_from(format!("Bearer {token}")).is_ok() {
        return Ok(());
    }
    Err(Problem::without_place(format!(
        "{what} is not a token: it is empty, or has characters that a header cannot carry"
    ))
    .help("log in to the cluster again to get a new one"))
}

/// Checks the client certificate and its key, which come together or not at all.
fn identity(user: &AuthInfo, at: &str) -> Result<(), Problem> {
    let key_data = user.client_key_data.as_ref();
    let key_data = key_data.map(|secret| secret.expose_secret().to_owned());
    let certificate = bytes(
        "client-certificate",
        user.client_certificate_data.as_ref(),
        user.client_certificate.as_ref(),
        at,
    )?;
    let key = bytes(
        "client-key",
        key_data.as_ref(),
        user.client_key.as_ref(),
        at,
    )?;
    let (certificate, key) = match (certificate, key) {
        (None, None) => return Ok(()),
        (Some(certificate), Some(key)) => (certificate, key),
        (certificate, _) => {
            let (there, missing) = match certificate {
                Some(_) => ("client-certificate", "client-key"),
                None => ("client-key", "client-certificate"),
            };
            return Err(
                Problem::without_place(format!("{at} has a `{there}` and no `{missing}`"))
                    .help(format!("add `{missing}` or `{missing}-data`")),
            );
        }
    };
    let damaged = |key: &str, what: &str| {
        Problem::without_place(format!("`{key}` of {at} has no {what} in PEM"))
            .help("log in to the cluster again to get a new kubeconfig")
    };
    if !matches!(
        CertificateDer::pem_slice_iter(&certificate).next(),
        Some(Ok(_))
    ) {
        return Err(damaged("client-certificate", "certificate"));
    }
    if PrivateKeyDer::from_pem_slice(&key).is_err() {
        return Err(damaged("client-key", "private key"));
    }
    Ok(())
}

/// The bytes of a key, or of its `…-data`, which comes first.
fn bytes(
    key: &str,
    data: Option<&String>,
    file: Option<&String>,
    at: &str,
) -> Result<Option<Vec<u8>>, Problem> {
    match (data, file) {
        (Some(data), _) => decoded(data, &format!("{key}-data"), at).map(Some),
        (None, Some(file)) => from_file(file, key, at).map(Some),
        (None, None) => Ok(None),
    }
}

//! Errors of the API server as messages with advice.

use std::fmt::Display;

use kube::core::Status;

use crate::cluster::Error;
use crate::diag::{Problem, error_chain};

/// The status that the API server answered with, if it answered.
pub(super) fn status(error: &kube::Error) -> Option<&Status> {
    match error {
        kube::Error::Api(status) => Some(status),
        _ => None,
    }
}

/// The HTTP code that the API server answered with, if it answered.
pub(super) fn code(error: &kube::Error) -> Option<u16> {
    status(error).map(|status| status.code)
}

/// Whether the same question may be answered a moment later.
pub(super) fn is_transient(error: &kube::Error) -> bool {
    match error {
        kube::Error::Api(status) => matches!(status.code, 409 | 429 | 500 | 502..=504),
        kube::Error::HyperError(_) | kube::Error::Service(_) | kube::Error::ReadEvents(_) => true,
        _ => false,
    }
}

/// An error for people; `what` completes "cannot …".
pub(super) fn api_error(what: impl Display, error: &kube::Error) -> Error {
    Error::cannot(what, cause(error), help(error))
}

/// The API server's own message, or that of the connection to it.
pub(super) fn cause(error: &kube::Error) -> String {
    match status(error) {
        Some(status) if !status.message.is_empty() => one_line(&status.message),
        Some(status) => format!("the API server answered {} {}", status.code, status.reason),
        None => match unreachable(error) {
            Some(problem) => problem.what.clone(),
            None => error_chain(error),
        },
    }
}

/// Why the API server cannot be reached, if that is the error.
fn unreachable(error: &kube::Error) -> Option<&Problem> {
    match error {
        kube::Error::Service(error) => error.downcast_ref(),
        _ => None,
    }
}

/// A message of the cluster, on one line.
pub(super) fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What to do about an error.
pub(super) fn help(error: &kube::Error) -> &str {
    if let Some(help) = unreachable(error).and_then(|problem| problem.help.as_deref()) {
        return help;
    }
    match error {
        kube::Error::Api(status) => match status.code {
            401 => "the credentials are no longer valid; log in to the cluster again",
            403 => "ask for the permission; `netplan doctor` lists all that are needed",
            404 => "`netplan status` lists the runs",
            409 => "another client changes it at the same time; try again",
            429 | 500..=599 => "the API server fails; try again in a moment",
            _ => "see the template that it was rendered from",
        },
        kube::Error::Auth(_) => "check the credentials, or the program that the kubeconfig names",
        _ => "check that the cluster is up and that the kubeconfig's context is the one you mean",
    }
}

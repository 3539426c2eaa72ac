//! Why a cluster could not do what it was asked for.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::diag::Problem;

/// Why a cluster could not do what it was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Error {
    /// An object has a field or a value that the cluster does not accept.
    #[error("{object} (`{template}`): `{field}`: {problem}")]
    Refused {
        /// Kind and name: `Pod np-1-w1`.
        object: String,
        /// The template that it was rendered from.
        template: String,
        /// Path of the field: `spec.containers[0].image`.
        field: String,
        problem: Box<Problem>,
    },
    /// A pod does not come up, and waiting does not help.
    #[error("pod `{pod}` does not start: {problem}{}", below(.details))]
    PodFailed {
        pod: String,
        problem: Box<Problem>,
        /// What the cluster says besides: events, the last lines that the pod printed.
        details: Vec<String>,
    },
    /// The API server refuses a request, no node can take a pod, or the machine or its configuration
    /// lacks something.
    #[error(transparent)]
    Problem(Box<Problem>),
    /// A program that sets the network up failed.
    #[error("`{command}` in namespace `{namespace}` failed: {stderr}")]
    Step {
        namespace: String,
        command: String,
        stderr: String,
    },
    /// A system call failed.
    #[error("cannot {what}: {cause}")]
    System { what: String, cause: String },
    #[error("there is no pod `{pod}`")]
    NoSuchPod { pod: String },
    /// Nothing answers on a pod's port.
    #[error("cannot connect to port {port} of pod `{pod}`: {why}")]
    Connect { pod: String, port: u16, why: String },
    /// A second `apply`.
    #[error("the cluster has its objects already; start another one")]
    AlreadyApplied,
    /// The cluster has ended by itself.
    #[error("the local cluster has ended{why}")]
    Gone { why: String },
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self::Problem(Box::new(problem))
    }
}

/// What a plan asks for and a cluster cannot do, as a problem that keeps a run from starting.
impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Problem(problem) => *problem,
            // Its message says what to do.
            Error::Refused { .. } => Self::without_place(error.to_string()),
            other => Self::without_place(other.to_string())
                .help("try again; `netplan doctor` shows what is missing"),
        }
    }
}

/// Lines below a message.
fn below(lines: &[String]) -> String {
    lines
        .iter()
        .fold(String::new(), |text, line| text + "\n  " + line)
}

impl Error {
    /// The failure of a request or a wait; `what` completes "cannot …".
    pub(crate) fn cannot(what: impl fmt::Display, cause: impl fmt::Display, help: &str) -> Self {
        Problem::without_place(format!("cannot {what}: {cause}"))
            .help(help)
            .into()
    }

    /// A pod that no node can take.
    pub(crate) fn unplaceable(pod: &str, why: &str, help: impl Into<String>) -> Self {
        Problem::without_place(format!("pod `{pod}` cannot be placed: {why}"))
            .help(help)
            .into()
    }

    /// A failed system call; `what` completes "cannot …".
    pub(crate) fn system(what: impl Into<String>, cause: impl fmt::Display) -> Self {
        Self::System {
            what: what.into(),
            cause: cause.to_string(),
        }
    }
}

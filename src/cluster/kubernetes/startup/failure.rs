//! Why a pod will not come up.

use crate::diag::Problem;

/// Why a pod will not come up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartupFailure {
    pub pod: String,
    pub problem: Problem,
    /// What the cluster says besides.
    pub details: Vec<String>,
    /// Its process has run, so its last lines may tell more.
    pub has_run: bool,
}

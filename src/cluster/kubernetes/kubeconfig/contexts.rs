//! The contexts of a kubeconfig.

use super::{Chosen, MergedConfig};

/// The names of the contexts that kubectl would know; none when there is no kubeconfig, or when it
/// cannot be read.
#[must_use]
pub fn contexts() -> Vec<String> {
    let texts = Chosen::from_environment(None).read().unwrap_or_default();
    let merged = MergedConfig::new(&texts);
    merged.map_or_else(
        |_| Vec::new(),
        |merged| merged.contexts().map(str::to_owned).collect(),
    )
}

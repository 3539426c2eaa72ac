//! The contexts of a kubeconfig.

use kube::config::Kubeconfig;

/// The names of the contexts that kubectl would know; none when there is no kubeconfig, or when it
/// cannot be read.
#[must_use]
pub fn contexts() -> Vec<String> {
    let read = Kubeconfig::read().unwrap_or_default();
    read.contexts.into_iter().map(|named| named.name).collect()
}

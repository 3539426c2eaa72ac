//! Whether a service mesh changes the pods of a namespace.

use serde_json::Value;

/// What a namespace says of a mesh that would change its pods, if anything: its label or annotation.
pub(super) fn injection(namespace: &Value) -> Option<String> {
    let metadata = &namespace["metadata"];
    let signs = [
        ("labels", "istio-injection", "enabled"),
        ("labels", "istio.io/rev", ""),
        ("annotations", "linkerd.io/inject", "enabled"),
        ("labels", "kuma.io/sidecar-injection", "enabled"),
        ("labels", "consul.hashicorp.com/connect-inject", "true"),
    ];
    signs.into_iter().find_map(|(place, key, wanted)| {
        let value = metadata[place][key].as_str()?;
        (wanted.is_empty() || value == wanted).then(|| format!("{key}={value}"))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_namespace_tells_of_its_mesh() {
        let istio = json!({"metadata": {"labels": {"istio-injection": "enabled"}}});
        assert_eq!(
            injection(&istio).as_deref(),
            Some("istio-injection=enabled")
        );
        let off = json!({"metadata": {"labels": {"istio-injection": "disabled"}}});
        assert_eq!(injection(&off), None);
    }
}

//! A rendered Kubernetes object.

/// One rendered object.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    /// The template that it came from: `worker-pod.yaml.j2`.
    pub template: String,
    /// The YAML text, as a person sees it.
    pub text: String,
    /// The same, parsed.
    pub object: serde_json::Value,
}

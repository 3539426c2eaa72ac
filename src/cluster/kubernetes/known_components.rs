//! Platforms, network plugins, policy engines and service meshes, and the signs of each.
//!
//! Signs: the labels and annotations that each platform's and plugin's own documentation names, and the API groups of
//! its custom resources.

/// A sign: where it is, and a text there.
#[derive(Clone, Copy, Debug)]
pub(super) enum Sign {
    /// An API group has this name, or ends in it after a dot.
    Group(&'static str),
    /// The version holds it.
    Version(&'static str),
    /// A node has this label.
    Label(&'static str),
    /// A node's `providerID` starts so.
    Provider(&'static str),
    /// A node's name starts so.
    NodeName(&'static str),
}

/// The platforms, those that are built on others first.
pub(super) const PLATFORMS: &[(&str, &[Sign])] = &[
    ("OpenShift", &[Sign::Group("security.openshift.io")]),
    (
        "GKE Autopilot",
        &[Sign::Group("auto.gke.io"), Sign::NodeName("gk3-")],
    ),
    (
        "GKE",
        &[
            Sign::Label("cloud.google.com/gke-nodepool"),
            Sign::Version("-gke."),
        ],
    ),
    (
        "EKS",
        &[
            Sign::Label("eks.amazonaws.com/nodegroup"),
            Sign::Version("-eks-"),
        ],
    ),
    ("AKS", &[Sign::Label("kubernetes.azure.com/cluster")]),
    ("RKE2", &[Sign::Version("+rke2")]),
    ("k3s", &[Sign::Version("+k3s")]),
    ("kind", &[Sign::Provider("kind://")]),
    ("minikube", &[Sign::Label("minikube.k8s.io/name")]),
    ("MicroK8s", &[Sign::Label("microk8s.io/cluster")]),
];

/// Whole words in the names of daemons.
pub(super) const PLUGIN_DAEMONS: &[(&str, &str)] = &[
    ("antrea", "antrea"),
    ("aws-node", "aws-vpc-cni"),
    ("azure-cni", "azure-cni"),
    ("calico", "calico"),
    ("canal", "canal"),
    ("cilium", "cilium"),
    ("flannel", "flannel"),
    ("kindnet", "kindnet"),
    ("kube-ovn", "kube-ovn"),
    ("kube-router", "kube-router"),
    ("multus", "multus"),
    ("ovnkube", "ovn-kubernetes"),
    ("weave-net", "weave"),
];

/// Domains of the keys of nodes' annotations.
pub(super) const PLUGIN_DOMAINS: &[(&str, &str)] = &[
    ("antrea.io", "antrea"),
    ("projectcalico.org", "calico"),
    ("cilium.io", "cilium"),
    ("flannel.alpha.coreos.com", "flannel"),
    ("kube-router.io", "kube-router"),
    ("ovn.kubernetes.io", "kube-ovn"),
    ("k8s.ovn.org", "ovn-kubernetes"),
];

pub(super) const POLICY_ENGINES: &[(&str, &str)] = &[
    ("kyverno.io", "Kyverno"),
    ("templates.gatekeeper.sh", "Gatekeeper"),
    ("policies.kubewarden.io", "Kubewarden"),
];

pub(super) const SERVICE_MESHES: &[(&str, &str)] = &[
    ("networking.istio.io", "Istio"),
    ("policy.linkerd.io", "Linkerd"),
    ("consul.hashicorp.com", "Consul"),
    ("kuma.io", "Kuma"),
];

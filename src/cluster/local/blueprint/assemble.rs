//! Manifests and settings → all that the sandbox has to do.

use super::fault::FaultPlan;
use super::layout::{Layout, layout, node_name};
use super::network::{Network, network};
use super::pod_plan::{PodPlan, pod_plan};
use crate::cluster::local::manifests::Objects;
use crate::cluster::{Error, PodAddresses};
use crate::plan::{Fault, Local};
use crate::render::Manifest;

/// A local cluster that is fully decided and not yet there.
#[derive(Clone, Debug)]
pub struct Blueprint {
    layout: Layout,
    pub(in crate::cluster::local) network: Network,
    pub(in crate::cluster::local) pods: Vec<PodPlan>,
}

impl Blueprint {
    /// Works out the whole local cluster, and starts nothing.
    ///
    /// # Errors
    /// The first object or field that the local cluster does not know, or a pod that no node can take.
    pub fn new(manifests: &[Manifest], settings: &Local) -> Result<Self, Error> {
        let objects = Objects::from_manifests(manifests)?;
        let layout = layout(&objects, settings)?;
        let network = network(&layout);
        let pods = layout
            .pods
            .iter()
            .map(|pod| pod_plan(pod, &layout, &objects))
            .collect();
        Ok(Self {
            layout,
            network,
            pods,
        })
    }

    /// The network as the steps that make it.
    #[must_use]
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Whether this fault can happen on it. The fault names its worker by the pod.
    ///
    /// # Errors
    /// A node without pods, or a pod that is not there or has no Service.
    pub fn check_fault(&self, fault: &Fault) -> Result<(), Error> {
        self.fault(fault).map(drop)
    }

    /// What a fault takes.
    pub(in crate::cluster::local) fn fault(&self, fault: &Fault) -> Result<FaultPlan, Error> {
        FaultPlan::new(fault, &self.layout)
    }

    /// Where a pod is.
    pub(in crate::cluster::local) fn addresses(&self, name: &str) -> Option<PodAddresses> {
        let pods = &self.layout.pods;
        let pod = pods.iter().find(|pod| pod.object.pod.name == name)?;
        let services = self.layout.services.iter();
        Some(PodAddresses {
            node: node_name(pod.node),
            pod_ips: pod.addresses.clone(),
            service_ips: services
                .filter(|service| service.name == name)
                .flat_map(|service| service.addresses.clone())
                .collect(),
        })
    }

    /// Nodes, links, and the place and address of every pod and Service, for `environment.json`.
    #[must_use]
    pub fn describe(&self) -> serde_json::Value {
        self.layout.describe()
    }
}

impl std::fmt::Display for Network {
    /// As a person would do it by hand: a heading for each namespace and program, then its input.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for namespace in &self.namespaces {
            writeln!(f, "# namespace {}", namespace.name)?;
            for (key, value) in namespace
                .settings
                .iter()
                .chain(&namespace.optional_settings)
            {
                writeln!(f, "net/{key} = {value}")?;
            }
        }
        let links = self.links.iter().map(|step| ("the root", step));
        let inside = self
            .inside
            .iter()
            .flat_map(|(name, steps)| steps.iter().map(move |step| (name.as_str(), step)));
        for (namespace, step) in links.chain(inside) {
            writeln!(
                f,
                "# in {namespace}: {} {}",
                step.program,
                step.args.join(" ")
            )?;
            write!(f, "{}", step.input)?;
        }
        Ok(())
    }
}

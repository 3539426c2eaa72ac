//! Manifests and settings → all that the holder has to do.

use super::fabric::{Fabric, fabric};
use super::layout::{Layout, layout};
use super::manifests::Objects;
use super::pod_plan::{PodPlan, pod_plan};
use crate::cluster::Error;
use crate::plan::Local;
use crate::render::Manifest;

/// A local cluster that is fully decided and not yet there.
#[derive(Clone, Debug)]
pub struct Blueprint {
    layout: Layout,
    pub(super) fabric: Fabric,
    pub(super) pods: Vec<PodPlan>,
}

/// Works out the whole local cluster, and starts nothing.
///
/// # Errors
/// The first object or field that the local cluster does not know, or a pod that no node can take.
pub fn plan(manifests: &[Manifest], settings: &Local) -> Result<Blueprint, Error> {
    let objects = Objects::from_manifests(manifests)?;
    let layout = layout(&objects, settings)?;
    let fabric = fabric(&layout);
    let pods = layout
        .pods
        .iter()
        .map(|pod| pod_plan(pod, &layout, &objects))
        .collect();
    Ok(Blueprint {
        layout,
        fabric,
        pods,
    })
}

impl Blueprint {
    /// The network as the steps that make it.
    #[must_use]
    pub fn fabric(&self) -> &Fabric {
        &self.fabric
    }

    /// Nodes, links, and the place and address of every pod and Service, for `environment.json`.
    #[must_use]
    pub fn describe(&self) -> serde_json::Value {
        self.layout.describe()
    }
}

impl std::fmt::Display for Fabric {
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

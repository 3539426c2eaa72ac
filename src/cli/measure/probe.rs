//! `netplan doctor --probe`: a pod on each node dials all others, by each of their addresses.

use super::local_cluster;
use super::prepare::{group_jobs, without_orchestrator};
use super::probe_pods::{Found, attend};
use super::target::Target;
use crate::cli::error::CliError;
use crate::cli::terminal::printer;
use crate::diag::Source;
use crate::plan::{self, PlanFile};
use crate::render::Templates;

/// A pod on each node, each with a Service.
const PLAN: &str = "
version: 1
name: probe
workers: { probe: { one_per_node: true } }
paths: { mesh: { workers: probe, via: cluster_ip, both_directions: true } }
tests: [{ iperf3: {}, duration: 1s }]
";

/// Probes the network with pods that are made and removed for it, and prints what they reach. `file` says how pods
/// look, `target` where they are. Whether all is well; `None` when a person has interrupted it.
pub(super) async fn probe(file: &PlanFile, target: Target) -> Result<Option<bool>, CliError> {
    let mut plan = plan::load_file(&plan::Alone, Source::new("doctor", PLAN), &[])?;
    plan.kubernetes = file.kubernetes.clone();
    plan.local = file.local.clone();
    let found = match target {
        Target::Local => {
            if let Some(is_well) = too_few(plan.local.nodes) {
                return Ok(Some(is_well));
            }
            let prepared = without_orchestrator(&plan)?;
            let cluster = local_cluster::start(&prepared.plan).await?;
            attend(cluster, &prepared).await?
        }
        Target::Kubernetes(connection) => {
            let jobs = group_jobs(&plan, &Templates::embedded())?;
            let nodes = connection.group_capacity(&jobs).await;
            let nodes = nodes.map_err(anyhow::Error::from)?;
            if let Some(is_well) = too_few(nodes) {
                return Ok(Some(is_well));
            }
            let plan = plan.with_nodes(nodes).map_err(anyhow::Error::from)?;
            let prepared = without_orchestrator(&plan)?;
            let cluster = connection.run(&prepared.run.id, &prepared.run.namespace);
            attend(cluster, &prepared).await?
        }
    };
    Ok(found.as_ref().map(Found::is_well))
}

/// Whether all is well where too few nodes can take a pod to probe anything; says so.
fn too_few(nodes: u32) -> Option<bool> {
    let text = match nodes {
        0 => "no node can take a pod: nothing to probe",
        1 => "one node: nothing to probe",
        _ => return None,
    };
    printer::note(text);
    Some(nodes == 1)
}

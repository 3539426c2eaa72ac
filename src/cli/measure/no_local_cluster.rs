//! In the place of `local_cluster` in a build without the local cluster: says so.

use std::collections::BTreeSet;

use anyhow::anyhow;

use crate::cluster::kubernetes::Kubernetes;
use crate::cluster::{Cluster, Finding};
use crate::diag::Problem;
use crate::plan::{self, Plan};
use crate::render::Manifest;
use crate::tools::Tool;

/// Whether this build has the local cluster.
pub(super) fn require() -> Result<(), Problem> {
    let what = "this netplan was built without the local cluster, which needs Linux";
    Err(Problem::without_place(what).help("measure a cluster with `--on kubernetes`"))
}

/// What this machine has for a cluster: none.
pub(super) fn preflight(_: &plan::Local, _: usize) -> Vec<Finding> {
    vec![Finding::new(
        "local cluster",
        "",
        require().err().into_iter().collect(),
    )]
}

/// Whether the emulated nodes can take the workers: there are none.
pub(super) fn placement(_: &[Manifest], plan: &Plan) -> Finding {
    preflight(&plan.local, 0).remove(0)
}

/// Whether all that the plan says of pods has an effect: nothing runs here.
pub(super) fn settings(plan: &plan::Plan, _: &BTreeSet<usize>, _: &[Manifest]) -> Finding {
    preflight(&plan.local, 0).remove(0)
}

/// What this machine has of a tool: no matter, it cannot measure.
pub(super) fn tool_finding(tool: &dyn Tool) -> Finding {
    Finding::new(tool.name(), "is used in the image only", Vec::new())
}

/// Starts it for a plan: says that it cannot.
#[expect(clippy::unused_async, reason = "as the one of the local cluster")]
pub(super) async fn start(_: &Plan) -> anyhow::Result<impl Cluster + Sync> {
    Err::<Kubernetes, _>(require().err().map_or_else(
        || anyhow!("no local cluster"),
        |problem| anyhow!("{problem}"),
    ))
}

//! The local cluster, as the subcommands use it: what this machine has of it, and its start.

use std::collections::BTreeSet;
use std::path::Path;

use crate::catalog::OWN_PROGRAM;
use crate::cluster::local::Local;
use crate::cluster::{Cluster, Finding, local};
use crate::diag::Problem;
use crate::plan::{self, Plan};
use crate::render::Manifest;
use crate::tools::{self, Tool};

/// This program, for the parts of the local cluster that it starts itself as.
const PROGRAM: &str = "/proc/self/exe";

/// Whether this build has the local cluster.
#[expect(
    clippy::unnecessary_wraps,
    reason = "a build without it has a problem to report"
)]
pub(super) fn require() -> Result<(), Problem> {
    Ok(())
}

/// What this machine has for a cluster of so many pods.
pub(super) fn preflight(settings: &plan::Local, pods: usize) -> Vec<Finding> {
    local::preflight(Path::new(PROGRAM), settings, pods)
}

/// Whether the emulated nodes can take the workers, with addresses of the families that the plan names.
pub(super) fn placement(manifests: &[Manifest], plan: &Plan) -> Finding {
    let mut problems = local::family_problems(plan);
    if problems.is_empty() {
        let placed = local::Blueprint::new(manifests, &plan.local).err();
        problems.extend(placed.map(Problem::from));
    }
    Finding::new("plan", "the emulated nodes can take its workers", problems)
}

/// Whether all that the plan and these of its variants say of pods has an effect.
pub(super) fn settings(plan: &Plan, variants: &BTreeSet<usize>, manifests: &[Manifest]) -> Finding {
    Finding::new(
        "settings",
        "all that the plan says of pods has an effect",
        local::unenforced(plan, variants, manifests),
    )
}

/// What this machine has of a tool: its version and files.
pub(super) fn tool_finding(tool: &dyn Tool) -> Finding {
    let found = match missing(tool) {
        Some(problem) => Err(problem),
        None => local::tool_check(tool),
    };
    Finding {
        subject: tool.name().to_owned(),
        result: found.map_err(|problem| vec![problem]),
    }
}

/// Starts it for a plan.
pub(super) async fn start(plan: &Plan) -> anyhow::Result<impl Cluster + Sync> {
    let cluster = Local::start(Path::new(PROGRAM), &plan.local).await?;
    Ok(cluster.with_programs(tools::programs(plan)))
}

/// What a tool lacks on this machine.
fn missing(tool: &dyn Tool) -> Option<Problem> {
    let programs = tool.programs();
    let program = programs
        .iter()
        .find(|program| program.name != OWN_PROGRAM && !local::is_installed(**program))?;
    let help = match (program.package, tool.install()) {
        ("", Some(how)) => format!("install it: {how}"),
        ("", None) => "install it, or put it on the `PATH`".to_owned(),
        (package, _) => match tool.package_note() {
            "" => format!("install it: sudo apt-get install {package}"),
            note => format!("install it: sudo apt-get install {package} ({note})"),
        },
    };
    Some(Problem::without_place(format!("`{}` is not installed", program.name)).help(help))
}

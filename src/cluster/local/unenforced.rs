//! What a plan says of pods that the local cluster does not enforce. To ignore it would make it look free.

use crate::diag::Problem;
use crate::plan::Plan;

/// The settings of workers and variants without effect here, each at its key.
#[must_use]
pub fn unenforced(plan: &Plan) -> Vec<Problem> {
    let variants = plan.variants.iter().flat_map(|(name, variant)| {
        let workers = variant.workers.iter();
        workers.map(move |(worker, pods)| (format!("variants.{name}.workers.{worker}"), pods))
    });
    // The base's workers have what the base variant says, which is told there.
    let is_told = |name: &str| {
        let base = plan.variants.first().map(|(_, base)| base.pods_of(name));
        base.is_some_and(|pods| !pods.resources.limits.is_empty() || pods.runtime_class.is_some())
    };
    let of_base = plan
        .workers
        .iter()
        .filter(|(_, worker)| worker.base.is_none());
    let workers = of_base
        .filter(|(name, worker)| !is_told(worker.group.as_deref().unwrap_or(name)))
        .map(|(name, worker)| (format!("workers.{name}"), &worker.pods));
    let mut problems = Vec::new();
    for (at, pods) in variants.chain(workers) {
        let limits = pods.resources.limits.keys();
        let keys = limits.map(|name| format!("resources.limits.{name}")).chain(
            pods.runtime_class
                .iter()
                .map(|_| "runtime_class".to_owned()),
        );
        problems.extend(keys.map(|key| problem(&format!("{at}.{key}"))));
    }
    problems
}

fn problem(key: &str) -> Problem {
    Problem::without_place(format!("`{key}` has no effect on the local cluster")).help(
        "run this plan on Kubernetes, remove the key, or leave its variant out: `--only variant=NAME`",
    )
}

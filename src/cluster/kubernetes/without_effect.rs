//! What a plan says of the local cluster alone. To ignore it in a variant would make it look free.

use std::collections::BTreeSet;

use crate::diag::Problem;
use crate::plan::Plan;

/// The keys of the variants that are measured without effect on Kubernetes. `measured` has indexes into the plan's variants.
#[must_use]
pub fn without_effect(plan: &Plan, measured: &BTreeSet<usize>) -> Vec<Problem> {
    let variants = plan.variants.iter().enumerate();
    let local = variants
        .filter(|(index, (_, variant))| measured.contains(index) && !variant.local.is_empty());
    local
        .map(|(_, (name, _))| {
            let what = format!("`variants.{name}.local` has no effect on Kubernetes");
            Problem::without_place(what).help(
                "run this plan on the local cluster (`--on local`), remove the key, or leave its variant out: \
                 `--only variant=NAME`",
            )
        })
        .collect()
}

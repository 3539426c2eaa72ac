//! The ports that a worker's Service carries.

use std::collections::BTreeSet;

use super::Port;
use crate::plan::Plan;
use crate::schedule::slot_of;

/// The ports on which a worker is reached, over all tests and paths of the plan: in order, each
/// once; none for a worker that no measured path leads to.
#[must_use]
pub fn ports_of(plan: &Plan, worker: &str) -> Vec<Port> {
    let mut ports = BTreeSet::new();
    for test in &plan.tests {
        let tool = super::of(&test.tool);
        for (index, path) in plan.paths.iter().enumerate() {
            if path.to == worker && test.paths.contains(&path.name) {
                ports.extend(tool.ports(slot_of(plan, index)));
            }
        }
    }
    ports.into_iter().collect()
}

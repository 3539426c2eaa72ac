//! The programs that a plan's tests start.

use std::collections::BTreeSet;

use super::registry::{built_in, from_spec};
use crate::catalog::OWN_PROGRAM;
use crate::plan::Plan;

/// The names of all programs that the tests of a plan start, without this one.
#[must_use]
pub fn programs(plan: &Plan) -> BTreeSet<String> {
    let tests = plan.tests.iter();
    tests
        .flat_map(|test| {
            let tool = from_spec(&test.tool);
            let programs = tool.programs().into_iter();
            programs
                .filter(|program| program.name != OWN_PROGRAM)
                .map(|program| program.name.to_owned())
                .collect::<Vec<_>>()
        })
        .collect()
}

/// Those of them that no built-in tool has.
#[must_use]
pub fn declared_programs(plan: &Plan) -> BTreeSet<String> {
    let mut programs = programs(plan);
    for tool in built_in() {
        for program in tool.programs() {
            programs.remove(program.name);
        }
    }
    programs
}

//! Plans whose `during:` cannot be done.

use crate::cli::error::CliError;
use crate::diag::{Problem, Problems};
use crate::plan::{By, Deed, During, Plan, Test};

/// Refuses a plan that this process has to do something for, where it does not stay.
pub(in crate::cli) fn needs_command_line(plan: &Plan, option: &str) -> Result<(), CliError> {
    refuse(plan, |test, entry| {
        let problem = Problem::without_place(format!(
            "{option} does not go with `during:` of the test `{}`: the command line does what its `{}` says, and does not stay",
            test.name,
            entry.key()
        ));
        Some(problem.help("run the plan with `netplan run`, or remove `during:`"))
    })
}

/// Refuses a plan that waits for keys where there is no terminal.
pub(in crate::cli) fn needs_terminal(plan: &Plan, has_terminal: bool) -> Result<(), CliError> {
    refuse(plan, |test, entry| {
        let problem = Problem::without_place(format!(
            "the test `{}` has `by: hand`, and this is no terminal on which Enter could be pressed",
            test.name
        ));
        let problem = problem.help("run the plan on a terminal, or let `run` start a command");
        (!has_terminal && entry.what == Deed::By(By::Hand)).then_some(problem)
    })
}

/// Refuses a plan with faults on Kubernetes.
pub(in crate::cli) fn needs_local(plan: &Plan) -> Result<(), CliError> {
    refuse(plan, |test, entry| {
        let problem = Problem::without_place(format!(
            "`{}` in `during:` of the test `{}` is for the local cluster: netplan breaks nothing on Kubernetes",
            entry.key(),
            test.name
        ));
        let help = "run the plan with `--on local`, or let `run` start a command that does it";
        matches!(entry.what, Deed::Fault(_)).then(|| problem.help(help))
    })
}

/// Fails with the problems of all entries, each where the plan has it.
fn refuse(
    plan: &Plan,
    problem: impl Fn(&Test, &During) -> Option<Problem>,
) -> Result<(), CliError> {
    let mut problems = Problems::default();
    for test in &plan.tests {
        for entry in &test.during {
            if let Some(problem) = problem(test, entry) {
                problems.push_at(&entry.written, problem);
            }
        }
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems.into())
    }
}

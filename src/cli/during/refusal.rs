//! Plans whose `during:` cannot be done.

use crate::cli::error::CliError;
use crate::diag::Problem;
use crate::plan::{By, Deed, During, Plan};

/// Refuses a plan that this process has to do something for, where it does not stay.
pub(in crate::cli) fn needs_command_line(plan: &Plan, option: &str) -> Result<(), CliError> {
    let Some(test) = plan.tests.iter().find(|test| !test.during.is_empty()) else {
        return Ok(());
    };
    let mut keys: Vec<&str> = test.during.iter().map(During::key).collect();
    keys.sort_unstable();
    keys.dedup();
    let problem = Problem::without_place(format!(
        "{option} does not go with `during:` of the test `{}`: the command line does what its `{}` says, and does not stay",
        test.name,
        keys.join("` and `")
    ));
    Err(CliError::usage(problem.help(
        "run the plan with `netplan run`, or remove `during:`",
    )))
}

/// Refuses a plan that waits for keys where there is no terminal.
pub(in crate::cli) fn needs_terminal(plan: &Plan, has_terminal: bool) -> Result<(), CliError> {
    let by_hand = |entry: &During| entry.what == Deed::By(By::Hand);
    let test = plan
        .tests
        .iter()
        .find(|test| test.during.iter().any(by_hand));
    match test {
        Some(test) if !has_terminal => Err(CliError::usage(
            Problem::without_place(format!(
                "the test `{}` has `by: hand`, and this is no terminal on which Enter could be pressed",
                test.name
            ))
            .help("run the plan on a terminal, or let `run` start a command"),
        )),
        _ => Ok(()),
    }
}

/// Refuses a plan with faults on Kubernetes.
pub(in crate::cli) fn needs_local(plan: &Plan) -> Result<(), CliError> {
    let entries = plan
        .tests
        .iter()
        .flat_map(|test| test.during.iter().map(move |entry| (test, entry)));
    let mut faults = entries.filter(|(_, entry)| matches!(entry.what, Deed::Fault(_)));
    let Some((test, fault)) = faults.next() else {
        return Ok(());
    };
    let problem = Problem::without_place(format!(
        "`{}` in `during:` of the test `{}` is for the local cluster: netplan breaks nothing on Kubernetes",
        fault.key(),
        test.name
    ));
    Err(CliError::usage(problem.help(
        "run the plan with `--on local`, or let `run` start a command that does it",
    )))
}

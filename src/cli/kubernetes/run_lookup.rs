//! Which of the runs in a cluster a person means.

use crate::cli::error::CliError;
use crate::cluster::kubernetes::{Connection, Run};
use crate::diag::{did_you_mean, quote};

/// The run of this id, or the only one that there is.
pub(in crate::cli) async fn run(
    connection: &Connection,
    id: Option<&str>,
) -> Result<Run, CliError> {
    let runs = connection.runs().await.map_err(anyhow::Error::from)?;
    choose(runs, id).map_err(CliError::Usage)
}

/// The command for a run: `netplan attach 0badcafe --namespace netplan`. It names the namespace, because not
/// everybody may look for runs in all of them.
pub(in crate::cli) fn command(subcommand: &str, run: &Run) -> String {
    command_in(subcommand, &run.id, &run.namespace)
}

/// As [`command`], for a run that is not in the cluster yet.
pub(in crate::cli) fn command_in(subcommand: &str, id: &str, namespace: &str) -> String {
    format!("netplan {subcommand} {id} --namespace {namespace}")
}

fn choose(runs: Vec<Run>, id: Option<&str>) -> Result<Run, String> {
    let list = |runs: &[Run]| {
        let line = |run: &Run| {
            let plan = run.plan.as_deref().unwrap_or("-");
            format!("\n  {}  {plan} in {}: {}", run.id, run.namespace, run.state)
        };
        runs.iter().map(line).collect::<String>()
    };
    match id {
        _ if runs.is_empty() => Err(match id {
            Some(id) => format!("there is no run {}: no runs are in this cluster", quote(id)),
            None => "there are no runs in this cluster".to_owned(),
        }),
        Some(id) => match runs.iter().find(|run| run.id == id) {
            Some(run) => Ok(run.clone()),
            None => Err(
                match did_you_mean(id, runs.iter().map(|run| run.id.as_str())) {
                    Some(near) => format!("there is no run {}; did you mean `{near}`?", quote(id)),
                    None => format!("there is no run {}; there are:{}", quote(id), list(&runs)),
                },
            ),
        },
        None => match <[Run; 1]>::try_from(runs) {
            Ok([run]) => Ok(run),
            Err(runs) => Err(format!("which run? there are:{}", list(&runs))),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::kubernetes::State;

    fn run(id: &str) -> Run {
        Run {
            id: id.to_owned(),
            plan: Some("quick".to_owned()),
            namespace: "netplan".to_owned(),
            state: State::Running,
            created: None,
            version: None,
            workers: 3,
            workers_up: 3,
        }
    }

    #[test]
    fn one_run_needs_no_name_and_others_are_shown() {
        let two = || vec![run("0badcafe"), run("deadbeef")];
        assert_eq!(choose(vec![run("a1")], None).unwrap().id, "a1");
        assert_eq!(choose(two(), Some("deadbeef")).unwrap().id, "deadbeef");
        assert_eq!(
            choose(two(), Some("0badcafé")).unwrap_err(),
            "there is no run `0badcafé`; did you mean `0badcafe`?"
        );
        assert_eq!(
            choose(two(), Some("7")).unwrap_err(),
            "there is no run `7`; there are:\n  0badcafe  quick in netplan: running\n  \
             deadbeef  quick in netplan: running"
        );
        assert!(choose(two(), None).unwrap_err().starts_with("which run?"));
        assert_eq!(
            choose(vec![], None).unwrap_err(),
            "there are no runs in this cluster"
        );
    }
}

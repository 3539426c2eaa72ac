//! `netplan status`: the runs that have objects in a cluster.

use clap::Args;
use jiff::{SpanRound, Timestamp, Unit};

use super::{attach, run_lookup};
use crate::cli::error::{CliError, Exit};
use crate::cli::help::invocation::Invocation;
use crate::cli::measure::target::KubernetesArgs;
use crate::cli::terminal::printer;
use crate::cluster::kubernetes::{Connection, Run, State};
use crate::output::terminal;
use crate::render::RunContext;
use crate::report::document::{Block, Column, Document, Table, TableKind};
use crate::results::{Progress, archive};

/// Enough for the CSV that ends a log, and the records before it.
const LAST_LINES: u32 = 300;

/// List runs that have objects in the Kubernetes cluster
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  netplan status
  netplan status --context kind-dev --namespace bench")]
pub(in crate::cli) struct StatusArgs {
    #[command(flatten)]
    kubernetes: KubernetesArgs,
}

pub(in crate::cli) fn execute(args: &StatusArgs) -> Result<Exit, CliError> {
    let runtime = crate::cli::runtime()?;
    let runs = runtime.block_on(async {
        let connection = args.kubernetes.open().await?;
        let runs = connection.runs().await?;
        let with_progress = runs.into_iter().map(|run| async {
            let log = log(&connection, &run).await;
            let progress = log.as_deref().and_then(Progress::from_log);
            let has_archive = log.as_deref().is_none_or(may_have_archive);
            let holder = if progress.is_some() && has_archive {
                None
            } else {
                holder(&connection, &run).await
            };
            let next = next(&run, holder.is_some(), has_archive);
            (run, progress, holder, next)
        });
        anyhow::Ok(futures::future::join_all(with_progress).await)
    })?;
    if runs.is_empty() {
        printer::note("no runs");
        return Ok(Exit::Well);
    }
    let mut columns = columns(
        runs.iter()
            .map(|(run, progress, holder, _)| (run, state(run, *progress, holder.as_deref()))),
    );
    let next = runs.iter().map(|(_, _, _, next)| next.clone());
    columns.push(Column::words("next", next));
    printer::results(&list(columns))?;
    Ok(Exit::Well)
}

/// The end of the orchestrator's log, if it can be read: it says how far a run is.
async fn log(connection: &Connection, run: &Run) -> Option<String> {
    if matches!(run.state, State::Remains | State::Leaving) {
        return None;
    }
    let orchestrator = RunContext::new(&run.id, None).orchestrator();
    let cluster = connection.run(&run.id, &run.namespace);
    cluster.log(&orchestrator, Some(LAST_LINES)).await.ok()
}

/// Whether the log that ends so may hold the run's archive. It holds none if somebody has collected the results while
/// the run ended, or the orchestrator was lost.
fn may_have_archive(log: &str) -> bool {
    let mut lines = log.lines();
    lines.any(|line| line == archive::END) || log.lines().count() >= LAST_LINES as usize
}

/// The worker that holds the journal of a run whose orchestrator is gone.
async fn holder(connection: &Connection, run: &Run) -> Option<String> {
    if run.workers_up == 0 || !matches!(run.state, State::Finished | State::Failed | State::Remains)
    {
        return None;
    }
    let cluster = connection.run(&run.id, &run.namespace);
    let holder = attach::holder(&cluster, run).await?;
    Some(holder.worker)
}

/// A table of runs with what the cluster says of them.
pub(in crate::cli) fn list_of(runs: &[Run]) -> String {
    list(columns(runs.iter().map(|run| (run, run.state.to_string()))))
}

/// The columns of runs and their states.
fn columns<'a>(runs: impl Iterator<Item = (&'a Run, String)>) -> Vec<Column> {
    let now = Timestamp::now();
    let mut columns =
        ["run", "plan", "namespace", "state", "age"].map(|name| Column::words(name, []));
    for (run, state) in runs {
        let row = [
            run.id.clone(),
            run.plan.clone().unwrap_or_else(|| "-".to_owned()),
            run.namespace.clone(),
            state,
            age(run, now).unwrap_or_else(|| "-".to_owned()),
        ];
        for (column, text) in columns.iter_mut().zip(row) {
            column.cells.push(text.into());
        }
    }
    columns.into()
}

fn list(columns: Vec<Column>) -> String {
    let list = Table {
        kind: TableKind::List,
        keys: 5,
        columns,
        ..Table::default()
    };
    let document = Document {
        blocks: vec![Block::Table(list)],
    };
    terminal::render(
        &document,
        printer::width_or(usize::MAX),
        printer::colour_stdout(),
    )
}

fn age(run: &Run, now: Timestamp) -> Option<String> {
    let round = SpanRound::new().largest(Unit::Hour).smallest(Unit::Second);
    Some(format!(
        "{:#}",
        now.since(run.created?).ok()?.round(round).ok()?
    ))
}

fn state(run: &Run, progress: Option<Progress>, holder: Option<&str>) -> String {
    if let Some(worker) = holder {
        return format!("{}; worker `{worker}` holds its journal", run.state);
    }
    match (run.state, progress) {
        (State::Starting, _) => {
            format!("starting, {} of {} workers up", run.workers_up, run.workers)
        }
        (State::Finished, Some(progress)) if progress.cancelled => {
            format!("cancelled at {}/{} cells", progress.ended, progress.total)
        }
        (state @ (State::Running | State::Finished | State::Failed), Some(progress)) => {
            format!("{state}, {}/{} cells", progress.ended, progress.total)
        }
        (state, _) => state.to_string(),
    }
}

/// What a person can do next with a run.
fn next(run: &Run, has_holder: bool, has_archive: bool) -> String {
    let next = match run.state {
        State::Failed | State::Remains if has_holder => format!(
            "{} collects the results",
            run_lookup::command("attach", run)
        ),
        State::Starting | State::Running => {
            format!("{}, or cancel", run_lookup::command("attach", run))
        }
        State::Finished if has_holder || has_archive => format!(
            "{} collects the results",
            run_lookup::command("attach", run)
        ),
        State::Finished | State::Failed | State::Remains => run_lookup::command("clean", run),
        State::Leaving => "it is being removed".to_owned(),
    };
    Invocation::current().localize(&next).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_says_how_far_the_run_is() {
        let run = |state| Run {
            id: "0badcafe".to_owned(),
            plan: Some("quick".to_owned()),
            namespace: "netplan".to_owned(),
            state,
            created: None,
            version: None,
            workers: 3,
            workers_up: 2,
        };
        let at = |cancelled| {
            Some(Progress {
                ended: 7,
                total: 118,
                cancelled,
            })
        };
        let text = |state, progress| super::state(&run(state), progress, None);
        assert_eq!(text(State::Starting, None), "starting, 2 of 3 workers up");
        assert_eq!(text(State::Running, at(false)), "running, 7/118 cells");
        assert_eq!(text(State::Running, None), "running");
        assert_eq!(text(State::Finished, at(true)), "cancelled at 7/118 cells");
        assert_eq!(text(State::Leaving, None), "leaving");
        assert_eq!(
            super::state(&run(State::Remains), None, Some("w3")),
            "remains; worker `w3` holds its journal"
        );
        let next =
            |has_holder, has_archive| super::next(&run(State::Finished), has_holder, has_archive);
        assert!(next(false, true).ends_with("collects the results"));
        assert!(next(true, false).ends_with("collects the results"));
        assert!(next(false, false).contains("clean"));
        assert!(may_have_archive(&format!("a\n{}\n", archive::END)));
        assert!(may_have_archive(&"line\n".repeat(300)));
        assert!(!may_have_archive("{\"record\":\"progress\"}\n"));
    }
}

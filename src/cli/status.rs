//! `netplan status`: the runs that there are in a cluster.

use std::fmt::Write as _;

use clap::Args;
use jiff::{SpanRound, Timestamp, Unit};

use super::error::{CliError, Exit};
use super::invocation::Invocation;
use super::printer;
use super::target::KubernetesArgs;
use crate::cluster::kubernetes::{Connection, Run, State};
use crate::orchestrator::{Count, count_in};
use crate::render::RunContext;

/// Enough for the CSV that ends a log, and the line before it.
const LAST_LINES: u32 = 300;

/// List runs that have objects in the Kubernetes cluster
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  netplan status
  netplan status --context kind-dev --namespace bench")]
pub(super) struct StatusArgs {
    #[command(flatten)]
    kubernetes: KubernetesArgs,
}

pub(super) fn execute(args: &StatusArgs) -> Result<Exit, CliError> {
    let runtime = super::runtime()?;
    let rows = runtime.block_on(async {
        let connection = args.kubernetes.open().await?;
        let runs = connection.runs().await?;
        let rows = runs.into_iter().map(|run| async {
            let count = count(&connection, &run).await;
            (run, count)
        });
        anyhow::Ok(futures::future::join_all(rows).await)
    })?;
    if rows.is_empty() {
        printer::note("no runs");
        return Ok(Exit::Well);
    }
    let rows: Vec<[String; 6]> = rows
        .iter()
        .map(|(run, count)| {
            let [id, plan, namespace, _, age] = row(run, Timestamp::now());
            [id, plan, namespace, state(run, *count), age, next(run)]
        })
        .collect();
    let head = ["RUN", "PLAN", "NAMESPACE", "STATE", "AGE", "NEXT"];
    let width = printer::width_or(usize::MAX);
    printer::results(&table(head, &rows, width))?;
    Ok(Exit::Well)
}

/// How far a run is, as far as its log can be read.
async fn count(connection: &Connection, run: &Run) -> Option<Count> {
    if matches!(run.state, State::Remains | State::Leaving) {
        return None;
    }
    let orchestrator = RunContext::new(&run.id, None).orchestrator();
    let cluster = connection.run(&run.id, &run.namespace);
    let log = cluster.log(&orchestrator, Some(LAST_LINES)).await;
    count_in(&log.ok()?)
}

/// What is known of removed runs.
pub(super) fn removed(runs: &[Run]) -> String {
    let rows: Vec<[String; 5]> = runs.iter().map(|run| row(run, Timestamp::now())).collect();
    let head = ["RUN", "PLAN", "NAMESPACE", "STATE", "AGE"];
    table(head, &rows, printer::width_or(usize::MAX))
}

fn row(run: &Run, now: Timestamp) -> [String; 5] {
    let age = run.created.and_then(|created| {
        let round = SpanRound::new().largest(Unit::Hour).smallest(Unit::Second);
        Some(format!("{:#}", now.since(created).ok()?.round(round).ok()?))
    });
    [
        run.id.clone(),
        run.plan.clone().unwrap_or_else(|| "-".to_owned()),
        run.namespace.clone(),
        run.state.to_string(),
        age.unwrap_or_else(|| "-".to_owned()),
    ]
}

fn state(run: &Run, count: Option<Count>) -> String {
    match (run.state, count) {
        (State::Starting, _) => {
            format!("starting, {} of {} workers up", run.workers_up, run.workers)
        }
        (State::Finished, Some(count)) if count.cancelled => {
            format!("cancelled at {}/{} cells", count.ended, count.total)
        }
        (state @ (State::Running | State::Finished | State::Failed), Some(count)) => {
            format!("{state}, {}/{} cells", count.ended, count.total)
        }
        (state, _) => state.to_string(),
    }
}

/// How to go on with it.
fn next(run: &Run) -> String {
    let id = &run.id;
    let next = match run.state {
        State::Starting | State::Running => format!("netplan attach {id}, or cancel"),
        State::Finished => format!("netplan attach {id} collects the results"),
        State::Failed | State::Remains => format!("netplan clean {id}"),
        State::Leaving => "it is being removed".to_owned(),
    };
    Invocation::current().localize(&next).into_owned()
}

/// Columns as wide as what is in them. Where that is wider than `width`, the last column goes below its
/// row.
fn table<const N: usize>(head: [&str; N], rows: &[[String; N]], width: usize) -> String {
    let head = head.map(str::to_owned);
    let all = || std::iter::once(&head).chain(rows);
    let widths: [usize; N] = std::array::from_fn(|column| {
        let cells = all().map(|row| row[column].chars().count());
        cells.max().unwrap_or_default()
    });
    let total = widths.iter().sum::<usize>() + 2 * (N - 1);
    let beside = if total > width { N - 1 } else { N };
    let mut text = String::new();
    for row in all() {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths).take(beside) {
            // Writing into a String cannot fail.
            let _ = write!(line, "{cell:<width$}  ");
        }
        text.push_str(line.trim_end());
        text.push('\n');
        if beside < N && *row != head {
            text.extend(["  ", row[N - 1].as_str(), "\n"]);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_says_how_far_and_how_to_go_on() {
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
            Some(Count {
                ended: 7,
                total: 118,
                cancelled,
            })
        };
        let words = |state, count| super::state(&run(state), count);
        assert_eq!(words(State::Starting, None), "starting, 2 of 3 workers up");
        assert_eq!(words(State::Running, at(false)), "running, 7/118 cells");
        assert_eq!(words(State::Running, None), "running");
        assert_eq!(words(State::Finished, at(true)), "cancelled at 7/118 cells");
        assert_eq!(words(State::Leaving, None), "leaving");
    }

    #[test]
    fn a_narrow_terminal_has_the_last_column_below_the_row() {
        let row = [
            "0badcafe",
            "running, 7/118 cells",
            "netplan attach 0badcafe, or cancel",
        ];
        let rows = [row.map(str::to_owned)];
        let at = |width| table(["RUN", "STATE", "NEXT"], &rows, width);
        assert_eq!(
            at(80),
            "RUN       STATE                 NEXT\n\
             0badcafe  running, 7/118 cells  netplan attach 0badcafe, or cancel\n"
        );
        assert_eq!(
            at(60),
            "RUN       STATE\n\
             0badcafe  running, 7/118 cells\n  netplan attach 0badcafe, or cancel\n"
        );
    }
}

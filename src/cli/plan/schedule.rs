//! `netplan schedule`: the cells in order, each with its exact command lines.

use std::fmt::Write as _;

use clap::Args;

use super::plan_args::{PlanArgs, SelectionArgs};
use crate::cli::error::{CliError, Exit};
use crate::cli::progress::forecast_text;
use crate::cli::terminal::printer;
use crate::diag::count;
use crate::plan::{Concurrency, Order, Path, Plan};
use crate::tools::{self, CellCommands, Client, Server};

/// Print the cells in order, each with its exact command lines; how many, and how long they take
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  netplan schedule plans/default.yaml
  netplan schedule plans/default.yaml --only path=hairpin")]
pub(in crate::cli) struct ScheduleArgs {
    #[command(flatten)]
    plan: PlanArgs,

    #[command(flatten)]
    selection: SelectionArgs,
}

pub(in crate::cli) fn execute(args: &ScheduleArgs) -> Result<Exit, CliError> {
    let plan = args.plan.load()?;
    let schedule = args.selection.schedule(&plan)?;
    let cells = tools::commands(&plan, &schedule)
        .enumerate()
        .map(|(index, cell)| of_cell(index + 1, &plan, &cell));
    let total = format!(
        "{} in {}{}; {}\n",
        count(schedule.cells.len(), "cell"),
        count(schedule.rows.len(), "row"),
        order(&plan),
        forecast_text(tools::forecast(&plan, &schedule))
    );
    printer::results_of(cells.chain(std::iter::once(total)))?;
    Ok(Exit::Well)
}

/// How the samples of the cells follow each other, unless as they are listed.
fn order(plan: &Plan) -> String {
    let order = match plan.order {
        Order::Listed => "",
        Order::Interleaved => ", one sample of each in turn",
        Order::Shuffled => ", one sample of each in turn, each time in another order",
    };
    let beside = match plan.concurrency {
        Concurrency::Serial => "",
        Concurrency::DisjointNodes => ", side by side where they share no node",
    };
    let rounds = if plan.variants.is_empty() {
        ""
    } else {
        ", the variants of a cell next to each other in rounds"
    };
    format!("{order}{rounds}{beside}")
}

/// What runs on which worker, in order.
fn runs<'a>(
    path: &'a Path,
    server: &Server,
    client: &Client,
) -> impl Iterator<Item = (&'a str, String)> {
    let runs = [
        (&path.to, &server.argv),
        (&path.from, &client.warmup_argv),
        (&path.from, &client.argv),
    ];
    let runs = runs.map(|(worker, argv)| (worker.as_str(), argv.join(" ")));
    runs.into_iter().filter(|(_, line)| !line.is_empty())
}

/// A cell's number and id, and below it what runs where, in order; of a search the first probe.
fn of_cell(number: usize, plan: &Plan, cell: &CellCommands<'_>) -> String {
    let mut text = format!("{number} {}\n", cell.id.0);
    if let Some(find) = &plan.tests[cell.row.test].find {
        let _ = writeln!(
            text,
            "    searches {} to {}; the first probe:",
            find.from, find.to
        );
    }
    // Loads flow before the measured tool starts.
    for load in &cell.loads {
        let runs = runs(&plan.paths[load.path], &load.server, &load.client);
        text.extend(runs.map(|(worker, line)| format!("    load on {worker}: {line}\n")));
    }
    let runs = runs(&plan.paths[cell.row.path], &cell.server, &cell.client);
    text.extend(runs.map(|(worker, line)| format!("    on {worker}: {line}\n")));
    if let Some(refused) = &cell.refused {
        text.extend(["    fails: ", &refused.words, "\n"]);
    }
    text
}

//! `netplan history`: the command line, and the exit code.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};

use super::accept::{self, AcceptArgs, AcceptedArgs};
use super::summaries;
use crate::cli::error::{CliError, Exit};
use crate::cli::terminal::printer;
use crate::diag::shell_word;
use crate::history::{History, Settings};
use crate::output::{history_json, html, markdown, terminal};
use crate::plan::units::{Percent, Quantity as _};
use crate::report::document::Document;
use crate::results::run_dir::DEFAULT_PARENT;

/// Find what got slower or faster over many runs
///
/// Reads the summaries of all runs in a folder as series: machine, path, test, metric, ratios to the plain path
/// first. The last one to five runs are judged together against the runs before them. Older changes are
/// located in the last 60 runs. All series are judged at once, with a correction for their number.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
#[command(after_help = "Examples:
  netplan history                         the runs of netplan-results/
  netplan history /results --format markdown
  netplan history /results --confirmed-only --minimum 5%
  netplan history accept 7f3a9c --because 'kernel 6.18 without offloads'

Exit codes: 0 no slowdown; 1 it cannot be read; 2 there are no runs;
4 something got slower, is not accepted and has not recovered.")]
pub(in crate::cli) struct HistoryArgs {
    #[command(subcommand)]
    command: Option<HistoryCommand>,

    /// The folder that holds the directories of the runs [default: netplan-results]
    #[arg(value_hint = clap::ValueHint::DirPath)]
    dir: Option<PathBuf>,

    /// How to print the history
    #[arg(long, value_enum, default_value_t)]
    format: HistoryFormat,

    /// Only slowdowns with at least five runs after them set exit code 4
    #[arg(long)]
    confirmed_only: bool,

    /// Smallest change that is reported, e.g. `2%` [default: 3%, of a latency 5%]
    #[arg(long, value_name = "PERCENT", value_parser = parse_percent)]
    minimum: Option<Percent>,

    #[command(flatten)]
    accepted: AcceptedArgs,
}

#[derive(Debug, Subcommand)]
enum HistoryCommand {
    Accept(AcceptArgs),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum HistoryFormat {
    /// Findings and series for people
    #[default]
    Table,
    /// The same as GitHub-flavoured Markdown
    Markdown,
    /// The same as one HTML file that needs nothing else
    Html,
    /// Everything, as one JSON document; its schema is docs/history.schema.json
    Json,
}

pub(in crate::cli) fn execute(args: &HistoryArgs) -> Result<Exit, CliError> {
    if let Some(HistoryCommand::Accept(args)) = &args.command {
        return accept::execute(args);
    }
    let dir = args.dir.as_deref().unwrap_or(Path::new(DEFAULT_PARENT));
    let accepted = args.accepted.read()?;
    let runs = summaries::read(dir, "name another one: `netplan history DIR`")?;
    let settings = Settings {
        minimum: args.minimum.map(|minimum| minimum.0 / 100.0),
        ..Settings::default()
    };
    let history = History::new(runs, &accepted, settings);
    let document = || Document::from_history(&history, &accept_options(dir, &args.accepted));
    match args.format {
        HistoryFormat::Table => {
            let (width, colour) = (printer::width(), printer::colour_stdout());
            printer::results(&terminal::render(&document(), width, colour))?;
        }
        HistoryFormat::Markdown => {
            let text = markdown::render(&document());
            printer::document(|stdout| stdout.write_all(text.as_bytes()))?;
        }
        HistoryFormat::Html => {
            let page = html::render(&document()).map_err(anyhow::Error::from)?;
            printer::document(|stdout| stdout.write_all(page.as_bytes()))?;
        }
        HistoryFormat::Json => {
            printer::document(|stdout| history_json::write(&history, stdout))?;
        }
    }
    Ok(if history.is_slower(args.confirmed_only) {
        Exit::FellShort
    } else {
        Exit::Well
    })
}

/// The options that `netplan history accept` needs for these runs, each after a space.
fn accept_options(dir: &Path, accepted: &AcceptedArgs) -> String {
    let dir = (dir != Path::new(DEFAULT_PARENT)).then_some(("--in", dir));
    let file = (!accepted.is_default()).then_some(("--accepted", accepted.accepted.as_path()));
    let given = [dir, file].into_iter().flatten();
    let options: Vec<String> = given
        .map(|(option, path)| format!(" {option} {}", shell_word(&path.to_string_lossy())))
        .collect();
    options.concat()
}

fn parse_percent(text: &str) -> Result<Percent, String> {
    let percent = Percent::parse(text).map_err(|error| error.to_string())?;
    if (0.0..100.0).contains(&percent.0) {
        Ok(percent)
    } else {
        Err("allowed: 0% to below 100%".to_owned())
    }
}

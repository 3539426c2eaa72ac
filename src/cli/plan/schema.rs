//! `netplan schema`: the JSON Schema of plans.

use clap::Args;

use crate::cli::error::{CliError, Exit};
use crate::cli::terminal::printer;

/// Print the JSON Schema of plans, for completion and checks in editors
#[derive(Debug, Args)]
#[command(after_help = "Example:
  netplan schema > plan.schema.json
  then start a plan with: # yaml-language-server: $schema=plan.schema.json")]
pub(in crate::cli) struct SchemaArgs {}

pub(in crate::cli) fn execute(_: &SchemaArgs) -> Result<Exit, CliError> {
    let text = serde_json::to_string_pretty(&crate::plan::schema()).map_err(anyhow::Error::from)?;
    printer::results(&(text + "\n"))?;
    Ok(Exit::Well)
}

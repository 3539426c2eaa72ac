//! `netplan init`: a plan to start from.

use std::io::Write;
use std::path::PathBuf;

use anyhow::anyhow;
use clap::Args;

use crate::cli::error::{CliError, Exit};
use crate::cli::terminal::printer;
use crate::files;
use crate::plan;

/// Write a commented plan to start from
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  netplan init               writes plan.yaml
  netplan init my-plan.yaml
  netplan init -             prints it")]
pub(in crate::cli) struct InitArgs {
    /// The file to write; `-` is standard output. An existing file is not changed
    #[arg(default_value = "plan.yaml")]
    file: PathBuf,
}

pub(in crate::cli) fn execute(args: &InitArgs) -> Result<Exit, CliError> {
    let file = args.file.display();
    let text = plan::init_text().map_err(anyhow::Error::from)?;
    if args.file.as_os_str() == "-" {
        printer::results(&text)?;
        return Ok(Exit::Well);
    }
    files::create_new(&args.file, 0o666)
        .and_then(|mut new| new.write_all(text.as_bytes()))
        .map_err(|error| {
            if error.kind() == std::io::ErrorKind::AlreadyExists {
                CliError::Usage(format!(
                    "`{file}` is there already and was not touched; name another file"
                ))
            } else {
                CliError::Failed(anyhow!("cannot write `{file}`: {error}"))
            }
        })?;
    printer::note(&format!("wrote `{file}`; try it: netplan run {file}"));
    Ok(Exit::Well)
}

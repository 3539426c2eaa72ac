//! `netplan completions`: for shells.

use clap::Args;
use clap_complete::Shell;

use super::error::{CliError, Exit};
use super::invocation::Invocation;
use super::printer;

/// Print the completions of a shell
#[derive(Debug, Args)]
#[command(after_help = "Example:
  netplan completions bash > /etc/bash_completion.d/netplan")]
pub(super) struct CompletionsArgs {
    shell: Shell,
}

pub(super) fn execute(args: &CompletionsArgs) -> Result<Exit, CliError> {
    let mut script = Vec::new();
    let invocation = Invocation::current();
    let mut command = invocation.command();
    clap_complete::generate(
        args.shell,
        &mut command,
        invocation.file_name(),
        &mut script,
    );
    printer::results(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Well)
}

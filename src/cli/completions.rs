//! `netplan completions`: for shells.

use clap::{Args, ValueEnum};
use clap_complete::env::Shells;

use super::error::{CliError, Exit};
use super::{complete, printer};

/// Print the completions of a shell
///
/// The script asks netplan itself what there is: plans, runs, contexts of the kubeconfig, keys of the plan
/// language.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  netplan completions bash > /etc/bash_completion.d/netplan
  netplan completions zsh > /usr/local/share/zsh/site-functions/_netplan
  netplan completions fish > ~/.config/fish/completions/netplan.fish")]
pub(super) struct CompletionsArgs {
    shell: Shell,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Shell {
    Bash,
    Elvish,
    Fish,
    #[value(name = "powershell")]
    PowerShell,
    Zsh,
}

impl Shell {
    fn name(self) -> &'static str {
        match self {
            Self::Bash => "bash",
            Self::Elvish => "elvish",
            Self::Fish => "fish",
            Self::PowerShell => "powershell",
            Self::Zsh => "zsh",
        }
    }
}

/// In a folder of `fpath` the whole script is the function that completes, and the first call of it
/// only defines the functions.
const ZSH_AUTOLOADED: &[u8] = b"
if [[ $funcstack[1] == _netplan ]]; then
    _clap_dynamic_completer_netplan \"$@\"
fi
";

pub(super) fn execute(args: &CompletionsArgs) -> Result<Exit, CliError> {
    let name = args.shell.name();
    let shells = Shells::builtins();
    let shell = shells
        .completer(name)
        .ok_or_else(|| anyhow::anyhow!("there are no completions for {name}"))?;
    let mut script = Vec::new();
    let program = "netplan";
    shell
        .write_registration(complete::VARIABLE, program, program, program, &mut script)
        .map_err(anyhow::Error::from)?;
    if let Shell::Zsh = args.shell {
        script.extend_from_slice(ZSH_AUTOLOADED);
    }
    printer::results(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Well)
}

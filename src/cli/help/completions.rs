//! `netplan completions`: for shells.

use std::io;

use clap::{Args, ValueEnum};
use clap_complete::env::{Bash, Elvish, EnvCompleter, Fish, Powershell, Zsh};

use super::complete::VARIABLE;
use super::invocation::Invocation;
use crate::cli::error::{CliError, Exit};
use crate::cli::terminal::printer;

/// Print the completions of a shell
///
/// The script asks netplan itself for plans, runs, contexts of the kubeconfig and keys of the plan language.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  netplan completions bash > /etc/bash_completion.d/netplan
  netplan completions zsh > /usr/local/share/zsh/site-functions/_netplan
  netplan completions fish > ~/.config/fish/completions/netplan.fish
  netplan completions kubectl > /usr/local/bin/kubectl_complete-netplan")]
pub(in crate::cli) struct CompletionsArgs {
    shell: Shell,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Shell {
    Bash,
    Elvish,
    Fish,
    Powershell,
    Zsh,
    /// The program that kubectl asks for completions of `kubectl netplan`; it must be executable
    Kubectl,
}

pub(in crate::cli) fn execute(args: &CompletionsArgs) -> Result<Exit, CliError> {
    let program = Invocation::current().file_name();
    let script = args.shell.script(program).map_err(anyhow::Error::from)?;
    printer::results(&script)?;
    Ok(Exit::Well)
}

impl Shell {
    /// What registers the completions of the program of this name.
    fn script(self, program: &str) -> io::Result<String> {
        let shell: &dyn EnvCompleter = match self {
            Self::Bash => &Bash,
            Self::Elvish => &Elvish,
            Self::Fish => &Fish,
            Self::Powershell => &Powershell,
            Self::Zsh => &Zsh,
            Self::Kubectl => return Ok(for_kubectl(program)),
        };
        let mut script = Vec::new();
        shell.write_registration(VARIABLE, program, program, program, &mut script)?;
        let mut script = String::from_utf8_lossy(&script).into_owned();
        if self == Self::Zsh {
            script.push_str(&when_autoloaded(program));
        }
        Ok(script)
    }
}

/// In a folder of `fpath` the whole script is the function that completes, and the first call of it
/// only defines the functions.
fn when_autoloaded(program: &str) -> String {
    let function = program.replace('-', "_");
    format!(
        "
if [[ $funcstack[1] == _{program} ]]; then
    _clap_dynamic_completer_{function} \"$@\"
fi
"
    )
}

/// kubectl reads a candidate a line, with its text behind a tab as fish does, and at the end a colon and
/// what to do: 4 completes no names of files.
fn for_kubectl(program: &str) -> String {
    format!(
        "#!/bin/sh
# Completes `kubectl netplan`. Install it as `kubectl_complete-netplan`, executable, in a folder of PATH.
{VARIABLE}=fish {program} -- {program} \"$@\"
echo :4
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_of_another_name_has_functions_of_its_own() {
        for shell in Shell::value_variants() {
            let script = shell.script("kubectl-netplan").unwrap();
            assert!(script.contains("kubectl-netplan"), "{shell:?}: {script}");
            assert!(script.contains(VARIABLE), "{shell:?}: {script}");
        }
        let zsh = Shell::Zsh.script("kubectl-netplan").unwrap();
        let function = "_clap_dynamic_completer_kubectl_netplan";
        assert_eq!(zsh.matches(function).count(), 3, "{zsh}");
        assert!(zsh.contains("== _kubectl-netplan ]]"), "{zsh}");
    }
}

//! The name that the program was started under: `netplan`, or `kubectl-netplan` as a plugin of kubectl.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::path::Path;

use clap::builder::StyledStr;

/// The file name that kubectl looks for when a person types `kubectl netplan`.
const PLUGIN: &str = "kubectl-netplan";
/// Files that do not clash with those of `netplan`, this one or that of the package netplan.io.
const EXAMPLES_OF_PLUGIN: &str = "Examples:
  kubectl netplan completions kubectl > /usr/local/bin/kubectl_complete-netplan
  kubectl netplan completions bash > /etc/bash_completion.d/kubectl-netplan
  kubectl netplan completions zsh > /usr/local/share/zsh/site-functions/_kubectl-netplan
  kubectl netplan completions fish > ~/.config/fish/completions/kubectl-netplan.fish";

/// How the program was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Invocation {
    Program,
    /// By kubectl, or directly under the plugin's file name.
    Plugin,
}

impl Invocation {
    /// The invocation of this process.
    pub fn current() -> Self {
        Self::from_name(std::env::args_os().next().as_deref())
    }

    fn from_name(name: Option<&OsStr>) -> Self {
        match name.map(Path::new).and_then(Path::file_name) {
            Some(name) if name == PLUGIN => Self::Plugin,
            _ => Self::Program,
        }
    }

    /// The name of the file that is started; manual pages and completions are named after it.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Program => "netplan",
            Self::Plugin => PLUGIN,
        }
    }

    /// Names commands in a text as a person has to type them: a plugin is `kubectl netplan run`.
    pub fn localize(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::Program => Cow::Borrowed(text),
            Self::Plugin => Cow::Owned(with_kubectl(text)),
        }
    }

    /// Localizes all lines but those that quote a source, which are marked with a bar.
    pub fn localize_problems(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::Program => Cow::Borrowed(text),
            Self::Plugin => Cow::Owned(
                text.split_inclusive('\n')
                    .map(|line| {
                        if line.contains('|') {
                            Cow::Borrowed(line)
                        } else {
                            self.localize(line)
                        }
                    })
                    .collect(),
            ),
        }
    }

    /// The command line's description, with names and examples of this invocation.
    pub fn command(self) -> clap::Command {
        let command = crate::cli::command();
        match self {
            Self::Program => command,
            Self::Plugin => localize_command(command)
                .mut_subcommand("completions", |completions| {
                    completions.after_help(EXAMPLES_OF_PLUGIN)
                })
                .bin_name("kubectl netplan")
                .display_name(PLUGIN),
        }
    }
}

/// Puts `kubectl` before each `netplan SUBCOMMAND`, unless `netplan` ends a path or a longer name.
fn with_kubectl(text: &str) -> String {
    const NAME: &str = "netplan ";
    let description = crate::cli::command();
    let mut localized = String::with_capacity(text.len());
    let mut copied = 0;
    for (start, _) in text.match_indices(NAME) {
        let before = text[..start].chars().next_back();
        let alone = !before.is_some_and(|c| c.is_alphanumeric() || "/.-_".contains(c));
        let after = &text[start + NAME.len()..];
        let word = after
            .split(|c: char| !c.is_ascii_alphanumeric())
            .next()
            .unwrap_or_default();
        // `kubectl netplan` is there already where a text was localized before.
        if alone
            && !text[..start].ends_with("kubectl ")
            && description.find_subcommand(word).is_some()
        {
            localized.push_str(&text[copied..start]);
            localized.push_str("kubectl ");
            copied = start;
        }
    }
    localized.push_str(&text[copied..]);
    localized
}

fn localize_command(mut command: clap::Command) -> clap::Command {
    let localized = |text: &StyledStr| with_kubectl(&text.ansi().to_string());
    if let Some(text) = command.get_about().map(localized) {
        command = command.about(text);
    }
    if let Some(text) = command.get_long_about().map(localized) {
        command = command.long_about(text);
    }
    if let Some(text) = command.get_after_help().map(localized) {
        command = command.after_help(text);
    }
    command
        .mut_args(|mut argument| {
            if let Some(text) = argument.get_help().map(localized) {
                argument = argument.help(text);
            }
            if let Some(text) = argument.get_long_help().map(localized) {
                argument = argument.long_help(text);
            }
            argument
        })
        .mut_subcommands(localize_command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plugin_is_known_by_its_file_name() {
        let invocation = |name: &str| Invocation::from_name(Some(OsStr::new(name)));
        assert_eq!(
            invocation("/usr/local/bin/kubectl-netplan"),
            Invocation::Plugin
        );
        assert_eq!(invocation("kubectl-netplan"), Invocation::Plugin);
        assert_eq!(
            invocation("/opt/kubectl-netplan/netplan"),
            Invocation::Program
        );
        assert_eq!(invocation("netplan"), Invocation::Program);
        assert_eq!(Invocation::from_name(None), Invocation::Program);
    }

    #[test]
    fn commands_get_the_name_that_a_person_has_to_type() {
        let plugin = |text| Invocation::Plugin.localize(text).into_owned();
        assert_eq!(plugin("netplan run a.yaml"), "kubectl netplan run a.yaml");
        assert_eq!(
            plugin("`netplan clean x` removes it, `netplan attach x` collects it"),
            "`kubectl netplan clean x` removes it, `kubectl netplan attach x` collects it"
        );
        assert_eq!(
            plugin("cat a | netplan check -"),
            "cat a | kubectl netplan check -"
        );
        assert_eq!(plugin("\n  netplan man\n"), "\n  kubectl netplan man\n");
        for unchanged in [
            "netplan reads a plan",
            "target/release/netplan run",
            "kubectl-netplan run",
            "kubectl netplan run",
            "netplan checks",
            "namespace netplan",
            "netplan ",
        ] {
            assert_eq!(plugin(unchanged), unchanged);
        }
        assert_eq!(Invocation::Program.localize("netplan run"), "netplan run");
    }

    #[test]
    fn lines_that_quote_a_plan_keep_their_columns() {
        let text =
            "error: wrong\n3 | name: netplan run\n  = help: `netplan init FILE` writes one\n";
        let localized = "error: wrong\n3 | name: netplan run\n  = help: `kubectl netplan init FILE` writes one\n";
        assert_eq!(Invocation::Plugin.localize_problems(text), localized);
    }

    #[test]
    fn the_plugin_describes_the_same_commands() {
        let mut plugin = Invocation::Plugin.command();
        plugin.clone().debug_assert();
        plugin.build();
        for command in plugin.get_subcommands() {
            let name = command.get_name();
            assert_eq!(
                command.get_bin_name(),
                Some(&*format!("kubectl netplan {name}"))
            );
        }
    }
}

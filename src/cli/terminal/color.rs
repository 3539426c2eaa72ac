//! Whether and how output is colored.

use std::ffi::OsString;

use anstyle::{AnsiColor, Style};
use clap::builder::Styles;
use clap::{Args, ColorChoice, ValueEnum};

const HEADER: Style = AnsiColor::Green.on_default().bold();
const LITERAL: Style = AnsiColor::Cyan.on_default().bold();

/// The colors of help texts.
pub(in crate::cli) const STYLES: Styles = Styles::styled()
    .header(HEADER)
    .usage(HEADER)
    .literal(LITERAL)
    .placeholder(AnsiColor::Cyan.on_default());

#[derive(Debug, Args)]
pub(in crate::cli) struct ColorArgs {
    /// When to use colors: auto, always or never
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value_t,
        hide_possible_values = true
    )]
    #[arg(value_parser = clap::builder::EnumValueParser::<ColorChoice>::new())]
    color: ColorChoice,
}

/// The choice that a command line makes, before it is parsed: help texts and mistakes are colored,
/// too.
pub(in crate::cli) fn named_in(arguments: impl IntoIterator<Item = OsString>) -> ColorChoice {
    let mut arguments = arguments.into_iter();
    let mut choice = ColorChoice::Auto;
    while let Some(argument) = arguments.next() {
        if argument == "--" {
            break;
        }
        let argument = argument.to_string_lossy();
        let value = match argument.strip_prefix("--color") {
            Some("") => arguments
                .next()
                .map(|value| value.to_string_lossy().into_owned()),
            Some(rest) => rest.strip_prefix('=').map(str::to_owned),
            None => None,
        };
        let named = value.and_then(|value| ColorChoice::from_str(&value, false).ok());
        choice = named.unwrap_or(choice);
    }
    choice
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_choice_is_known_before_the_command_line_is_parsed() {
        let named = |line: &str| named_in(line.split(' ').map(OsString::from));
        assert_eq!(named("netplan check x"), ColorChoice::Auto);
        assert_eq!(named("netplan --color always rnu"), ColorChoice::Always);
        assert_eq!(named("netplan rnu --color=never"), ColorChoice::Never);
        assert_eq!(
            named("netplan --color=always --color=never"),
            ColorChoice::Never
        );
        assert_eq!(named("netplan check -- --color=always"), ColorChoice::Auto);
        assert_eq!(named("netplan --colors=always --color"), ColorChoice::Auto);
    }
}

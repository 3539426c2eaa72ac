//! `netplan explain`: what a key of the plan language means.

use clap::Args;

use crate::cli::error::{CliError, Exit};
use crate::cli::help::complete;
use crate::cli::terminal::printer;
use crate::diag::Problem;
use crate::plan::{Explanation, explain};

/// Explain a key of the plan language: its meaning, type, default, range, and the keys in it
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  netplan explain
  netplan explain workers.same_node_as
  netplan explain tests.iperf3.mss
  netplan explain kubernetes --recursive")]
pub(in crate::cli) struct ExplainArgs {
    /// The key, with dots from the top of a plan [default: the top]
    #[arg(default_value = "", hide_default_value = true, add = complete::keys())]
    path: String,

    /// Also all keys below it
    #[arg(long)]
    recursive: bool,
}

/// Texts are broken here, as in the other help texts, and earlier on a narrower terminal.
const WIDTH: usize = 100;

pub(in crate::cli) fn execute(args: &ExplainArgs) -> Result<Exit, CliError> {
    let found = explain(&args.path).map_err(CliError::usage)?;
    let mut text = head(&found);
    if args.recursive {
        text.push_str("\nKEYS\n");
        tree(&found, 1, &mut text).map_err(CliError::usage)?;
    } else {
        listed(
            "WORDS",
            found
                .words
                .iter()
                .map(|(word, means)| (word.as_str(), means.clone())),
            &mut text,
        );
        let keys = found.keys.iter().map(|key| (key.name.as_str(), brief(key)));
        listed("KEYS", keys, &mut text);
    }
    printer::results(&text)?;
    Ok(Exit::Well)
}

/// What is said of the key itself.
fn head(of: &Explanation) -> String {
    let mut text = String::new();
    let path = if of.path.is_empty() {
        "(a plan)"
    } else {
        &of.path
    };
    text.extend(["KEY      ", path, "\nTYPE     ", &of.kind, "\n"]);
    if let Some(default) = &of.default {
        text.extend(["DEFAULT  ", default, "\n"]);
    }
    if of.required {
        text.push_str("         required\n");
    }
    for paragraph in &of.text {
        text.push('\n');
        wrapped(paragraph, 0, &mut text);
    }
    text
}

/// A key's kind and text, in one paragraph.
fn brief(key: &Explanation) -> String {
    let required = if key.required {
        ", has to be there"
    } else {
        ""
    };
    let default = key
        .default
        .as_ref()
        .map(|default| format!(" Default: {default}."));
    let text = key.text.first().map_or("", String::as_str);
    format!(
        "<{}{required}> {text}{}",
        key.kind,
        default.unwrap_or_default()
    )
}

fn listed<'a>(title: &str, items: impl Iterator<Item = (&'a str, String)>, text: &mut String) {
    for (nth, (word, means)) in items.enumerate() {
        if nth == 0 {
            text.extend(["\n", title, "\n"]);
        }
        text.extend(["  ", word, "\n"]);
        if !means.is_empty() {
            wrapped(&means, 6, text);
        }
    }
}

fn tree(of: &Explanation, depth: usize, text: &mut String) -> Result<(), Problem> {
    for key in &of.keys {
        let margin = "  ".repeat(depth);
        text.extend([&*margin, &key.name, " <", &key.kind, ">\n"]);
        tree(&explain(&key.path)?, depth + 1, text)?;
    }
    Ok(())
}

/// A paragraph, broken between words.
fn wrapped(paragraph: &str, indent: usize, text: &mut String) {
    let widest = printer::width_or(WIDTH).min(WIDTH);
    let margin = " ".repeat(indent);
    let mut column = 0;
    for word in paragraph.split_whitespace() {
        let width = word.chars().count();
        if column > 0 && column + 1 + width > widest {
            text.push('\n');
            column = 0;
        }
        if column == 0 {
            text.push_str(&margin);
            column = indent;
        } else {
            text.push(' ');
            column += 1;
        }
        text.push_str(word);
        column += width;
    }
    text.push('\n');
}

//! A manual page in roff, from a command's help text. Pure.

use std::io;

use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::after_help::AfterHelp;
use super::reference::{ENVIRONMENT, EXIT_CODES, FILES, Item};

/// The page's name: `netplan-run`.
pub(super) fn name(command: &Command) -> &str {
    let name = command.get_display_name();
    name.unwrap_or_else(|| command.get_name())
}

/// The page of a command that is built. `program` is the name of the page that has all commands.
///
/// # Errors
/// Never: it writes into memory.
pub(super) fn render(command: &Command, program: &str, date: &str) -> io::Result<String> {
    let is_program = name(command) == program;
    let man = Man::new(command.clone())
        .title(name(command).to_uppercase())
        .date(date)
        .source(format!("netplan {}", env!("CARGO_PKG_VERSION")))
        .manual("User Commands");
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if command
        .get_subcommands()
        .any(|command| !command.is_hide_set())
    {
        man.render_subcommands_section(&mut page)?;
    }
    let after_help = command.get_after_help().map(ToString::to_string);
    let after_help = AfterHelp::read(&after_help.unwrap_or_default());
    let mut rest = Roff::new();
    exit_status(&after_help, &mut rest);
    let concerned = (!is_program).then(|| command.get_name());
    items("ENVIRONMENT", ENVIRONMENT, concerned, &mut rest);
    items("FILES", FILES, concerned, &mut rest);
    if !after_help.notes.is_empty() {
        rest.control("SH", ["NOTES"]);
        paragraphs(after_help.notes.iter().map(String::as_str), &mut rest);
    }
    if !after_help.examples.is_empty() {
        rest.control("SH", ["EXAMPLES"]).control("EX", []);
        for line in &after_help.examples {
            rest.text([roman(line)]);
        }
        rest.control("EE", []);
    }
    if !is_program {
        rest.control("SH", ["SEE ALSO"]);
        rest.text([bold(program), roman("(1)")]);
    }
    rest.to_writer(&mut page)?;
    Ok(without_idle_breaks(&String::from_utf8_lossy(&page)))
}

/// Leaves out the line breaks beside empty lines, which do nothing and which linters report.
fn without_idle_breaks(page: &str) -> String {
    let lines: Vec<&str> = page.lines().collect();
    let is_space = |at: usize| lines.get(at) == Some(&"");
    let kept = lines.iter().enumerate().filter(|(at, line)| {
        let beside_space = at.checked_sub(1).is_some_and(is_space) || is_space(at + 1);
        **line != ".br" || !beside_space
    });
    kept.fold(String::new(), |page, (_, line)| page + line + "\n")
}

fn exit_status(after_help: &AfterHelp, page: &mut Roff) {
    page.control("SH", ["EXIT STATUS"]);
    let codes = after_help.exit_codes.iter();
    let mut codes: Vec<(&str, &str)> = codes.map(|(code, text)| (&**code, &**text)).collect();
    if codes.is_empty() && after_help.exit_note.is_none() {
        codes = EXIT_CODES.to_vec();
    }
    for (code, meaning) in &codes {
        tagged(code, meaning, page);
    }
    if let Some(note) = &after_help.exit_note {
        if !codes.is_empty() {
            page.control("PP", []);
        }
        page.text([roman(note)]);
    }
}

/// Those of a command, or all.
fn items(title: &str, items: &[Item], command: Option<&str>, page: &mut Roff) {
    let mut items = items
        .iter()
        .filter(|item| command.is_none_or(|command| item.concerns(command)))
        .peekable();
    if items.peek().is_some() {
        page.control("SH", [title]);
    }
    for item in items {
        tagged(item.name, item.text, page);
    }
}

fn tagged(tag: &str, text: &str, page: &mut Roff) {
    page.control("TP", []).text([bold(tag)]).text([roman(text)]);
}

fn paragraphs<'a>(paragraphs: impl Iterator<Item = &'a str>, page: &mut Roff) {
    for (nth, paragraph) in paragraphs.enumerate() {
        if nth > 0 {
            page.control("PP", []);
        }
        page.text([roman(paragraph)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;
    use clap::CommandFactory;

    /// The pages of all commands that are not hidden.
    fn pages() -> Vec<String> {
        let mut command = Cli::command().disable_help_subcommand(true);
        command.build();
        let below = command.get_subcommands().filter(|one| !one.is_hide_set());
        let all = std::iter::once(&command).chain(below);
        all.map(|command| render(command, "netplan", "2026-11-26").unwrap())
            .collect()
    }

    #[test]
    fn every_page_has_a_date_and_its_sections() {
        for page in pages() {
            let title = page.lines().find(|line| line.starts_with(".TH")).unwrap();
            assert!(
                title.contains("2026-11-26") && title.contains("User Commands"),
                "{title}"
            );
            for section in ["NAME", "SYNOPSIS", "OPTIONS", "EXIT STATUS", "ENVIRONMENT"] {
                let heading = [format!(".SH {section}"), format!(".SH \"{section}\"")];
                let is_there = page
                    .lines()
                    .any(|line| heading.iter().any(|one| one == line));
                assert!(is_there, "{title} has no {section}");
            }
        }
    }

    #[test]
    fn no_line_breaks_beside_an_empty_one() {
        for page in pages() {
            assert!(
                !page.contains("\n.br\n\n") && !page.contains("\n\n.br\n"),
                "{page}"
            );
        }
    }

    /// An example is a line of its own, between the requests that keep lines as they are.
    #[test]
    fn examples_keep_their_lines() {
        let page = pages()
            .into_iter()
            .find(|page| page.contains(".TH NETPLAN-RUN"));
        let page = page.unwrap();
        let (_, examples) = page.split_once("\n.EX\n").unwrap();
        let (examples, _) = examples.split_once("\n.EE\n").unwrap();
        assert!(examples.lines().count() > 5, "{examples}");
        for line in examples.lines() {
            assert!(line.starts_with("netplan run "), "{line}");
        }
    }
}

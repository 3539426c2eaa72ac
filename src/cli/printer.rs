//! Writing to the terminal. Results go to stdout, all else to stderr.

use std::io::{IsTerminal, Write};

use anstyle::{AnsiColor, Style};

use super::error::CliError;

/// The width that tables get when stdout is no terminal.
const WIDTH_OF_FILES: usize = 100;

const ERROR: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const NOTE: Style = AnsiColor::Cyan.on_default().bold();

/// Writes results. A reader that has gone away (`| head`) is no error.
///
/// # Errors
/// Any other failure to write, as a full disk behind a redirection.
pub(super) fn results(text: &str) -> anyhow::Result<()> {
    results_of(std::iter::once(text))
}

/// Writes results piece by piece, as [`results`] does.
pub(super) fn results_of(pieces: impl IntoIterator<Item = impl AsRef<str>>) -> anyhow::Result<()> {
    let mut stdout = std::io::BufWriter::new(std::io::stdout().lock());
    let written = pieces
        .into_iter()
        .try_for_each(|piece| stdout.write_all(piece.as_ref().as_bytes()))
        .and_then(|()| stdout.flush());
    match written {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(anyhow::anyhow!("cannot write to standard output: {error}"))
        }
        _ => Ok(()),
    }
}

/// The columns that a table may take.
pub(super) fn width() -> usize {
    if std::io::stdout().is_terminal() {
        let columns = terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
        columns.unwrap_or(80).max(40)
    } else {
        WIDTH_OF_FILES
    }
}

/// Whether stdout takes colours: it is a terminal, and neither `NO_COLOR` nor `TERM` speak against it.
pub(super) fn colour_stdout() -> bool {
    anstream::AutoStream::choice(&std::io::stdout()) != anstream::ColorChoice::Never
}

fn colour_stderr() -> bool {
    anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never
}

pub(super) fn error(error: &CliError) {
    match error {
        CliError::Plan(problems) => eprint(&problems.render(colour_stderr())),
        CliError::Usage(message) => labelled("error", ERROR, message),
        CliError::Failed(error) => labelled("error", ERROR, &chain(error)),
    }
}

/// An error and its causes; a cause that the error speaks of already is not said again.
pub(super) fn chain(error: &anyhow::Error) -> String {
    let mut said = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !said.contains(&cause) {
            said.extend([": ", &cause]);
        }
    }
    said
}

pub(super) fn warning(message: &str) {
    labelled("warning", WARNING, message);
}

/// Something that a person wants to know, and that is no result.
pub(super) fn note(message: &str) {
    labelled("netplan", NOTE, message);
}

/// A line of progress.
pub(super) fn plain(message: &str) {
    eprint(message);
}

fn labelled(label: &str, style: Style, message: &str) {
    eprint(&format!("{style}{label}{style:#}: {message}\n"));
}

fn eprint(text: &str) {
    let mut stderr = anstream::stderr().lock();
    let _ = stderr.write_all(text.as_bytes());
    if !text.ends_with('\n') {
        let _ = stderr.write_all(b"\n");
    }
}

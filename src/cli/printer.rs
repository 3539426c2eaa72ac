//! Writing to the terminal. Results go to stdout, all else to stderr.
//!
//! The only way to both: a test looks for others. Whatever is written here is safe to show, because it
//! passes through [`printable`], or because [`document`] was given a format that sees to it.

use std::io::{self, BufWriter, ErrorKind, IsTerminal, Write};

use anstyle::{AnsiColor, Style};

use super::error::CliError;
use super::invocation::Invocation;
use crate::diag::printable;

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
    let colour = colour_stdout();
    document(|stdout| {
        pieces.into_iter().try_for_each(|piece| {
            let piece = piece.as_ref();
            let safe = if colour {
                printable::styled(piece)
            } else {
                printable::lines(piece)
            };
            stdout.write_all(safe.as_bytes())
        })
    })
}

/// Writes a document as it is. Its format escapes in its own way what is not safe to show, or gives a
/// CI server the commands that it is to obey.
///
/// # Errors
/// As [`results`].
pub(super) fn document(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> anyhow::Result<()> {
    let mut stdout = BufWriter::new(io::stdout().lock());
    match write(&mut stdout).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            // What is left would be written again when it is dropped.
            let _ = stdout.into_parts();
            Err(anyhow::anyhow!("cannot write to standard output: {error}"))
        }
        _ => Ok(()),
    }
}

/// The columns that a table may take.
pub(super) fn width() -> usize {
    if io::stdout().is_terminal() {
        let columns = terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
        columns.unwrap_or(80).max(40)
    } else {
        WIDTH_OF_FILES
    }
}

/// Whether stdout takes colours: it is a terminal, and neither `NO_COLOR` nor `TERM` speak against it.
pub(super) fn colour_stdout() -> bool {
    anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never
}

fn colour_stderr() -> bool {
    anstream::AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never
}

pub(super) fn error(error: &CliError) {
    match error {
        CliError::Plan(problems) => {
            let text = problems.render(colour_stderr());
            let text = Invocation::current().localize_problems(&text);
            eprint(&printable::styled(&text));
        }
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
    eprint(&printable::lines(message));
}

/// What clap says of a command line: a help text for stdout, or an error for stderr. Its colours are
/// left out where the command line itself could bring some.
///
/// # Errors
/// As [`results`].
pub(super) fn usage(error: &clap::Error) -> anyhow::Result<()> {
    let is_safe = std::env::args_os().all(|arg| printable::is_safe(&arg.to_string_lossy()));
    let show = |colour: bool| {
        let text = error.render();
        if colour && is_safe {
            printable::styled(&text.ansi().to_string()).into_owned()
        } else {
            printable::lines(&text.to_string()).into_owned()
        }
    };
    if error.use_stderr() {
        eprint(&show(colour_stderr()));
        Ok(())
    } else {
        results(&show(colour_stdout()))
    }
}

fn labelled(label: &str, style: Style, message: &str) {
    let message = Invocation::current().localize(message);
    let message = printable::lines(&message);
    eprint(&format!("{style}{label}{style:#}: {message}\n"));
}

fn eprint(text: &str) {
    let mut stderr = anstream::stderr().lock();
    let _ = stderr.write_all(text.as_bytes());
    if !text.ends_with('\n') {
        let _ = stderr.write_all(b"\n");
    }
}

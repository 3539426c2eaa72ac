//! Writing to the terminal. Results go to stdout, all else to stderr.
//!
//! The only way to both: a test looks for others. Whatever is written here is safe to show, because it
//! passes through [`printable`], or because [`document`] was given a format that sees to it.

use std::io::{self, BufWriter, ErrorKind, IsTerminal, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anstyle::{AnsiColor, Style};

use crate::cli::error::CliError;
use crate::cli::help::invocation::Invocation;
use crate::diag::printable;

/// The width that tables get when stdout is not a terminal.
const WIDTH_OF_FILES: usize = 100;

/// The width of a terminal that does not say its own.
const USUAL_WIDTH: usize = 80;
/// The height of such a terminal.
const USUAL_HEIGHT: usize = 24;
/// Puts the cursor at the beginning of an empty line.
const ERASE_LINE: &str = "\r\x1b[K";
/// The same where other lines may follow, which vanish too.
const ERASE_BELOW: &str = "\r\x1b[J";
const LINE_UP: &str = "\x1b[A";

/// The line, or the lines, that stay below all other output.
static STATUS_LINE: Mutex<Option<String>> = Mutex::new(None);

const ERROR: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const NOTE: Style = AnsiColor::Cyan.on_default().bold();

/// Writes results. A reader that has closed its end (`| head`) is not an error.
///
/// # Errors
/// Any other failure to write, e.g. a full disk behind a redirection.
pub(in crate::cli) fn results(text: &str) -> anyhow::Result<()> {
    results_of(std::iter::once(text))
}

/// Writes results piece by piece, as [`results`] does.
pub(in crate::cli) fn results_of(
    pieces: impl IntoIterator<Item = impl AsRef<str>>,
) -> anyhow::Result<()> {
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
pub(in crate::cli) fn document(
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> anyhow::Result<()> {
    let _below = BelowOutput::new();
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
pub(in crate::cli) fn width() -> usize {
    width_or(WIDTH_OF_FILES)
}

/// The columns of the terminal that stdout is, or else `width_of_files`.
pub(in crate::cli) fn width_or(width_of_files: usize) -> usize {
    if io::stdout().is_terminal() {
        let columns = terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
        columns.unwrap_or(USUAL_WIDTH).max(40)
    } else {
        width_of_files
    }
}

/// The columns of the terminal that stderr is.
pub(in crate::cli) fn stderr_width() -> usize {
    let size = terminal_size::terminal_size_of(std::io::stderr());
    size.map_or(USUAL_WIDTH, |(width, _)| usize::from(width.0))
}

/// Whether a line can be drawn anew: stderr is a terminal that moves its cursor, and its text is not
/// kept as the log of a CI job.
pub(in crate::cli) fn has_status_line() -> bool {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let is_dumb = set("TERM").is_none_or(|term| term == "dumb");
    let is_ci = set("CI").is_some_and(|ci| ci != "false" && ci != "0");
    std::io::stderr().is_terminal() && !is_dumb && !is_ci
}

/// Whether lines can be drawn anew: as [`has_status_line`], and stdout is no file that should have them.
pub(in crate::cli) fn has_status_block() -> bool {
    has_status_line() && io::stdout().is_terminal()
}

/// Shows a line below all other output instead of the previous one, or removes it. It has to
/// fit into the terminal's width.
pub(in crate::cli) fn status_line(line: Option<String>) {
    show_status(line.map(|line| printable::line(&line).into_owned()));
}

/// Shows lines below all other output instead of the previous ones, as many and as much of each as the terminal has
/// room for.
pub(in crate::cli) fn status_block(lines: &[String]) {
    let size = terminal_size::terminal_size_of(std::io::stderr());
    let (columns, rows) = size.map_or((USUAL_WIDTH, USUAL_HEIGHT), |(columns, rows)| {
        (usize::from(columns.0), usize::from(rows.0))
    });
    let mut shown: Vec<String> = lines
        .iter()
        .take(rows.saturating_sub(1).max(1))
        .map(|line| {
            printable::line(line)
                .chars()
                .take(columns.saturating_sub(1))
                .collect()
        })
        .collect();
    let more = lines.len() - shown.len();
    if let (Some(last), true) = (shown.last_mut(), more > 0) {
        *last = format!("… and {} more", more + 1);
    }
    show_status(Some(shown.join("\n")));
}

fn show_status(text: Option<String>) {
    let mut status = locked_status_line();
    if *status == text {
        return;
    }
    let mut stderr = std::io::stderr().lock();
    let shown = text.as_deref().unwrap_or_default();
    let erase = erase(status.as_deref());
    let _ = write!(stderr, "{erase}{shown}").and_then(|()| stderr.flush());
    *status = text;
}

/// What takes a status away, with the cursor at its end.
fn erase(status: Option<&str>) -> String {
    match status.unwrap_or_default().matches('\n').count() {
        0 => ERASE_LINE.to_owned(),
        up => format!("{}{ERASE_BELOW}", LINE_UP.repeat(up)),
    }
}

fn locked_status_line() -> MutexGuard<'static, Option<String>> {
    STATUS_LINE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes the status line away, and draws it again when it is dropped.
struct BelowOutput(MutexGuard<'static, Option<String>>);

impl BelowOutput {
    fn new() -> Self {
        let status = locked_status_line();
        if status.is_some() {
            let _ = std::io::stderr().write_all(erase(status.as_deref()).as_bytes());
        }
        Self(status)
    }
}

impl Drop for BelowOutput {
    fn drop(&mut self) {
        if let Some(line) = self.0.as_deref() {
            let _ = std::io::stderr().write_all(line.as_bytes());
        }
    }
}

/// Makes the choice of `--color` that of all output.
pub(in crate::cli) fn choose_color(choice: clap::ColorChoice) {
    match choice {
        clap::ColorChoice::Auto => anstream::ColorChoice::Auto,
        clap::ColorChoice::Always => anstream::ColorChoice::Always,
        clap::ColorChoice::Never => anstream::ColorChoice::Never,
    }
    .write_global();
}

/// Whether stdout takes colours: `--color` says so, or it is a terminal, and neither `NO_COLOR` nor
/// `TERM` speak against it.
pub(in crate::cli) fn colour_stdout() -> bool {
    anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never
}

fn colour_stderr() -> bool {
    anstream::AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never
}

pub(in crate::cli) fn error(error: &CliError) {
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

/// An error and its causes; a cause that the error already mentions is not repeated.
pub(in crate::cli) fn chain(error: &anyhow::Error) -> String {
    let mut message = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !message.contains(&cause) {
            message.extend([": ", &cause]);
        }
    }
    message
}

pub(in crate::cli) fn warning(message: &str) {
    labelled("warning", WARNING, message);
}

/// Something that a person wants to know besides the results.
pub(in crate::cli) fn note(message: &str) {
    labelled("netplan", NOTE, message);
}

/// A line of progress.
pub(in crate::cli) fn plain(message: &str) {
    eprint(&printable::lines(message));
}

/// What clap says of a command line: a help text for stdout, or an error for stderr. Its colours are
/// left out where the command line itself could bring some.
///
/// # Errors
/// As [`results`].
pub(in crate::cli) fn usage(error: &clap::Error) -> anyhow::Result<()> {
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
    let _below = BelowOutput::new();
    let mut stderr = anstream::stderr().lock();
    let _ = stderr.write_all(text.as_bytes());
    if !text.ends_with('\n') {
        let _ = stderr.write_all(b"\n");
    }
}

//! A question to the person at the terminal, before something that may disturb others.

use std::io::{IsTerminal, Write};

use tokio::sync::oneshot;

use crate::cli::interrupt::Interrupt;
use crate::diag::printable;

/// After so many answers that are neither yes nor no, the answer is no.
const QUESTIONS: u32 = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Answer {
    Yes,
    No,
    /// Ctrl-C, or the terminal has gone.
    Interrupted,
}

/// Whether there is a person to ask.
pub(in crate::cli) fn can_ask() -> bool {
    std::io::stdin().is_terminal()
}

/// Asks a question. An empty line gives the `usual` answer, yes or no.
pub(in crate::cli) async fn ask(question: &str, usual: Answer) -> std::io::Result<Answer> {
    let mut interrupt = Interrupt::listen()?;
    let choice = if usual == Answer::Yes {
        "[Y/n]"
    } else {
        "[y/N]"
    };
    for _ in 0..QUESTIONS {
        prompt(&format!("{question} {choice} "));
        // A thread of its own: the runtime would wait for one of its blocking tasks, and this one may never end.
        let (sender, line) = oneshot::channel();
        let read = move || {
            let mut line = String::new();
            let read = std::io::stdin().read_line(&mut line);
            let _ = sender.send(read.map(|_| line));
        };
        std::thread::Builder::new().spawn(read)?;
        tokio::select! {
            line = line => {
                let line = line.unwrap_or_else(|_| Ok(String::new()))?;
                if let Some(answer) = answer(&line, usual) {
                    return Ok(answer);
                }
            }
            _ = interrupt.next() => {
                prompt("\n");
                return Ok(Answer::Interrupted);
            }
        }
    }
    Ok(Answer::No)
}

/// What a line says; `None` is neither yes nor no. A line without an end is the end of the input.
fn answer(line: &str, usual: Answer) -> Option<Answer> {
    if !line.ends_with('\n') {
        return Some(Answer::No);
    }
    match line.trim().to_lowercase().as_str() {
        "" => Some(usual),
        "y" | "yes" => Some(Answer::Yes),
        "n" | "no" => Some(Answer::No),
        _ => None,
    }
}

/// Where the person sees it, also when stderr goes to a file.
fn prompt(text: &str) {
    // A context of a kubeconfig is text of others.
    let text = printable::lines(text);
    let mut stderr = std::io::stderr();
    let terminal = std::fs::OpenOptions::new().write(true).open("/dev/tty");
    let _ = match terminal {
        Ok(mut terminal) if !stderr.is_terminal() => terminal.write_all(text.as_bytes()),
        _ => stderr.write_all(text.as_bytes()),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_line_is_yes_and_the_end_of_input_is_no() {
        for (line, expected) in [
            ("\n", Some(Answer::Yes)),
            ("Y\n", Some(Answer::Yes)),
            (" yes \r\n", Some(Answer::Yes)),
            ("n\n", Some(Answer::No)),
            ("NO\n", Some(Answer::No)),
            ("", Some(Answer::No)),
            ("y", Some(Answer::No)),
            ("prod\n", None),
        ] {
            assert_eq!(answer(line, Answer::Yes), expected, "{line:?}");
        }
        assert_eq!(answer("\n", Answer::No), Some(Answer::No));
    }
}

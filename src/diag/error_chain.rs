//! An error with its causes, as one sentence.

use std::error::Error;

/// An error's message followed by those of its causes, without repetitions: `what: cause: cause`.
pub fn error_chain(error: &dyn Error) -> String {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !message.contains(&text) {
            message = format!("{message}: {text}");
        }
        cause = error.source();
    }
    message
}

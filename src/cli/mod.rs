//! The command line.

use std::process::ExitCode;

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    if let Some(code) = crate::cluster::local::holder::dispatch() {
        return code;
    }
    ExitCode::SUCCESS
}

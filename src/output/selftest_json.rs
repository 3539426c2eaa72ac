//! The checks of the self-test as one JSON document, for programs.

use crate::report::selftest::{Check, counts};

/// The checks as a JSON document, with a newline at its end.
///
/// # Errors
/// Never: there are no maps with other keys than strings.
pub fn render(checks: &[Check]) -> serde_json::Result<String> {
    let [passed, failed, skipped] = counts(checks);
    let document = serde_json::json!({
        "version": 1,
        "passed": passed,
        "failed": failed,
        "skipped": skipped,
        "lines": checks,
    });
    Ok(crate::diag::json::to_string_pretty(&document)? + "\n")
}

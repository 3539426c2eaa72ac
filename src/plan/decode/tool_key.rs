//! Keys that were meant to name the tool of a test or a load.

use crate::diag::did_you_mean;

/// What people write who expect the tool's name as a value.
const TOOL: &str = "tool";

/// Whether a key was meant for one of these tools, so that what is said of the key tells why there is no tool.
pub(super) fn stands_for_tool(key: &str, tools: &[&str]) -> bool {
    key == TOOL || did_you_mean(key, tools.iter().copied()).is_some()
}

/// What to write instead of such a key.
pub(super) fn hint(key: &str) -> Option<String> {
    let hint = "the name of the tool is the key, and its options are the value: `iperf3: {}`";
    (key == TOOL).then(|| hint.to_owned())
}

//! The list of the built-in tools.

use super::{BuiltInTool, iperf3, netperf, probe};

/// The built-in tools. What runs each of them is in `tools/registry.rs`.
pub const BUILT_IN_TOOLS: [&BuiltInTool; 3] = [&iperf3::IPERF3, &netperf::NETPERF, &probe::PROBE];

/// Those that can be a load: their server says when traffic arrives.
pub const LOAD_TOOLS: [&BuiltInTool; 1] = [&iperf3::IPERF3];

/// The built-in tool of this name.
#[must_use]
pub fn built_in_tool(name: &str) -> Option<&'static BuiltInTool> {
    BUILT_IN_TOOLS.into_iter().find(|tool| tool.name == name)
}

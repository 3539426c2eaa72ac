//! The implementations of the tools. A new built-in tool is a line in [`from_spec`], beside its
//! description in the catalogue.

use super::declared::Declared;
use super::iperf3::Iperf3;
use super::netperf::Netperf;
use super::probe::Probe;
use super::tool::Tool;
use crate::catalog::{BUILT_IN_TOOLS, BuiltIn};
use crate::plan::{BuiltInUse, ToolSpec};

/// The tool of a test.
#[must_use]
pub fn from_spec(spec: &ToolSpec) -> Box<dyn Tool> {
    match spec {
        ToolSpec::Declared(used) => Box::new(Declared::from(used)),
        ToolSpec::BuiltIn(used) => match used.tool.id {
            BuiltIn::Iperf3 => Box::new(Iperf3::from(used)),
            BuiltIn::Netperf => Box::new(Netperf::from(used)),
            BuiltIn::Probe => Box::new(Probe::from(used)),
        },
    }
}

/// Every built-in tool in its default mode, with default options.
#[must_use]
pub fn built_in() -> Vec<Box<dyn Tool>> {
    let uses = BUILT_IN_TOOLS.map(|tool| BuiltInUse::with_defaults(tool, tool.default_mode()));
    uses.map(|used| from_spec(&ToolSpec::BuiltIn(used))).into()
}

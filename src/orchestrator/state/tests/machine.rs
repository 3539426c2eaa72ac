//! What a worker runs on: its node, and what that has.

use std::fmt;

/// What a worker runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Machine {
    pub node: usize,
    pub has_tool: bool,
    pub has_cluster_ip: bool,
}

impl Machine {
    pub fn on_node(node: usize) -> Self {
        Self {
            node,
            has_tool: true,
            has_cluster_ip: true,
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "on node {}", self.node)?;
        for (has, what) in [
            (self.has_tool, "the tool"),
            (self.has_cluster_ip, "a cluster IP"),
        ] {
            if !has {
                write!(f, ", without {what}")?;
            }
        }
        Ok(())
    }
}

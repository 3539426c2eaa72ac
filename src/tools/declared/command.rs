//! The command lines of declared tools.

use std::sync::Arc;

use crate::plan::expression::{ExpressionError, Variables, command_line};
use crate::plan::{Argument, DeclaredPort, DeclaredTool, DeclaredUse, PortProtocol};
use crate::schedule::Param;
use crate::tools::output::sample_time::seconds;
use crate::tools::tool::Job;

/// A tool of the plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Declared {
    pub(super) tool: Arc<DeclaredTool>,
    /// As journals name it.
    pub(super) headline: String,
}

impl From<&DeclaredUse> for Declared {
    fn from(used: &DeclaredUse) -> Self {
        Self {
            headline: used.tool.headline_metric(),
            tool: Arc::clone(&used.tool),
        }
    }
}

impl Declared {
    fn line(
        &self,
        arguments: &[Argument],
        job: &Job<'_>,
        target: Option<&str>,
        duration_s: u64,
        warmup_s: u64,
    ) -> Result<Vec<String>, ExpressionError> {
        let ports = self.tool.ports.iter();
        let variables = Variables {
            target,
            duration_s,
            warmup_s,
            slot: job.slot,
            ports: ports
                .map(|port| (port.name.as_str(), number(port, job.slot)))
                .collect(),
            params: job
                .params
                .0
                .iter()
                .map(|(param, value)| (param.name(), *value))
                .collect(),
        };
        command_line(arguments, &variables)
    }

    /// The TCP port whose connections carry the data, when the sample asks for an MSS: the kernel then
    /// says which MSS they had.
    pub(super) fn data_port(&self, job: &Job<'_>) -> Option<u16> {
        job.params.get(Param::Mss)?;
        let tcp = |port: &&DeclaredPort| port.protocol != PortProtocol::Udp;
        let ports: Vec<&DeclaredPort> = self.tool.ports.iter().filter(tcp).collect();
        let named = ports.iter().find(|port| port.name == "data");
        let ((Some(port), _) | (None, [port])) = (named, &ports[..]) else {
            return None;
        };
        Some(number(port, job.slot))
    }

    pub(super) fn server_line(&self, job: &Job<'_>) -> Result<Vec<String>, ExpressionError> {
        let Some(server) = &self.tool.server else {
            return Ok(Vec::new());
        };
        let (duration_s, warmup_s) = seconds(job.timing);
        self.line(&server.command, job, None, duration_s, warmup_s)
    }

    /// The lines of the warm-up, if it is an invocation of its own, and of the measuring.
    pub(super) fn client_lines(&self, job: &Job<'_>) -> Result<[Vec<String>; 2], ExpressionError> {
        let (duration_s, warmup_s) = seconds(job.timing);
        let line = |duration_s, warmup_s| {
            let arguments = &self.tool.client.command;
            self.line(arguments, job, Some(job.target), duration_s, warmup_s)
        };
        let warmup = if warmup_s > 0 && !self.tool.client.warms_up {
            line(warmup_s, 0)?
        } else {
            Vec::new()
        };
        Ok([warmup, line(duration_s, warmup_s)?])
    }
}

/// A port's number on the path of this slot.
pub(super) fn number(port: &DeclaredPort, slot: u16) -> u16 {
    let more = if port.per_path { slot } else { 0 };
    port.port.saturating_add(more)
}

//! A declared tool as a tool.

use std::sync::Arc;
use std::time::Duration;

use super::output;
use crate::plan::expression::{ExpressionError, Variables, command_line};
use crate::plan::{Argument, DeclaredPort, DeclaredTool, DeclaredUse, PortProtocol, Ready};
use crate::schedule::Param;
use crate::tools::timing::seconds;
use crate::tools::{
    self, Cause, Client, Ended, Failure, Job, Metrics, Port, Program, Server, Tool, Transport,
};

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
    fn data_port(&self, job: &Job<'_>) -> Option<u16> {
        job.params.get(Param::Mss)?;
        let tcp = |port: &&DeclaredPort| port.protocol != PortProtocol::Udp;
        let ports: Vec<&DeclaredPort> = self.tool.ports.iter().filter(tcp).collect();
        let named = ports.iter().find(|port| port.name == "data");
        let ((Some(port), _) | (None, [port])) = (named, &ports[..]) else {
            return None;
        };
        Some(number(port, job.slot))
    }

    fn server_line(&self, job: &Job<'_>) -> Result<Vec<String>, ExpressionError> {
        let Some(server) = &self.tool.server else {
            return Ok(Vec::new());
        };
        let (duration_s, warmup_s) = seconds(job.timing);
        self.line(&server.command, job, None, duration_s, warmup_s)
    }

    /// The lines of the warm-up, if it is an invocation of its own, and of the measuring.
    fn client_lines(&self, job: &Job<'_>) -> Result<[Vec<String>; 2], ExpressionError> {
        let (duration_s, warmup_s) = seconds(job.timing);
        let line = |duration_s, warmup_s| {
            let arguments = &self.tool.client.command;
            self.line(arguments, job, Some(job.target), duration_s, warmup_s)
        };
        let warmup = if warmup_s > 0 && !self.has_warmup() {
            line(warmup_s, 0)?
        } else {
            Vec::new()
        };
        Ok([warmup, line(duration_s, warmup_s)?])
    }
}

/// A port's number on the path of this slot.
fn number(port: &DeclaredPort, slot: u16) -> u16 {
    let more = if port.per_path { slot } else { 0 };
    port.port.saturating_add(more)
}

impl Tool for Declared {
    fn name(&self) -> &str {
        &self.tool.name
    }

    fn programs(&self) -> Vec<Program<'_>> {
        let server = self.tool.server.as_ref().map(|server| &server.command);
        let commands = server.into_iter().chain([&self.tool.client.command]);
        let mut programs: Vec<Program<'_>> = commands
            .filter_map(|command| match command.first()? {
                Argument::One(name) => Some(Program {
                    name,
                    package: self.tool.package.as_deref().unwrap_or_default(),
                }),
                Argument::Together(_) => None,
            })
            .collect();
        programs.dedup();
        programs
    }

    fn install(&self) -> Option<&str> {
        self.tool.install.as_deref()
    }

    fn origin(&self) -> Option<String> {
        let source = match (&self.tool.package, &self.tool.install) {
            (Some(package), _) => format!("the package `{package}` has it"),
            (None, Some(install)) => format!("the plan says how to install it: {install}"),
            (None, None) => "the plan declares it".to_owned(),
        };
        Some(format!(
            "{source}; on Kubernetes the workers' image needs it: `kubernetes: {{ image: … }}`"
        ))
    }

    fn ports(&self, slot: u16) -> Vec<Port> {
        let ports = self.tool.ports.iter();
        ports
            .flat_map(|port| {
                let transports: &[Transport] = match port.protocol {
                    PortProtocol::Tcp => &[Transport::Tcp],
                    PortProtocol::Udp => &[Transport::Udp],
                    PortProtocol::Both => &[Transport::Tcp, Transport::Udp],
                };
                let number = number(port, slot);
                transports.iter().map(move |transport| Port {
                    number,
                    transport: *transport,
                })
            })
            .collect()
    }

    fn check(&self, job: &Job<'_>) -> Result<(), Failure> {
        let server = self.server_line(job).map(|_| ());
        let lines = server.and_then(|()| self.client_lines(job).map(|_| ()));
        lines.map_err(|error| {
            let words = format!("{}'s command line cannot be made: {error}", self.tool.name);
            Failure::new(Cause::OptionRefused, &words)
        })
    }

    fn server(&self, job: &Job<'_>) -> Server {
        let Some(server) = &self.tool.server else {
            return Server {
                argv: Vec::new(),
                ready: tools::Ready::Nothing,
            };
        };
        Server {
            // The plan was tried with its values, so this is rare. A server whose line has no value
            // does not start, and says so.
            argv: self.server_line(job).unwrap_or_default(),
            ready: match &server.ready {
                Ready::Line(text) => tools::Ready::Line(text.clone()),
                Ready::Exited => tools::Ready::Exited,
                Ready::Port(name) => {
                    let port = self.tool.ports.iter().find(|port| port.name == *name);
                    port.map_or(tools::Ready::Nothing, |port| {
                        tools::Ready::Port(Port {
                            number: number(port, job.slot),
                            transport: match port.protocol {
                                PortProtocol::Udp => Transport::Udp,
                                PortProtocol::Tcp | PortProtocol::Both => Transport::Tcp,
                            },
                        })
                    })
                }
            },
        }
    }

    fn client(&self, job: &Job<'_>) -> Client {
        // Without the warm-up's line there is none to measure with either: see `read`.
        let [warmup_argv, argv] = self.client_lines(job).unwrap_or_default();
        Client {
            argv,
            warmup_argv,
            watch_tcp_port: self.data_port(job),
        }
    }

    fn overhead(&self) -> Duration {
        self.tool.overhead.0
    }

    fn has_warmup(&self) -> bool {
        self.tool.client.warms_up
    }

    fn read(&self, job: &Job<'_>, ended: &Ended) -> Result<Metrics, Failure> {
        self.check(job)?;
        output::read(self, ended)
    }

    fn headline(&self) -> &str {
        &self.headline
    }
}

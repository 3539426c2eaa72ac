//! A declared tool as a tool.

use std::time::Duration;

use super::command::{Declared, number};
use super::output;
use crate::catalog::{Program, Transport};
use crate::plan::{Argument, PortProtocol, Ready};
use crate::tools::failure::{Cause, Failure};
use crate::tools::installed::Use;
use crate::tools::metrics::Metrics;
use crate::tools::output::process_end::Ended;
use crate::tools::tool::{self, Client, Job, Port, Server, Tool};

impl Tool for Declared {
    fn name(&self) -> &str {
        &self.tool.name
    }

    fn programs(&self) -> Vec<Program<'_>> {
        let server = self.tool.server.as_ref().map(|server| &server.command);
        let commands = server.into_iter().chain([&self.tool.client.command]);
        let mut programs: Vec<Program<'_>> = commands
            .filter_map(|command| program_of(command))
            .map(|name| Program {
                name,
                package: self.tool.package.as_deref().unwrap_or_default(),
            })
            .collect();
        programs.dedup();
        programs
    }

    fn program_for(&self, used: Use<'_>) -> Option<&str> {
        match used {
            Use::Server => program_of(&self.tool.server.as_ref()?.command),
            Use::Client(_) => program_of(&self.tool.client.command),
        }
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
                ready: tool::Ready::Nothing,
            };
        };
        Server {
            // The plan was checked with its values, so this is rare. A server without a command line
            // does not start, and the failure says so.
            argv: self.server_line(job).unwrap_or_default(),
            ready: match &server.ready {
                Ready::Line(text) => tool::Ready::Line(text.clone()),
                Ready::Exited => tool::Ready::Exited,
                Ready::Port(name) => {
                    let port = self.tool.ports.iter().find(|port| port.name == *name);
                    port.map_or(tool::Ready::Nothing, |port| {
                        tool::Ready::Port(Port {
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
        output::read(self, self.origin().as_deref(), ended)
    }

    fn headline(&self) -> &str {
        &self.headline
    }
}

/// The program that a command starts.
fn program_of(command: &[Argument]) -> Option<&str> {
    match command.first()? {
        Argument::One(name) => Some(name),
        Argument::Together(_) => None,
    }
}

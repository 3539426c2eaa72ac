//! The decoder of `tools:`, and of the tests that use them.

use std::collections::BTreeSet;
use std::sync::Arc;

use indexmap::IndexMap;

use super::command::{Command, command};
use super::command_check::Names;
use super::extractor::figures;
use super::parameter::{identifier, parameters};
use crate::catalog::{WORKER_CONTROL_PORTS, built_in_tool};
use crate::diag::{Place, Problem, quote};
use crate::plan::decode::tree::decoder::{At, Decoder, value_or_default};
use crate::plan::decode::tree::fields::Fields;
use crate::plan::describe::key::NewName;
use crate::plan::describe::keys::{CLIENT, DECLARED_TOOL, PORT, READY, SERVER, is_test_key};
use crate::plan::model::container::WorkerPort;
use crate::plan::model::tools::declared::{
    DeclaredClient, DeclaredPort, DeclaredServer, DeclaredTool, Parameter, PortProtocol, Ready,
};
use crate::plan::text::tree::NodeId;

/// Declared tools by name; none for one that could not be read.
pub type Tools = IndexMap<String, Option<Arc<DeclaredTool>>>;

/// Reads `tools:`. `form` is that of the names; `slots` is how many paths lead to one destination at most.
pub fn tools(decoder: &Decoder<'_>, form: NewName, id: NodeId, slots: u16) -> Option<Tools> {
    let fields = decoder.fields(
        id,
        "a mapping with a name for each tool, e.g. `qperf: { client: …, metrics: … }`",
        true,
    )?;
    let mut tools = Tools::new();
    for entry in fields.entries() {
        let name = At {
            value: entry.key.as_str(),
            place: entry.key_place,
        };
        decoder.dns_label(name, form.longest);
        let is_built_in = built_in_tool(name.value).is_some();
        if is_built_in || is_test_key(name.value) {
            let what = if is_built_in {
                format!("{} is built in", quote(name.value))
            } else {
                format!("{} is a key of tests", quote(name.value))
            };
            let help = "give the tool another name, e.g. `my-tool`";
            decoder.report(Problem::new(name.place, what).help(help));
        }
        let tool = tool(decoder, entry.value, name.value, slots);
        tools.insert(entry.key.clone(), tool.map(Arc::new));
    }
    Some(tools)
}

fn tool(decoder: &Decoder<'_>, id: NodeId, name: &str, slots: u16) -> Option<DeclaredTool> {
    let fields = decoder.mapping(id, &DECLARED_TOOL)?;
    let description = fields.string("description");
    let install = fields.string("install");
    let package = fields.string("package");
    let has_ports = fields.key_place("ports").is_some();
    let ports = ports(decoder, &fields, slots);
    let parameters = fields
        .value("parameters")
        .and_then(|id| parameters(decoder, id));
    let any_parameter = parameters.is_none() && fields.key_place("parameters").is_some();
    let known = Names {
        // What could not be read may have any names.
        ports: match (&ports, has_ports) {
            (None, true) => None,
            (ports, _) => Some(ports.as_deref().unwrap_or_default()),
        },
        parameters: parameters.as_ref(),
        any_parameter,
    };
    let has_server = fields.key_place("server").is_some();
    let server = fields
        .value("server")
        .and_then(|id| server(decoder, id, &known));
    let client = fields
        .value("client")
        .and_then(|id| client(decoder, id, &known));
    let overhead = value_or_default(fields.duration("overhead"));
    let timeout = fields.duration("timeout").map(|at| at.value);
    let metrics = fields.value("metrics").and_then(|id| figures(decoder, id));
    let headline = headline(decoder, &fields, metrics.as_ref());
    if has_server && server.is_none() {
        return None;
    }
    let (client, server) = (client?, server);
    let warms_up = client.names.contains("warmup_s");
    let mut uses = client.names;
    if let Some((_, names)) = &server {
        uses.extend(names.iter().cloned());
    }
    unused(decoder, &fields, parameters.as_ref(), &uses);
    if any_parameter {
        // What tests set cannot be held against what is not known.
        return None;
    }
    Some(DeclaredTool {
        name: name.to_owned(),
        description,
        package,
        install,
        parameters: parameters.unwrap_or_default(),
        ports: ports.unwrap_or_default(),
        server: server.map(|(server, _)| server),
        client: DeclaredClient {
            command: client.arguments,
            warms_up,
        },
        overhead,
        timeout,
        metrics: metrics?,
        headline: headline?,
        uses,
    })
}

/// A sweep over a parameter that nothing uses would measure the same over and over.
fn unused(
    decoder: &Decoder<'_>,
    fields: &Fields<'_, '_>,
    parameters: Option<&IndexMap<String, Parameter>>,
    uses: &BTreeSet<String>,
) {
    let unused = parameters.into_iter().flat_map(IndexMap::keys);
    for name in unused.filter(|name| !uses.contains(*name)) {
        let what = format!("no argument uses the parameter {}", quote(name));
        let help = format!("use it as `{{{{ {name} }}}}` in a command, or remove it");
        let place = fields.key_place("parameters").unwrap_or(fields.place);
        decoder.report(Problem::new(place, what).help(help));
    }
}

fn ports(decoder: &Decoder<'_>, fields: &Fields<'_, '_>, slots: u16) -> Option<Vec<DeclaredPort>> {
    let items = fields.list("ports")?;
    let found: Vec<Option<(DeclaredPort, Place, Place)>> = items
        .iter()
        .map(|item| port(decoder, *item, slots))
        .collect();
    let mut seen: Vec<&(DeclaredPort, Place, Place)> = Vec::new();
    for new in found.iter().flatten() {
        let (port, name_place, number_place) = new;
        for (other, other_name, other_number) in &seen {
            if other.name == port.name {
                let what = format!("two ports are named {}", quote(&port.name));
                decoder.report(
                    Problem::new(*name_place, what)
                        .label("again here")
                        .related(*other_name, "first here")
                        .help("give each a name of its own"),
                );
            }
            if overlap(port, other, slots) {
                let (one, two) = (quote(&other.name), quote(&port.name));
                let what = format!("the ports {one} and {two} collide");
                let problem = Problem::new(*number_place, what)
                    .label("again here")
                    .related(*other_number, "first here");
                decoder.report(if port.per_path || other.per_path {
                    problem.help(format!(
                        "with `per_path` a port takes {slots} numbers, one for each path to a \
                         destination"
                    ))
                } else {
                    problem.help("one port for both protocols is `protocol: both`")
                });
            }
        }
        seen.push(new);
    }
    let ports = found.into_iter().map(|port| Some(port?.0));
    ports.collect()
}

fn overlap(one: &DeclaredPort, other: &DeclaredPort, slots: u16) -> bool {
    let last = |port: &DeclaredPort| {
        let more = if port.per_path { slots.max(1) - 1 } else { 0 };
        port.port.saturating_add(more)
    };
    let carry_alike = one.protocol == other.protocol
        || one.protocol == PortProtocol::Both
        || other.protocol == PortProtocol::Both;
    carry_alike && one.port <= last(other) && other.port <= last(one)
}

/// A port with this number alone.
fn single(port: u16, protocol: PortProtocol) -> DeclaredPort {
    DeclaredPort {
        name: String::new(),
        port,
        protocol,
        per_path: false,
    }
}

/// Reports a port on which each worker itself listens.
pub fn check_is_free(decoder: &Decoder<'_>, port: WorkerPort, place: Place) {
    check_range_is_free(decoder, &single(port.port, port.protocol), place, 1);
}

fn check_range_is_free(decoder: &Decoder<'_>, port: &DeclaredPort, place: Place, slots: u16) {
    let own = |number: &u16| overlap(port, &single(*number, PortProtocol::Tcp), slots);
    let mut numbers = WORKER_CONTROL_PORTS;
    if let Some(number) = numbers.find(own) {
        let what = format!("port {number}/tcp is netplan's own");
        decoder.report(Problem::new(place, what).help(format!(
            "workers answer the command line on ports {} to {}; use another port",
            WORKER_CONTROL_PORTS.start(),
            WORKER_CONTROL_PORTS.end()
        )));
    }
}

fn port(decoder: &Decoder<'_>, id: NodeId, slots: u16) -> Option<(DeclaredPort, Place, Place)> {
    let fields = decoder.mapping(id, &PORT)?;
    let name = fields
        .text("name")
        .and_then(|name| Some((identifier(decoder, name, "a port")?, name.place)));
    let per_path = fields.boolean("per_path");
    let most = if per_path { u16::MAX - slots } else { u16::MAX };
    let number = fields.number_up_to("port", u64::from(most));
    let number = number.and_then(|at| Some((u16::try_from(at.value).ok()?, at.place)));
    let protocol = value_or_default(fields.choice("protocol"));
    let ((name, name_place), (port, number_place)) = (name?, number?);
    let port = DeclaredPort {
        name: name.to_owned(),
        port,
        protocol,
        per_path,
    };
    check_range_is_free(decoder, &port, number_place, slots);
    Some((port, name_place, number_place))
}

fn client(decoder: &Decoder<'_>, id: NodeId, known: &Names<'_>) -> Option<Command> {
    let fields = decoder.mapping(id, &CLIENT)?;
    command(decoder, fields.value("command")?, known, true)
}

fn server(
    decoder: &Decoder<'_>,
    id: NodeId,
    known: &Names<'_>,
) -> Option<(DeclaredServer, BTreeSet<String>)> {
    let fields = decoder.mapping(id, &SERVER)?;
    let command = fields
        .value("command")
        .and_then(|id| command(decoder, id, known, false));
    let ready = fields
        .value("ready")
        .and_then(|id| ready(decoder, id, known));
    let command = command?;
    let server = DeclaredServer {
        command: command.arguments,
        ready: ready?,
    };
    Some((server, command.names))
}

fn ready(decoder: &Decoder<'_>, id: NodeId, known: &Names<'_>) -> Option<Ready> {
    const WAYS: &str = "`{ port: NAME }`, `{ line: TEXT }` or `exited`";
    if !decoder.is_mapping(id) {
        let At { value, place } = decoder.text(id)?;
        if value == "exited" {
            return Some(Ready::Exited);
        }
        let what = format!("{} does not say how the server is ready", quote(value));
        decoder.report(Problem::new(place, what).help(format!("write {WAYS}")));
        return None;
    }
    let fields = decoder.mapping(id, &READY)?;
    let port = fields.value("port").and_then(|id| match known.ports {
        Some(ports) => {
            let names: Vec<&str> = ports.iter().map(|port| port.name.as_str()).collect();
            decoder.reference(id, "port", &names)
        }
        None => decoder.text(id),
    });
    let line = fields.text("line").and_then(|line| {
        if line.value.is_empty() || line.value.contains(['\n', '\0']) {
            let problem = Problem::new(line.place, "this is not part of one line");
            decoder.report(problem.help("give a text within one line"));
            return None;
        }
        Some(line)
    });
    let given = ["port", "line"].map(|key| fields.key_place(key));
    match given {
        [Some(_), Some(second)] => {
            let problem = Problem::new(second, "a server is ready in one way, and these are two");
            decoder.report(problem.help("remove one of them"));
            None
        }
        [None, None] if fields.entries().is_empty() => {
            let problem = Problem::new(fields.place, "this does not say how the server is ready");
            decoder.report(problem.help(format!("write {WAYS}")));
            None
        }
        _ => port
            .map(|port| Ready::Port(port.value.to_owned()))
            .or_else(|| Some(Ready::Line(line?.value.to_owned()))),
    }
}

fn headline(
    decoder: &Decoder<'_>,
    fields: &Fields<'_, '_>,
    metrics: Option<&IndexMap<String, crate::plan::model::tools::declared::Figure>>,
) -> Option<String> {
    let given = fields.value("headline").and_then(|id| match metrics {
        Some(metrics) => {
            let names: Vec<&str> = metrics.keys().map(String::as_str).collect();
            decoder.reference(id, "metric", &names)
        }
        None => decoder.text(id),
    });
    let metrics = metrics?;
    let (name, place) = match (given, fields.key_place("headline")) {
        (Some(At { value, place }), _) => (value, place),
        (None, Some(_)) => return None,
        (None, None) => {
            let place = fields.key_place("metrics").unwrap_or(fields.place);
            (metrics.keys().next()?.as_str(), place)
        }
    };
    if metrics.get(name).is_some_and(|metric| metric.optional) {
        let what = format!("the headline {} is optional", quote(name));
        decoder.report(
            Problem::new(place, what)
                .help("each sample needs its headline: name another metric as `headline`"),
        );
        return None;
    }
    Some(name.to_owned())
}

//! The top of the document: what ran, where, on what.

use std::collections::BTreeMap;

use super::block::{Block, Level, Meaning, Span, TIE};
use crate::diag;
use crate::report::Report;
use crate::results::environment::OFFLOADS;
use crate::results::{IMPORTED, WorkerEnvironment};

/// What ran, what it is for, where the workers were placed, and what they found there.
pub fn blocks(report: &Report) -> Vec<Block> {
    let dim = |text: String| vec![Span::new(Meaning::Dim, text)];
    vec![
        Block::Heading {
            level: Level::Document,
            title: title(report),
        },
        Block::Text(environment(report).into_iter().map(dim).collect()),
    ]
}

/// Plan, run and version.
fn title(report: &Report) -> String {
    let mut parts = vec![report.plan.name.clone(), format!("run {}", report.run)];
    if let Some((started, _)) = report.span {
        parts.push(started.strftime("%Y-%m-%d %H:%M:%S UTC").to_string());
    }
    parts.push(format!("netplan {}", report.netplan));
    parts.join(" · ")
}

/// The description, the selection, the nodes, and the machines.
fn environment(report: &Report) -> Vec<String> {
    let mut texts: Vec<String> = report.plan.description.iter().cloned().collect();
    texts.extend(report.only.iter().map(|only| format!("only {only}")));
    let workers = &report.environment.workers;
    if workers.is_empty() {
        return texts;
    }
    let mut nodes: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, worker) in workers {
        nodes.entry(&worker.node).or_default().push(name);
    }
    let placed: Vec<String> = nodes
        .iter()
        .map(|(node, workers)| format!("{} on {node}", diag::list(workers)))
        .collect();
    let cluster = report.environment.cluster.as_ref();
    let cluster = match cluster.map(|cluster| cluster.kind.as_str()) {
        None => String::new(),
        Some(IMPORTED) => "imported: ".to_owned(),
        Some(kind) => format!("{kind} cluster: "),
    };
    texts.push(format!("{cluster}{}", placed.join("; ")));
    let mut machines: Vec<(String, Vec<&str>)> = Vec::new();
    for (name, worker) in workers {
        let text = machine(&worker.environment);
        match machines.iter_mut().find(|(other, _)| *other == text) {
            Some((_, names)) => names.push(name),
            None => machines.push((text, vec![name])),
        }
    }
    match &*machines {
        [(text, _)] => texts.push(text.clone()),
        several => texts.extend(
            several
                .iter()
                .map(|(text, names)| format!("{}: {text}", diag::list(names))),
        ),
    }
    texts
}

/// Kernel, processor, offloads, MTU, tools.
fn machine(seen: &WorkerEnvironment) -> String {
    let mut parts = Vec::new();
    if !seen.kernel.is_empty() {
        parts.push(format!("Linux {}", seen.kernel));
    }
    if !seen.cpu.is_empty() {
        parts.push(format!(
            "{} ({})",
            seen.cpu,
            diag::count(seen.cores as usize, "core")
        ));
    }
    if seen.mtu > 0 {
        parts.push(format!("MTU {}", seen.mtu));
    }
    parts.extend(offloads(seen));
    if !seen.congestion_control.is_empty() {
        parts.push(seen.congestion_control.clone());
    }
    parts.extend(
        seen.tools
            .iter()
            .map(|(tool, version)| format!("{tool} {version}")),
    );
    let tied = parts.iter().map(|part| part.replace(' ', &TIE.to_string()));
    tied.collect::<Vec<_>>().join(", ")
}

/// `TSO GSO GRO off`; each state once.
pub fn offloads(seen: &WorkerEnvironment) -> Vec<String> {
    [(true, "on"), (false, "off")]
        .into_iter()
        .filter_map(|(state, word)| {
            let names: Vec<&str> = OFFLOADS
                .iter()
                .filter(|(long, _)| seen.offloads.get(*long) == Some(&state))
                .map(|(_, short)| *short)
                .collect();
            (!names.is_empty()).then(|| format!("{} {word}", names.join(" ")))
        })
        .collect()
}

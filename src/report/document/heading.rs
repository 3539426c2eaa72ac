//! The top of the document: what ran, where, on what.

use super::block::{Block, Level, Meaning, Span, TIE};
use super::workers;
use crate::diag;
use crate::report::Report;
use crate::results::WorkerEnvironment;

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
    if report.environment.workers.is_empty() {
        return texts;
    }
    let placed: Vec<String> = workers::by_node(report)
        .iter()
        .map(|(node, workers)| format!("{} on {node}", diag::list(workers)))
        .collect();
    let cluster = workers::cluster(report).map_or_else(String::new, |kind| format!("{kind}: "));
    texts.push(format!("{cluster}{}", placed.join("; ")));
    let machines = workers::by_text(report, machine);
    let agree = machines.len() == 1;
    texts.extend(machines.into_iter().map(|(text, names)| {
        if agree {
            text
        } else {
            format!("{}: {text}", diag::list(&names))
        }
    }));
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
    parts.extend(workers::offloads(seen));
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

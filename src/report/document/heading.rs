//! The lines above the tables: what ran, where, on what; and those below: how far it came.

use std::collections::BTreeMap;

use crate::report::fold::{Report, RunState};
use crate::report::terminal::wrap as text;
use crate::results::WorkerEnvironment;
use crate::results::environment::OFFLOADS;

/// Plan, run and version.
pub fn title(report: &Report) -> String {
    let mut parts = vec![report.plan.name.clone(), format!("run {}", report.run)];
    if let Some((started, _)) = report.span {
        parts.push(started.strftime("%Y-%m-%d %H:%M:%S UTC").to_string());
    }
    parts.push(format!("netplan {}", report.netplan));
    parts.join(" · ")
}

/// What it is for, where the workers sat, and what they saw of their surroundings.
pub fn surroundings(report: &Report, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(description) = &report.plan.description {
        lines.extend(text::wrap(description, width, ""));
    }
    if let Some(only) = &report.only {
        lines.extend(text::wrap(&format!("only {only}"), width, "  "));
    }
    let workers = &report.environment.workers;
    if workers.is_empty() {
        return lines;
    }
    let mut nodes: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, worker) in workers {
        nodes.entry(&worker.node).or_default().push(name);
    }
    let placed: Vec<String> = nodes
        .iter()
        .map(|(node, workers)| format!("{} on {node}", crate::diag::list(workers)))
        .collect();
    let cluster = report
        .environment
        .cluster
        .as_ref()
        .map_or_else(String::new, |cluster| format!("{} cluster: ", cluster.kind));
    lines.extend(text::wrap(
        &format!("{cluster}{}", placed.join("; ")),
        width,
        "  ",
    ));
    let mut seen: Vec<(String, Vec<&str>)> = Vec::new();
    for (name, worker) in workers {
        let text = environment(&worker.environment);
        match seen.iter_mut().find(|(other, _)| *other == text) {
            Some((_, names)) => names.push(name),
            None => seen.push((text, vec![name])),
        }
    }
    for (text, names) in &seen {
        let who = if seen.len() > 1 {
            format!("{}: ", crate::diag::list(names))
        } else {
            String::new()
        };
        lines.extend(text::wrap(&format!("{who}{text}"), width, "  "));
    }
    lines
}

/// Kernel, processor, offloads, MTU, tools.
fn environment(seen: &WorkerEnvironment) -> String {
    let mut parts = Vec::new();
    if !seen.kernel.is_empty() {
        parts.push(format!("Linux {}", seen.kernel));
    }
    if !seen.cpu.is_empty() {
        parts.push(format!(
            "{} ({})",
            seen.cpu,
            crate::diag::count(seen.cores as usize, "core")
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
    let tied = parts
        .iter()
        .map(|part| part.replace(' ', &text::TIE.to_string()));
    tied.collect::<Vec<_>>().join(", ")
}

/// `TSO GSO GRO off`; each state once.
fn offloads(seen: &WorkerEnvironment) -> Vec<String> {
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

/// `118 cells: 117 measured, 1 failed; took 6 min 2 s`, `… took 6 min 2 s in 2 parts`.
pub fn totals(report: &Report) -> String {
    let counts = report.counts();
    let ended: Vec<String> = [
        (counts.measured, "measured"),
        (counts.failed, "failed"),
        (counts.skipped, "skipped"),
        (counts.partial, "partial"),
        (counts.missing, "missing"),
    ]
    .into_iter()
    .filter(|(n, _)| *n > 0)
    .map(|(n, word)| format!("{n} {word}"))
    .collect();
    let mut line = crate::diag::count(counts.cells, "cell");
    if !ended.is_empty() {
        line = format!("{line}: {}", ended.join(", "));
    }
    if let Some(seconds) = report.elapsed_s() {
        line = format!("{line}; took {}", crate::diag::elapsed(seconds));
        let resumed = report.sessions.resumed();
        if resumed > 0 {
            line = format!("{line} in {} parts", resumed + 1);
        }
    }
    line
}

/// Why the report is not whole; none when it is.
pub fn partial(report: &Report) -> Option<String> {
    let why = match report.state {
        RunState::Complete if report.is_complete() => return None,
        RunState::Complete => "the journal lacks the end of some cells",
        RunState::Cancelled => "the run was cancelled",
        RunState::CutOff => "the journal stops before the run's end",
    };
    let counts = report.counts();
    let cells = crate::diag::count(counts.cells, "cell");
    let rest = match (counts.missing, counts.partial) {
        (0, 0) => "no cell is missing".to_owned(),
        (missing, 0) => format!("{missing} of {cells} missing (…)"),
        (0, partial) => format!("{partial} of {cells} without all samples (…)"),
        (missing, partial) => {
            format!("of {cells} {missing} missing and {partial} without all samples (…)")
        }
    };
    Some(format!("partial: {why}; {rest}"))
}

/// What is wrong with the journal.
pub fn damage(report: &Report) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(tear) = &report.damage {
        lines.push(format!(
            "the journal is damaged, and nothing behind that place was read: {tear}"
        ));
    }
    if report.strangers > 0 {
        lines.push(format!(
            "{} of cells that this plan does not have were left out: the journal is of another \
             plan or version",
            crate::diag::count(report.strangers, "event")
        ));
    }
    lines
}

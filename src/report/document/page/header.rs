//! What ran, where, when, how it went, and on what.

use super::section::heading;
use crate::diag;
use crate::report::document::from_report::outcome;
use crate::report::document::{Block, Fact, Level, Meaning, Span, workers};
use crate::report::gate::Judgement;
use crate::report::{Report, summary};
use crate::results::WorkerEnvironment;

/// How many nodes, and how many workers of one, are named.
const NAMED: usize = 6;

/// The plan's name, how the run went, and what a reader asks first.
pub fn blocks(report: &Report, judgements: &[Judgement<'_>]) -> Vec<Block> {
    let mut facts = Vec::new();
    let mut add = |name: &str, text: String| facts.push(fact(name, text));
    if let Some((started, _)) = report.span {
        let at = started.strftime("%Y-%m-%d %H:%M:%S UTC");
        add("Started", at.to_string());
    }
    let place = place(report);
    if !place.is_empty() {
        add("Where", place);
    }
    let machines = by_worker(report, |seen| {
        let cores = diag::count(seen.cores as usize, "core");
        match (&*seen.cpu, seen.cores) {
            ("", _) => String::new(),
            (cpu, 0) => cpu.to_owned(),
            (cpu, _) => format!("{cpu} ({cores})"),
        }
    });
    if !machines.is_empty() {
        add("Machine", machines);
    }
    if let Some(only) = &report.only {
        add("Selection", format!("only {only}"));
    }
    add(
        "Run",
        format!("{} by netplan {}", report.run, report.netplan),
    );
    let mut texts = vec![outcome(report, judgements)];
    texts.extend(summary::partial(report).map(|text| Span::new(Meaning::Warning, text)));
    texts.extend(report.plan.description.clone().map(Span::plain));
    vec![
        Block::Heading {
            level: Level::Document,
            title: report.plan.name.clone(),
        },
        Block::Text(texts.into_iter().map(|span| vec![span]).collect()),
        Block::Facts(facts),
    ]
}

/// `local cluster; w1 and w2 on node-1; w3 on node-2`.
fn place(report: &Report) -> String {
    let nodes = workers::by_node(report);
    let mut texts: Vec<String> = workers::cluster(report).into_iter().collect();
    let placed = nodes.iter().take(NAMED);
    texts.extend(placed.map(|(node, workers)| format!("{} on {node}", named(workers))));
    if nodes.len() > NAMED {
        texts.push(diag::count(nodes.len() - NAMED, "more node"));
    }
    texts.join("; ")
}

/// The first of the names, and how many more there are.
fn named(names: &[&str]) -> String {
    match names.get(..NAMED) {
        Some(first) if names.len() > NAMED => {
            format!("{} and {} more", first.join(", "), names.len() - NAMED)
        }
        _ => diag::list(names),
    }
}

/// What the workers found on their nodes, each fact once where they agree.
pub fn environment(report: &Report) -> Vec<Block> {
    type Describe = fn(&WorkerEnvironment) -> String;
    let facts: [(&str, Describe); 9] = [
        ("Kernel", |seen| with("Linux ", &seen.kernel)),
        ("System", |seen| seen.os.clone()),
        ("Processor", |seen| seen.cpu.clone()),
        ("Cores", |seen| number(seen.cores.into())),
        ("Memory", |seen| {
            let gib = seen.memory_bytes as f64 / f64::from(1 << 30);
            if seen.memory_bytes > 0 {
                format!("{gib:.1} GiB")
            } else {
                String::new()
            }
        }),
        ("MTU", |seen| number(seen.mtu.into())),
        ("Offloads", |seen| workers::offloads(seen).join(", ")),
        ("Congestion control", |seen| seen.congestion_control.clone()),
        ("Tools", |seen| {
            let tools = seen.tools.iter();
            let tools: Vec<String> = tools
                .map(|(tool, version)| format!("{tool} {version}"))
                .collect();
            tools.join(", ")
        }),
    ];
    let facts: Vec<Fact> = facts
        .into_iter()
        .map(|(name, describe)| fact(name, by_worker(report, describe)))
        .filter(|fact| fact.text.iter().any(|span| !span.text.is_empty()))
        .collect();
    if facts.is_empty() {
        return Vec::new();
    }
    vec![heading("Environment"), Block::Facts(facts)]
}

/// What describes all workers; where they differ, each text after the names of its workers.
fn by_worker(report: &Report, describe: impl Fn(&WorkerEnvironment) -> String) -> String {
    let texts = workers::by_text(report, describe);
    let agree = texts.len() == 1;
    let known = texts.into_iter().filter(|(text, _)| !text.is_empty());
    let known = known.map(|(text, names)| {
        if agree {
            text
        } else {
            format!("{}: {text}", named(&names))
        }
    });
    known.collect::<Vec<_>>().join("; ")
}

fn fact(name: &str, text: String) -> Fact {
    Fact {
        name: name.to_owned(),
        text: vec![Span::plain(text)],
    }
}

/// Nothing for a number that is not known.
fn number(value: u64) -> String {
    if value == 0 {
        String::new()
    } else {
        value.to_string()
    }
}

/// Nothing for a text that is not known.
fn with(before: &str, text: &str) -> String {
    if text.is_empty() {
        String::new()
    } else {
        format!("{before}{text}")
    }
}

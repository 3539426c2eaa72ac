//! The figures of docs/figures.md: `make bench`, or some of them: `cargo bench -- commands link`.
//!
//! Prints a Markdown table, a row a figure, with the goal beside it. A figure that misses its goal
//! is marked and fails nothing: machines differ, and a busy one is slow.

mod adaptive;
mod cluster;
mod commands;
mod coverage;
mod default_plan;
mod history;
mod history_simulation;
mod import;
mod link;
mod outage;
mod overhead;
mod page;
mod pairs;
mod pairs_simulation;
mod peak;
mod planning;
mod recorded_noise;
mod report;
mod runs;
mod scale;
mod simulation;
mod table;
mod throughput;
mod unchanged_runs;
mod variant_runs;
mod verdict_simulation;
mod verdicts;

use std::process::ExitCode;

/// A subject: its name on the command line, what it measures and for how long, and how.
struct Section {
    names: &'static [&'static str],
    what: &'static str,
    measure: fn() -> anyhow::Result<()>,
}

const SECTIONS: [Section; 18] = [
    Section {
        names: &["commands"],
        what: "check, render and schedule of the default plan",
        measure: commands::measure,
    },
    Section {
        names: &["planning"],
        what: "time and memory of planning a million cells (20 s)",
        measure: planning::measure,
    },
    Section {
        names: &["cluster"],
        what: "the local cluster up and down (20 s)",
        measure: cluster::measure,
    },
    Section {
        names: &["overhead", "memory"],
        what: "time and memory that a cell costs (30 s)",
        measure: overhead::measure,
    },
    Section {
        names: &["throughput"],
        what: "throughput beside iperf3 by hand (2 min)",
        measure: throughput::measure,
    },
    Section {
        names: &["link"],
        what: "goodput on an emulated link beside theory (1 min)",
        measure: link::measure,
    },
    Section {
        names: &["outage"],
        what: "gaps in traffic beside 100 cuts of a link (5 min)",
        measure: outage::measure,
    },
    Section {
        names: &["scale"],
        what: "a million cells planned (5 s)",
        measure: scale::measure,
    },
    Section {
        names: &["report"],
        what: "reports of 100 000 samples, in time and memory, and their pages in a browser (2 min)",
        measure: report::measure,
    },
    Section {
        names: &["import"],
        what: "imports of iperf3's documents, in time and memory (20 s)",
        measure: import::measure,
    },
    Section {
        names: &["pairs"],
        what: "variants: how often ratios by pairs are right, and what pairing is worth, simulated (5 s)",
        measure: pairs::measure,
    },
    Section {
        names: &["history"],
        what: "history: its time, what it finds, and its false alarms, simulated (2 min)",
        measure: history::measure,
    },
    Section {
        names: &["default"],
        what: "the whole default plan (7 min)",
        measure: default_plan::measure,
    },
    Section {
        names: &["adaptive"],
        what: "TCP cells of the default plan to ±2 %, and by fixed samples (half an hour, more where samples spread)",
        measure: adaptive::measure,
    },
    Section {
        names: &["coverage"],
        what: "how often intervals cover the truth (1 min)",
        measure: coverage::measure,
    },
    Section {
        names: &["verdicts"],
        what: "how often verdicts are wrong, and how often they find a change (1 min)",
        measure: verdicts::measure,
    },
    Section {
        names: &["unchanged"],
        what: "verdicts about the runs in NETPLAN_UNCHANGED_RUNS, of a setup that did not change",
        measure: unchanged_runs::measure,
    },
    Section {
        names: &["variants"],
        what: "real runs with variants of a known cost (25 min)",
        measure: variant_runs::measure,
    },
];

fn main() -> ExitCode {
    if let Some(planned) = planning::child() {
        return match planned {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("{error:#}");
                ExitCode::FAILURE
            }
        };
    }
    // Cargo adds options of its own.
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| !arg.starts_with('-'))
        .collect();
    let known = |name: &str| SECTIONS.iter().any(|section| section.names.contains(&name));
    if let Some(unknown) = wanted.iter().find(|name| !known(name)) {
        let names: Vec<&str> = SECTIONS.iter().flat_map(|s| s.names).copied().collect();
        eprintln!("no figures `{unknown}`; there are {}", names.join(", "));
        return ExitCode::from(2);
    }
    if cfg!(debug_assertions) {
        eprintln!("a debug build: it is slower, and takes more memory, than what people run");
    }
    table::begin();
    let mut code = ExitCode::SUCCESS;
    for section in &SECTIONS {
        let asked = wanted.iter().any(|w| section.names.contains(&w.as_str()));
        if asked || wanted.is_empty() {
            eprintln!("measuring {}", section.what);
            if let Err(error) = (section.measure)() {
                eprintln!("cannot measure {}: {error:#}", section.names.join(" and "));
                code = ExitCode::FAILURE;
            }
        }
    }
    code
}

//! A run's records on their way into its directory.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::{Context, anyhow};

use super::artifacts;
use super::exit_policy::VerdictArgs;
use super::format::Format;
use crate::cli::kubernetes::run_lookup;
use crate::cli::progress::{Phase, Progress};
use crate::cli::terminal::printer;
use crate::cli::watch::{Heard, Sink};
use crate::diag::Source;
use crate::files;
use crate::plan::{self, Alone};
use crate::report::Report;
use crate::results::journal::LARGEST_BYTES;
use crate::results::run_dir::file;
use crate::results::warnings::OffloadNote;
use crate::results::{Event, EventKind, Journal, RunDir};
use crate::rpc::pb::Record;

/// Puts records on disk, then shows them.
#[derive(Debug)]
pub(in crate::cli) struct Collector<'a, 'p> {
    dir: &'a RunDir,
    journal: Journal,
    /// The journal's last line: what a connection that is made again has to begin with.
    last: Option<String>,
    progress: &'a Progress<'p>,
    /// Something was measured, or was not to be.
    has_begun: bool,
    /// Warnings that were given: once for each worker and address.
    warned: BTreeSet<String>,
    offloads: OffloadNote,
}

impl<'a, 'p> Collector<'a, 'p> {
    /// Continues `journal`.
    pub fn new(
        dir: &'a RunDir,
        journal: Journal,
        progress: &'a Progress<'p>,
    ) -> anyhow::Result<Self> {
        let text = files::read_text(journal.path(), LARGEST_BYTES)
            .with_context(|| format!("cannot read `{}`", journal.path().display()))?;
        let last = text.lines().last().map(str::to_owned);
        Ok(Self {
            dir,
            journal,
            last,
            progress,
            has_begun: false,
            warned: BTreeSet::new(),
            offloads: OffloadNote::default(),
        })
    }

    fn store(&mut self, record: &Record) -> anyhow::Result<Heard> {
        let ends = |event: &Event| matches!(event.kind, EventKind::RunEnded { .. });
        if record.seq + 1 == self.journal.next_seq() {
            if self.last.as_ref().is_some_and(|last| *last != record.line) {
                return Err(self.begun_anew());
            }
            let event: Event = serde_json::from_str(&record.line)?;
            return Ok(if ends(&event) {
                Heard::RunEnded
            } else {
                Heard::More
            });
        }
        if let Some(raw) = &record.raw {
            self.dir.write_raw(&raw.name, &raw.content)?;
        }
        let Some(event) = self.journal.append_raw_line(&record.line)? else {
            return Ok(Heard::More);
        };
        self.last = Some(record.line.clone());
        if let EventKind::RunStarted { plan, .. } = &event.kind {
            if !self.dir.file(file::PLAN).exists() {
                self.dir.write(file::PLAN, plan)?;
            }
            let source = Source::new("the journal's plan", plan);
            if let Ok(plan) = plan::load_file(&Alone, source, &[]) {
                self.offloads = OffloadNote::for_tests(&plan.tests);
            }
        }
        self.progress.on(&event);
        self.has_begun |= event.kind.is_of_a_cell();
        if let Some(warning) = event.kind.address_warning()
            && !self.warned.contains(&warning)
        {
            printer::warning(&warning);
            self.warned.insert(warning);
        }
        if let Some(warning) = self.offloads.on(&event.kind) {
            printer::warning(&warning);
        }
        Ok(if ends(&event) {
            Heard::RunEnded
        } else {
            Heard::More
        })
    }
}

impl Sink for Collector<'_, '_> {
    /// The last one that is here: it tells whether it is the same orchestrator.
    fn begins_at(&self) -> u64 {
        self.journal.next_seq().saturating_sub(1)
    }

    fn take(&mut self, record: &Record) -> anyhow::Result<Heard> {
        self.store(record)
    }

    fn begun_anew(&self) -> anyhow::Error {
        anyhow!(
            "the orchestrator has started again: its pod was replaced, and its journal was lost; it may have \
             continued from an older copy. What was measured is in `{0}`, and `netplan run --resume {0}` continues from there",
            self.dir.path().display()
        )
    }

    fn say(&self, message: &str) {
        printer::warning(message);
    }

    fn has_begun(&self) -> bool {
        self.has_begun
    }

    fn enter(&self, phase: Phase) {
        self.progress.enter(phase);
    }

    fn holds_through(&self) -> Option<u64> {
        self.journal.next_seq().checked_sub(1)
    }
}

/// How to show and where to store results.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct OutputArgs {
    /// How to print the results
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,

    #[command(flatten)]
    pub verdict: VerdictArgs,

    /// The run's directory [default: netplan-results/<plan>-<time>-<id>]
    #[arg(long, value_name = "DIR")]
    pub output: Option<PathBuf>,
}

/// Writes what is derived from the journal, and prints the results. Each is done though the other
/// fails: a disk may be full behind either.
pub(in crate::cli) fn show(dir: &RunDir, args: &OutputArgs) -> anyhow::Result<Report> {
    let report = artifacts::report(dir)?;
    let written = artifacts::write_derived(dir, &report);
    let printed = args.format.print(&report, args.verdict);
    let again = || {
        let dir = dir.path().display();
        format!("all that was measured is in `{dir}`, and `netplan report {dir}` prints it again")
    };
    match (written, printed) {
        (Ok(()), printed) => printed.map_err(|error| anyhow!("{error}; {}", again()))?,
        (Err(error), Ok(())) => {
            let error = printer::chain(&error);
            return Err(anyhow!("{error}; the journal has all that was measured"));
        }
        (Err(error), Err(other)) => {
            let (error, other) = (printer::chain(&error), printer::chain(&other));
            return Err(anyhow!("{other}; {error}; {}", again()));
        }
    }
    printer::note(&format!(
        "result.csv, samples.csv and all else: {}",
        dir.path().display()
    ));
    Ok(report)
}

/// What to say of a run whose objects are not removed.
pub(in crate::cli) fn kept(run: &str, namespace: &str) -> String {
    let clean = run_lookup::command_in("clean", run, namespace);
    format!("all objects stay; `{clean}` removes them")
}

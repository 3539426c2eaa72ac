//! `netplan run --resume DIR`: a run that was cut off continues after its journal.

use std::path::Path;

use anyhow::{Context, anyhow};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::prepare::Begun;
use super::target::{self, On, Target, TargetArgs};
use crate::cli::error::CliError;
use crate::cli::kubernetes::run_lookup;
use crate::cluster::kubernetes::LARGEST_CONFIG_MAP_BYTES;
use crate::diag::{Source, quote};
use crate::files;
use crate::plan::{self, Alone, PlanFile};
use crate::results::journal::LARGEST_BYTES;
use crate::results::{Event, EventKind, Journal, RunDir, RunDirError, archive};

/// What the names in the `ConfigMap` and such take of it.
const BESIDES_BYTES: usize = 1 << 10;
/// A part of a journal that has a `ConfigMap` to itself.
const PART_BYTES: usize = LARGEST_CONFIG_MAP_BYTES - BESIDES_BYTES;
/// The orchestrator's pod mounts so many parts at most.
const MOST_PARTS: usize = 64;

/// A run that continues.
#[derive(Debug)]
pub(in crate::cli) struct Resumed {
    pub begun: Begun,
    dir: RunDir,
    /// Nobody else writes it meanwhile.
    journal: Journal,
    plan: PlanFile,
    /// What happened so far.
    events: Vec<Event>,
    /// It ends with the event of a Cancel.
    was_cancelled: bool,
}

impl Resumed {
    /// Reads what there is of the run in a directory; `None` when all of it is there.
    pub fn open(path: &Path) -> Result<Option<Self>, CliError> {
        let usage = |error: RunDirError| CliError::Usage(error.to_string());
        let dir = RunDir::open(path).map_err(usage)?;
        let (journal, recovered) = Journal::open(dir.path()).map_err(anyhow::Error::from)?;
        let mut events = recovered.events;
        let was_cancelled = match events.last().map(|event| &event.kind) {
            Some(EventKind::RunEnded { cancelled: false }) => return Ok(None),
            Some(EventKind::RunEnded { cancelled: true }) => true,
            _ => false,
        };
        if was_cancelled {
            events.pop();
        }
        let Some(Event {
            kind: EventKind::RunStarted {
                run, plan, only, ..
            },
            ..
        }) = events.first()
        else {
            return Err(CliError::Usage(format!(
                "nothing has happened in the run of `{0}` yet; start it again with `netplan run PLAN \
                 --output {0}`",
                path.display()
            )));
        };
        let plan = plan::load_file(&Alone, Source::new("the run's plan", plan.as_str()), &[])?;
        let begun = Begun {
            id: run.clone(),
            only: only.clone(),
            journal: folded(&journal, events.len(), room_beside(&text_of(&plan)?))?,
        };
        Ok(Some(Self {
            begun,
            dir,
            journal,
            plan,
            events,
            was_cancelled,
        }))
    }

    /// What happened so far.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// So many cells have ended.
    pub fn ended(&self) -> usize {
        let ended = |event: &&Event| matches!(event.kind, EventKind::CellEnded { .. });
        self.events.iter().filter(ended).count()
    }

    /// The run's plan. What was given besides must not say anything else; but for the namespace,
    /// which measures nothing.
    pub fn must_be(
        &self,
        given: Option<PlanFile>,
        set: &[String],
        only: Option<&str>,
        namespace: Option<&str>,
    ) -> Result<PlanFile, CliError> {
        let given = match given {
            Some(given) => given,
            None if set.is_empty() => self.plan.clone(),
            None => {
                let text = text_of(&self.plan)?;
                plan::load_file(&Alone, Source::new("the run's plan", text), set)?
            }
        };
        let mut mine = self.plan.clone();
        let mut given = given;
        // One that the plan leaves open is drawn anew each time.
        given.seed = mine.seed;
        for plan in [&mut mine, &mut given] {
            if let Some(namespace) = namespace {
                namespace.clone_into(&mut plan.kubernetes.namespace);
            }
        }
        let at = self.dir.path().display();
        if let Some((line, theirs, other)) = difference(&text_of(&mine)?, &text_of(&given)?) {
            return Err(CliError::Usage(format!(
                "the run in `{at}` has another plan: line {line} of its plan.yaml is {}, here it is {}; \
                 leave the plan out, or start a new run",
                quote(theirs.trim()),
                quote(other.trim())
            )));
        }
        if let Some(only) = only.filter(|only| Some(*only) != self.begun.only.as_deref()) {
            let theirs = self.begun.only.as_deref();
            let theirs = theirs.map_or("none".to_owned(), |text| format!("--only '{text}'"));
            return Err(CliError::Usage(format!(
                "the run in `{at}` has another selection ({theirs}) than --only '{only}'; leave it out, \
                 or start a new run"
            )));
        }
        Ok(self.plan.clone())
    }

    /// Where the run continues: where it was. Fails when it is elsewhere, or still there.
    pub async fn target(&self, args: &TargetArgs, namespace: &str) -> Result<Target, CliError> {
        let environment = self.dir.environment();
        let cluster = environment.and_then(|environment| environment.cluster);
        let kind = cluster.map(|cluster| cluster.kind).unwrap_or_default();
        let target = match (args.named(), kind.as_str()) {
            (None, "local") => target::local()?,
            _ => args.resolve(namespace).await?,
        };
        let elsewhere = |here: On, was: &str| {
            CliError::Usage(format!(
                "the run began {was}, and its figures are not comparable with those from elsewhere; continue it with \
                 `--on {}`",
                match here {
                    On::Kubernetes => "kubernetes",
                    On::Local => "local",
                }
            ))
        };
        match (&target, kind.as_str()) {
            (Target::Local, "kubernetes") => Err(elsewhere(On::Kubernetes, "on Kubernetes")),
            (Target::Kubernetes(_), "local") => Err(elsewhere(On::Local, "on a local cluster")),
            (Target::Local, _) => Ok(target),
            (Target::Kubernetes(connection), _) => {
                let runs = connection.runs().await.map_err(anyhow::Error::from)?;
                let id = &self.begun.id;
                match runs.iter().find(|run| run.id == *id) {
                    Some(run) => Err(anyhow!(
                        "run {id} is still in the cluster ({}); `{}` comes back to it, `{}` removes it",
                        run.state,
                        run_lookup::command("attach", run),
                        run_lookup::command("clean", run)
                    )
                    .into()),
                    None => Ok(target),
                }
            }
        }
    }

    /// The directory, with a journal that can be continued.
    pub fn into_journal(mut self) -> anyhow::Result<(RunDir, Journal)> {
        if self.was_cancelled {
            self.journal.take_back()?;
        }
        Ok((self.dir, self.journal))
    }
}

/// How much of a journal, packed, the `ConfigMap` takes that carries the plan too.
fn room_beside(plan: &str) -> usize {
    LARGEST_CONFIG_MAP_BYTES.saturating_sub(plan.len() + BESIDES_BYTES)
}

/// The first `events` lines of a journal, packed, in parts: the first has so much room beside the plan, each of the
/// others has an object to itself.
fn folded(journal: &Journal, events: usize, room: usize) -> anyhow::Result<Vec<String>> {
    let path = journal.path();
    let text = files::read_text(path, LARGEST_BYTES)
        .with_context(|| format!("cannot read `{}`", path.display()))?;
    let lines: String = text.split_inclusive('\n').take(events).collect();
    let folded = archive::fold(lines.as_bytes())?;
    let parts = parts(&folded, room);
    if parts.len() > MOST_PARTS {
        return Err(anyhow!(
            "the journal `{}` takes {} KiB when packed, and the orchestrator can be given {} KiB; run the \
             cells that are missing as a run of their own, with `--only`",
            path.display(),
            folded.len() >> 10,
            (room + (MOST_PARTS - 1) * PART_BYTES) >> 10
        ));
    }
    Ok(parts.iter().map(|part| STANDARD.encode(part)).collect())
}

/// Cuts bytes into parts: the first has at most `room` bytes, the others fill an object.
fn parts(bytes: &[u8], room: usize) -> Vec<&[u8]> {
    let (first, rest) = bytes.split_at(room.min(bytes.len()));
    std::iter::once(first)
        .chain(rest.chunks(PART_BYTES))
        .collect()
}

fn text_of(plan: &PlanFile) -> anyhow::Result<String> {
    plan.to_yaml().context("cannot write the plan")
}

/// The first line in which two texts differ, and its content.
fn difference<'t>(one: &'t str, other: &'t str) -> Option<(usize, &'t str, &'t str)> {
    let (mut ones, mut others) = (one.lines(), other.lines());
    (1..).find_map(|line| match (ones.next(), others.next()) {
        (None, None) => Some(None),
        (a, b) if a == b => None,
        (a, b) => Some(Some((line, a.unwrap_or_default(), b.unwrap_or_default()))),
    })?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_plan_leaves_less_room_for_the_first_part() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::create(folder.path()).unwrap();
        assert_eq!(folded(&journal, 0, room_beside("")).unwrap().len(), 1);
        let plan = "x".repeat(LARGEST_CONFIG_MAP_BYTES);
        assert_eq!(folded(&journal, 0, room_beside(&plan)).unwrap().len(), 2);
    }

    #[test]
    fn parts_make_the_whole() {
        let bytes: Vec<u8> = (0..=255).cycle().take(3 * PART_BYTES).collect();
        for room in [0, 1, PART_BYTES, 4 * PART_BYTES] {
            let parts = parts(&bytes, room);
            assert_eq!(parts.concat(), bytes);
            assert!(parts[0].len() <= room);
            assert!(
                parts[1..]
                    .iter()
                    .all(|part| part.len() <= PART_BYTES && !part.is_empty())
            );
        }
    }

    #[test]
    fn the_first_difference_is_found() {
        assert_eq!(difference("a\nb\n", "a\nb\n"), None);
        assert_eq!(difference("a\nb\nc", "a\nx\ny"), Some((2, "b", "x")));
        assert_eq!(difference("a\n", "a\nb"), Some((2, "", "b")));
    }
}

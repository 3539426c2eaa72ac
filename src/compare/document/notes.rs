//! What else there is to know: machines, configuration, cells that were not compared.

use indexmap::IndexMap;

use super::figures::subject_text;
use super::headline::{power, power_beyond_limits};
use crate::compare::{Comparison, Machines, Versus, Why};
use crate::diag;
use crate::report::compared_metric as metric;
use crate::report::document::{Meaning, Note, Notes, Span};
use crate::statistics::judge::{Answer, Basis};

/// So many cells of one reason are named.
const NAMED: usize = 6;

fn note(meaning: Meaning, mark: &str, text: impl Into<String>) -> Note {
    Note {
        mark: Span::new(meaning, mark),
        text: vec![Span::new(meaning, text)],
        ..Note::default()
    }
}

/// Why figures are not compared, what machines have in common, and the differences of their configurations.
pub fn circumstances(base: &str, versus: &Versus) -> Vec<Notes> {
    let mut all = Vec::new();
    let new = &versus.new.name;
    if let Machines::Different(differences) = &versus.machines {
        let differences: Vec<String> = differences
            .iter()
            .map(|(name, one, two)| format!("{name}: {one} in {base}, {two} in {new}"))
            .collect();
        let why = if differences.is_empty() {
            "as the command line says".to_owned()
        } else {
            differences.join("; ")
        };
        let mut machines = vec![Note {
            advice: Some(Span::plain(
                "ratios of paths are compared instead; `--same-machine` compares the figures",
            )),
            ..note(
                Meaning::Warning,
                "!",
                format!("different machines ({why}), so that figures cannot be compared"),
            )
        }];
        machines.extend(versus.factors.iter().map(|factor| {
            let text = format!(
                "common factor: {} in {new} is {:.2} times that in {base}, on the average of {}",
                metric::word(&factor.metric),
                factor.value,
                diag::count(factor.paths, "path")
            );
            note(Meaning::Plain, "×", text)
        }));
        all.push(Notes {
            title: String::new(),
            notes: machines,
        });
    }
    let configuration = versus.configuration.iter().map(|it| {
        let join = |values: &std::collections::BTreeSet<String>| {
            values
                .iter()
                .map(String::as_str)
                .collect::<Vec<_>>()
                .join(" and ")
        };
        let text = format!("{}: {} → {}", it.name, join(&it.base), join(&it.new));
        note(Meaning::Plain, "≠", text)
    });
    all.push(Notes {
        title: "configuration differences, which are possible causes".to_owned(),
        notes: configuration.collect(),
    });
    all.retain(|notes| !notes.notes.is_empty());
    all
}

/// The cells that were not compared, by the reason.
pub fn unmatched(base: &str, versus: &Versus) -> Notes {
    let mut reasons: IndexMap<String, (Meaning, Vec<&str>)> = IndexMap::new();
    for cell in &versus.matching.unmatched {
        let (meaning, reason) = match &cell.why {
            Why::Lost { reason, .. } => (
                Meaning::Failed,
                format!("no figure in {}: {reason}", versus.new.name),
            ),
            Why::NotInBase(reason) => (Meaning::Dim, format!("no figure in {base}: {reason}")),
            Why::MeasuredDifferently { what, base, new } => (
                Meaning::Warning,
                format!("measured differently: {what} {base} and {new}"),
            ),
        };
        let (_, cells) = reasons.entry(reason).or_insert((meaning, Vec::new()));
        cells.push(&cell.cell.0);
    }
    let mut notes: Vec<Note> = reasons
        .into_iter()
        .map(|(reason, (meaning, cells))| {
            let mut named: Vec<&str> = cells.iter().take(NAMED).copied().collect();
            let more = format!("and {} more", cells.len().saturating_sub(NAMED));
            if cells.len() > NAMED {
                named.push(&more);
            }
            let mark = if meaning == Meaning::Failed {
                "✗"
            } else {
                "–"
            };
            let text = format!("{reason} ({})", diag::count(cells.len(), "cell"));
            Note {
                details: vec![vec![Span::plain(named.join(", "))]],
                ..note(meaning, mark, text)
            }
        })
        .collect();
    notes.extend(versus.lost_metrics.iter().map(|subject| {
        let text = format!(
            "no figure in {}: {}",
            versus.new.name,
            subject_text(subject)
        );
        note(Meaning::Failed, "✗", text)
    }));
    Notes {
        title: "not compared".to_owned(),
        notes,
    }
}

/// What the comparison could have found, and what it cannot know.
pub fn limits_of_knowledge(comparison: &Comparison, versus: &Versus) -> Notes {
    let mut notes = Vec::new();
    let power = [power(comparison, versus), power_beyond_limits(versus)];
    let power = power.into_iter().flatten();
    notes.extend(power.map(|text| note(Meaning::Plain, "i", text)));
    let one_run = versus
        .verdicts
        .iter()
        .any(|it| it.judgement.answer == Answer::OneRunASide);
    if one_run {
        notes.push(Note {
            advice: Some(Span::plain(
                "take two or more runs a side, best in turn: `netplan compare --base A B C --new D E F`; or let \
                 `netplan compare --calibrate DIR` find from runs of an unchanged setup how much they differ",
            )),
            ..note(
                Meaning::Warning,
                "?",
                "one run a side does not say how much runs differ when nothing changed, so nothing is decided",
            )
        });
    }
    let has = |basis: Basis| {
        let mut estimates = versus
            .verdicts
            .iter()
            .filter_map(|it| it.judgement.estimate);
        estimates.any(|it| it.basis == basis)
    };
    if has(Basis::OneSide) {
        let text =
            "one side has a single run; it is taken to spread as the runs of the other side do";
        notes.push(note(Meaning::Plain, "i", text));
    }
    if has(Basis::Floor) {
        let text = "one run a side; how much runs differ is taken from the stored A/A floor of this machine";
        notes.push(note(Meaning::Plain, "i", text));
    }
    Notes {
        title: String::new(),
        notes,
    }
}

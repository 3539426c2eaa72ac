//! The whole comparison as a document.

use super::headline::{quotable, totals, verdict_line};
use super::{charts, notes, tables};
use crate::compare::judge::{Answer, LimitOutcome};
use crate::compare::{Comparison, Outcome, PathVerdict, Side, Versus};
use crate::diag;
use crate::report::document::{Block, Document, Fold, Level, Meaning, Notes, Paragraph, Span};

/// So many marks are shown.
const MARKS: usize = 20;
/// So many answers of paths that did not change are shown. A mesh has thousands.
const UNCHANGED: usize = 200;
/// A page has so many charts of curves of what changed, and of what did not.
const CURVES: usize = 24;
/// So many pairs of sides are shown.
const PAIRS: usize = 100;

impl Document {
    /// What changed, how sure that is, and what follows.
    #[must_use]
    pub fn from_comparison(comparison: &Comparison) -> Document {
        document(comparison, false)
    }

    /// The same with charts, for a page.
    #[must_use]
    pub fn page_from_comparison(comparison: &Comparison) -> Document {
        document(comparison, true)
    }
}

fn document(comparison: &Comparison, with_charts: bool) -> Document {
    let names: Vec<&str> = comparison.versus.iter().map(|it| &*it.new.name).collect();
    let mut blocks = vec![
        Block::Heading {
            level: Level::Document,
            title: format!(
                "{} compared with {}",
                names.join(", "),
                comparison.base.name
            ),
        },
        Block::Text(
            std::iter::once(&comparison.base)
                .chain(comparison.versus.iter().map(|it| &it.new))
                .map(about)
                .collect(),
        ),
    ];
    for versus in &comparison.versus {
        if comparison.versus.len() > 1 {
            blocks.push(Block::Heading {
                level: Level::Section,
                title: versus.new.name.clone(),
            });
        }
        blocks.extend(one(comparison, versus, with_charts));
    }
    if !comparison.pairs.is_empty() {
        blocks.push(Block::Heading {
            level: Level::Section,
            title: "pairs".to_owned(),
        });
        let shown = &comparison.pairs[..comparison.pairs.len().min(PAIRS)];
        let more = more(comparison.pairs.len() - shown.len());
        let about = format!("each side with each other one, corrected together{more}");
        blocks.push(Block::paragraph(Meaning::Plain, about));
        blocks.push(Block::Table(tables::pairs(shown)));
    }
    let last: Vec<Paragraph> = comparison
        .versus
        .iter()
        .filter_map(|versus| {
            let quotable = quotable(comparison, versus)?;
            let text = match comparison.versus.len() {
                1 => quotable,
                _ => format!("{}: {quotable}", versus.new.name),
            };
            Some(vec![Span::new(Meaning::Strong, text)])
        })
        .collect();
    blocks.push(Block::Text(last));
    Document { blocks }
}

/// The runs of a side.
fn about(side: &Side) -> Paragraph {
    let runs = match side.runs.as_slice() {
        [run] => {
            let began = run.began.map(|at| format!(", {at:.0}"));
            format!(
                "run {} of {}{}",
                run.id,
                run.plan,
                began.unwrap_or_default()
            )
        }
        runs => {
            let plans: std::collections::BTreeSet<&str> =
                runs.iter().map(|run| &*run.plan).collect();
            let plans: Vec<&str> = plans.into_iter().collect();
            let span = runs.first().zip(runs.last());
            let span = span.and_then(|(first, last)| first.began.zip(last.began));
            let span = span.map(|(first, last)| format!(", {first:.0} to {last:.0}"));
            format!(
                "{} of {}{}",
                diag::count(runs.len(), "run"),
                plans.join(" and "),
                span.unwrap_or_default()
            )
        }
    };
    vec![
        Span::new(Meaning::Strong, side.name.clone()),
        Span::plain(format!(": {runs}")),
    ]
}

fn one(comparison: &Comparison, versus: &Versus, with_charts: bool) -> Vec<Block> {
    let undecided = |it: &PathVerdict| it.judgement.answer.is_undecided();
    let meaning = match comparison.outcome_of(versus) {
        Outcome::Well if versus.verdicts.iter().any(undecided) => Meaning::Warning,
        Outcome::Well => Meaning::Good,
        Outcome::CellsLost => Meaning::Warning,
        Outcome::Worse => Meaning::Failed,
    };
    let mut blocks = vec![Block::Text(vec![
        vec![Span::new(meaning, verdict_line(comparison, versus))],
        vec![Span::plain(totals(versus))],
    ])];
    let circumstances = notes::circumstances(&comparison.base.name, versus);
    blocks.extend(circumstances.into_iter().map(Block::Notes));
    let (changed, others): (Vec<&PathVerdict>, Vec<&PathVerdict>) =
        versus.verdicts.iter().partition(|it| is_changed(it));
    if with_charts {
        let plots = charts::changes(versus).into_iter();
        blocks.extend(plots.map(Block::DotPlot));
        let curves = |verdicts: &[&PathVerdict]| -> Vec<Block> {
            let curves = verdicts.iter();
            let curves = curves.flat_map(|verdict| charts::curves(comparison, versus, verdict));
            curves.take(CURVES).map(Block::Chart).collect()
        };
        blocks.extend(curves(&changed));
        let others = curves(&others);
        if !others.is_empty() {
            blocks.push(Block::Fold(Fold {
                title: format!(
                    "curves of paths that did not change, or are undecided: {}",
                    others.len()
                ),
                blocks: others,
            }));
        }
    }
    if !changed.is_empty() {
        let tables = tables::answers(comparison, versus, &changed);
        blocks.extend(tables.into_iter().map(Block::Table));
    }
    if !others.is_empty() {
        let shown: Vec<&PathVerdict> = others.iter().copied().take(UNCHANGED).collect();
        let tables = tables::answers(comparison, versus, &shown);
        blocks.push(Block::Fold(Fold {
            title: format!("{}{}", unchanged(&others), more(others.len() - shown.len())),
            blocks: tables.into_iter().map(Block::Table).collect(),
        }));
    }
    let mut push = |notes: Notes| {
        if !notes.notes.is_empty() {
            blocks.push(Block::Notes(notes));
        }
    };
    push(notes::unmatched(&comparison.base.name, versus));
    push(notes::limits_of_knowledge(comparison, versus));
    if !versus.marks.is_empty() {
        let shown = &versus.marks[..versus.marks.len().min(MARKS)];
        let more = more(versus.marks.len() - shown.len());
        blocks.push(Block::Fold(Fold {
            title: format!(
                "{} of {} single cells and other metrics changed (false discovery rate 5 %); they do not decide{more}",
                versus.marks.len(),
                versus.marks_judged
            ),
            blocks: vec![Block::Table(tables::marks(shown))],
        }));
    }
    blocks
}

/// Where the rest of a list is.
fn more(count: usize) -> String {
    match count {
        0 => String::new(),
        count => format!("; {count} more are in `--format json`"),
    }
}

/// `8 alike, 4 undecided`.
fn unchanged(verdicts: &[&PathVerdict]) -> String {
    let undecided = verdicts
        .iter()
        .filter(|it| it.judgement.answer.is_undecided());
    let undecided = undecided.count();
    let counts = [
        (verdicts.len() - undecided, "alike"),
        (undecided, "undecided"),
    ];
    let counts: Vec<String> = counts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    counts.join(", ")
}

fn is_changed(verdict: &PathVerdict) -> bool {
    let limit = verdict.judgement.limit.map(|limit| limit.outcome);
    matches!(verdict.judgement.answer, Answer::Slower | Answer::Faster)
        || limit == Some(LimitOutcome::Beyond)
}

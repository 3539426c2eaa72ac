//! The blocks about one side: the verdict, its circumstances, the answers, and what was not compared.

use super::figures::more;
use super::headline::{totals, verdict_line};
use super::layout::Layout;
use super::{charts, notes, tables};
use crate::compare::{Comparison, Outcome, PathVerdict, Versus};
use crate::report::document::{Block, Fold, Meaning, Notes, Span};
use crate::statistics::judge::{Answer, LimitOutcome};

/// So many marks are shown.
const MARKS: usize = 20;
/// So many answers of paths that did not change are shown. A mesh has thousands.
const UNCHANGED: usize = 200;
/// A page has so many charts of curves of what changed, and of what did not.
const CURVES: usize = 24;

/// The verdict on one side, what speaks for it, and the answers.
pub fn blocks(comparison: &Comparison, versus: &Versus, layout: Layout) -> Vec<Block> {
    let undecided = |it: &PathVerdict| it.judgement.answer.is_undecided();
    let meaning = match comparison.outcome_of(versus) {
        Outcome::Well if versus.verdicts.iter().any(undecided) => Meaning::Warning,
        Outcome::Well => Meaning::Good,
        Outcome::CellsLost => Meaning::Warning,
        Outcome::Worse => Meaning::Failed,
    };
    let verdict = Block::Text(vec![
        vec![Span::new(meaning, verdict_line(comparison, versus))],
        vec![Span::plain(totals(versus))],
    ]);
    let circumstances = notes::circumstances(&comparison.base.name, versus);
    let circumstances = circumstances.into_iter().map(Block::Notes);
    // Possible causes come before the verdict, but a comment begins with what its readers want to know.
    let mut blocks: Vec<Block> = match layout {
        Layout::Table => circumstances.chain([verdict]).collect(),
        Layout::Comment | Layout::Page => [verdict].into_iter().chain(circumstances).collect(),
    };
    let (changed, others): (Vec<&PathVerdict>, Vec<&PathVerdict>) =
        versus.verdicts.iter().partition(|it| is_changed(it));
    if layout == Layout::Page {
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

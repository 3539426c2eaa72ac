//! Tables of answers, of marks, and of sides that cannot be told apart.

use super::figures::{answer_text, interval, pair, path_text, percent, size};
use crate::compare::judge::{Answer, LimitOutcome};
use crate::compare::sides::metric;
use crate::compare::{Comparison, Mark, Pair, PathVerdict, Versus};
use crate::report::document::{Cell, Column, Meaning, Span, Table, TableKind};

/// The answers about some subjects.
pub fn answers(comparison: &Comparison, versus: &Versus, verdicts: &[&PathVerdict]) -> Table {
    let texts = |text: fn(&PathVerdict) -> String| verdicts.iter().map(move |it| text(it));
    let figures: Vec<[String; 2]> = verdicts.iter().map(|it| pair(it)).collect();
    let figure = |side: usize| figures.iter().map(move |pair| pair[side].clone());
    let would_find = |it: &PathVerdict| {
        let estimate = it.judgement.estimate;
        estimate.map_or_else(String::new, |it_| size(it.question.scale, it_.detectable))
    };
    let mut columns = vec![
        Column::words("test", texts(|it| it.subject.test.clone())),
        Column::words("path", texts(|it| path_text(&it.subject))),
        Column::words("metric", texts(|it| metric::word(&it.subject.metric))),
        Column::figures(&comparison.base.name, "", figure(0)),
        Column::figures(&versus.new.name, "", figure(1)),
        Column::figures(
            "change",
            "",
            texts(|it| percent(it.question.scale, it.change())),
        ),
    ];
    if verdicts.iter().any(|it| it.judgement.estimate.is_some()) {
        columns.push(Column::figures("corrected", "interval, %", texts(interval)));
        columns.push(Column::figures("would have", "found", texts(would_find)));
    }
    columns.push(Column {
        name: "answer".to_owned(),
        cells: verdicts.iter().map(|it| answer(it)).collect(),
        ..Column::default()
    });
    Table {
        columns,
        keys: 3,
        ..Table::default()
    }
}

fn answer(verdict: &PathVerdict) -> Cell {
    let answer = verdict.judgement.answer;
    let (sign, meaning) = match answer {
        Answer::Slower => ("✗ ", Meaning::Failed),
        Answer::Faster => ("✓ ", Meaning::Good),
        Answer::Alike => ("= ", Meaning::Plain),
        Answer::Undecided | Answer::OneRunASide => ("? ", Meaning::Warning),
    };
    let beyond = match verdict.judgement.limit {
        Some(limit) if limit.outcome == LimitOutcome::Beyond => {
            format!(", beyond {}", size(verdict.question.scale, limit.limit))
        }
        _ => String::new(),
    };
    let meaning = if beyond.is_empty() {
        meaning
    } else {
        Meaning::Failed
    };
    Span::new(meaning, format!("{sign}{}{beyond}", answer_text(answer))).into()
}

/// Single cells and other metrics that changed.
pub fn marks(marks: &[Mark]) -> Table {
    let texts = |text: fn(&Mark) -> String| marks.iter().map(text);
    let subject = |mark: &Mark| match &mark.cell {
        Some(cell) => cell.0.clone(),
        None => format!("{}/{}", mark.subject.test, path_text(&mark.subject)),
    };
    let direction = |mark: &Mark| {
        let word = if mark.is_worse { "worse" } else { "better" };
        word.to_owned()
    };
    Table {
        columns: vec![
            Column::words("cell or path", texts(subject)),
            Column::words("metric", texts(|mark| metric::word(&mark.subject.metric))),
            Column::figures("change", "", texts(|mark| percent(mark.scale, mark.change))),
            Column::words("", texts(direction)),
        ],
        keys: 2,
        ..Table::default()
    }
}

/// Which sides can be told apart.
pub fn pairs(pairs: &[Pair]) -> Table {
    let apart = |pair: &Pair| match pair.told_apart.len() {
        0 => Cell::from(Span::new(Meaning::Warning, "cannot be told apart")),
        count => Span::plain(format!("differ in {count} of {}", pair.judged)).into(),
    };
    Table {
        kind: TableKind::List,
        columns: vec![
            Column::words("side", pairs.iter().map(|pair| pair.one.clone())),
            Column::words("and", pairs.iter().map(|pair| pair.two.clone())),
            Column {
                cells: pairs.iter().map(apart).collect(),
                ..Column::default()
            },
        ],
        keys: 2,
        ..Table::default()
    }
}

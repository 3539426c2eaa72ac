//! Tables of answers, of marks, and of sides that cannot be told apart.

use indexmap::IndexMap;

use super::figures::{answer_text, change, interval, limit_text, path_text, size};
use crate::compare::{Comparison, Mark, Pair, PathVerdict, Versus};
use crate::report::compared_metric as metric;
use crate::report::document::number_format::NumberFormat;
use crate::report::document::{Cell, Column, Meaning, Span, Table, TableKind};
use crate::statistics::judge::{Answer, LimitOutcome, Scale};

/// The answers about some subjects: a table for each test and metric.
pub fn answers(comparison: &Comparison, versus: &Versus, verdicts: &[&PathVerdict]) -> Vec<Table> {
    let mut groups: IndexMap<(&str, &str), Vec<&PathVerdict>> = IndexMap::new();
    for verdict in verdicts {
        let subject = &verdict.subject;
        let group = groups.entry((&subject.test, &subject.metric));
        group.or_default().push(verdict);
    }
    let groups = groups.into_iter();
    groups
        .map(|((test, metric), verdicts)| Table {
            caption: format!("{test}: {}", metric::word(metric)),
            columns: columns(comparison, versus, metric, &verdicts),
            keys: 1,
            ..Table::default()
        })
        .collect()
}

fn columns(
    comparison: &Comparison,
    versus: &Versus,
    metric: &str,
    verdicts: &[&PathVerdict],
) -> Vec<Column> {
    let texts = |text: fn(&PathVerdict) -> String| verdicts.iter().map(move |it| text(it));
    let figures: Vec<(f64, f64)> = verdicts.iter().map(|it| it.figures()).collect();
    let all: Vec<f64> = figures
        .iter()
        .flat_map(|(base, new)| [*base, *new])
        .collect();
    let is_difference = metric::scale(metric) == Scale::Difference;
    let is_ratio = !is_difference && verdicts.iter().any(|it| it.subject.plain.is_some());
    let format = if is_ratio {
        NumberFormat {
            divisor: 1.0,
            decimals: 3,
            unit: "",
        }
    } else {
        NumberFormat::headline(metric, &all)
    };
    let base = figures.iter().map(|(base, _)| format.write(*base));
    let new = figures.iter().map(|(_, new)| format.write(*new));
    let would_find = |it: &PathVerdict| {
        let found = it.judgement.estimate.map(|estimate| estimate.detectable);
        let found = found.filter(|share| share.is_finite());
        found.map_or_else(String::new, |share| {
            size(&change(&it.subject.metric, share)).to_owned()
        })
    };
    let changed = |it: &PathVerdict| change(&it.subject.metric, it.change());
    let mut columns = vec![
        Column::words("path", texts(|it| path_text(&it.subject))),
        Column::figures(&comparison.base.name, format.unit, base),
        Column::figures(&versus.new.name, format.unit, new),
        Column::figures("change", "", texts(changed)),
    ];
    if verdicts.iter().any(|it| it.judgement.estimate.is_some()) {
        let unit = if is_difference { format.unit } else { "%" };
        let intervals = verdicts.iter().map(|it| interval(it, format));
        columns.push(Column::figures("interval", unit, intervals));
        columns.push(Column::figures("would", "find", texts(would_find)));
    }
    columns.push(Column {
        name: "answer".to_owned(),
        cells: verdicts.iter().map(|it| answer(it)).collect(),
        ..Column::default()
    });
    columns
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
            format!(" > {}", limit_text(&verdict.subject.metric, limit.limit))
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
            Column::figures(
                "change",
                "",
                texts(|mark| change(&mark.subject.metric, mark.change)),
            ),
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

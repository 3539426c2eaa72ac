//! What each variant costs: its ratio to the base for each path, with verdict and power.

use std::collections::BTreeMap;

use indexmap::IndexMap;

use super::block::{Block, Cell, Column, Level, Meaning, Note, Notes, Paragraph, Span, Table};
use super::headline::{others, varying};
use crate::diag::count;
use crate::plan::{LEAST_ROUNDS, default_rounds};
use crate::report::Report;
use crate::report::compared_metric::word;
use crate::report::variants::{Cost, other_nodes};
use crate::statistics::judge::Answer;
use crate::statistics::{Interval, Pairs};

/// An order effect below this p-value is reported.
const ORDER_ALPHA: f64 = 0.01;

/// The ratios of all variants; nothing in a plan without variants. `costs` are those of the report.
pub fn blocks(report: &Report, costs: &[Cost<'_>]) -> Vec<Block> {
    let Some(base) = report.plan.variant_name(0) else {
        return Vec::new();
    };
    let is_compared = costs.iter().any(|cost| cost.pairs.is_some());
    let searches = searches(report);
    if !is_compared && searches.is_empty() {
        return Vec::new();
    }
    let heading = Block::Heading {
        level: Level::Section,
        title: format!("variants beside {base}"),
    };
    let about = format!(
        "each variant's share of {base}, by the rounds in which both were measured, with its 95 % interval; \
         the answers are corrected for their number"
    );
    let mut blocks = vec![heading];
    if is_compared {
        blocks.push(Block::paragraph(Meaning::Plain, about));
    }
    blocks.extend(sentences(report, base, costs));
    let mut by_test: IndexMap<usize, Vec<&Cost<'_>>> = IndexMap::new();
    for cost in costs.iter().filter(|_| is_compared) {
        by_test.entry(cost.test).or_default().push(cost);
    }
    for (test, costs) in &by_test {
        let test = report.plan.tests.get(*test).map_or("", |test| &*test.name);
        blocks.push(Block::Table(summary(report, test, base, costs)));
        blocks.extend(by_size(report, test, base, costs).map(Block::Table));
    }
    let notes = notes(report, base, costs, &searches);
    if !notes.notes.is_empty() {
        blocks.push(Block::Notes(notes));
    }
    blocks
}

/// `policy is 0.97 ± 0.01 of plain on same-node`: what decides and is not alike or undecided.
fn sentences(report: &Report, base: &str, costs: &[Cost<'_>]) -> Option<Block> {
    let sentence = |cost: &Cost<'_>| -> Option<Paragraph> {
        let judgement = cost.judgement.as_ref()?;
        let meaning = match judgement.answer {
            Answer::Slower => Meaning::Failed,
            Answer::Faster => Meaning::Good,
            _ => return None,
        };
        let variant = report.plan.variant_name(cost.variant)?;
        let test = report.plan.tests.get(cost.test)?;
        Some(vec![Span::new(
            meaning,
            format!(
                "{variant} is {} of {base}: {} {} on {}",
                ratio_text(report, cost.test, cost.pairs.as_ref()?),
                test.name,
                word(&cost.metric),
                cost.path
            ),
        )])
    };
    let sentences: Vec<Paragraph> = costs.iter().filter_map(sentence).collect();
    (!sentences.is_empty()).then_some(Block::Text(sentences))
}

/// Paths and variants down; for each metric its ratio, and what comes of it.
fn summary(report: &Report, test: &str, base: &str, costs: &[&Cost<'_>]) -> Table {
    let variant = |cost: &Cost<'_>| {
        let name = report.plan.variant_name(cost.variant);
        name.unwrap_or_default().to_owned()
    };
    let columns = vec![
        Column::words(test, costs.iter().map(|cost| cost.path.to_owned())),
        Column::words("variant", costs.iter().map(|cost| variant(cost))),
        Column::words("metric", costs.iter().map(|cost| word(&cost.metric))),
        Column::figures(
            &format!("of {base}"),
            "",
            costs
                .iter()
                .map(|cost| ratio_cell(report, cost.test, cost.pairs.as_ref())),
        ),
        Column {
            cells: costs.iter().map(|cost| answer(cost).into()).collect(),
            ..Column::words("answer", [])
        },
        Column::figures(
            "would have found",
            "%",
            costs.iter().map(|cost| detectable(cost)),
        ),
        Column::figures("rounds", "", costs.iter().map(|cost| rounds(cost))),
    ];
    Table {
        columns,
        keys: 3,
        ..Table::default()
    }
}

/// The ratios of a sweep: sizes down, paths and variants across. Of the metrics that decide.
fn by_size<'a>(
    report: &'a Report,
    test: &'a str,
    base: &'a str,
    costs: &'a [&'a Cost<'a>],
) -> impl Iterator<Item = Table> + 'a {
    let mut by_metric: IndexMap<&str, Vec<&Cost<'_>>> = IndexMap::new();
    for cost in costs.iter().filter(|cost| cost.judgement.is_some()) {
        by_metric.entry(&cost.metric).or_default().push(cost);
    }
    by_metric.into_iter().filter_map(move |(metric, costs)| {
        let cells = || costs.iter().flat_map(|cost| &cost.cells);
        let varying = varying(&cells().map(|(cell, _)| *cell).collect::<Vec<_>>());
        let mut rows: BTreeMap<(Option<u64>, String), Vec<Cell>> = BTreeMap::new();
        let key = |cell: &crate::report::CellReport| (cell.params.size(), others(cell, &varying));
        for (cell, _) in cells() {
            rows.entry(key(cell))
                .or_insert_with(|| vec![Cell::default(); costs.len()]);
        }
        if rows.len() < 2 {
            return None;
        }
        for (column, cost) in costs.iter().enumerate() {
            for (cell, pairs) in &cost.cells {
                if let Some(cells) = rows.get_mut(&key(cell)) {
                    cells[column] = ratio_cell(report, cost.test, pairs.as_ref());
                }
            }
        }
        let mut columns = Vec::new();
        if rows.keys().any(|(size, _)| size.is_some()) {
            let sizes = rows
                .keys()
                .map(|(size, _)| size.map_or_else(String::new, |size| size.to_string()));
            columns.push(Column::figures("size", "bytes", sizes));
        }
        if !varying.is_empty() {
            columns.push(Column::words(
                "with",
                rows.keys().map(|(_, with)| with.clone()),
            ));
        }
        let keys = columns.len();
        for (at, cost) in costs.iter().enumerate() {
            let variant = report.plan.variant_name(cost.variant).unwrap_or_default();
            columns.push(Column::figures(
                cost.path,
                &format!("{variant} / {base}"),
                rows.values().map(|cells| cells[at].clone()),
            ));
        }
        Some(Table {
            caption: format!("{test} {}", word(metric)),
            columns,
            keys,
            ..Table::default()
        })
    })
}

fn ratio_cell(report: &Report, test: usize, pairs: Option<&Pairs>) -> Cell {
    let Some(pairs) = pairs else {
        return Cell::default();
    };
    Cell {
        spread: match spread(report, test, pairs) {
            Some(Spread::Even(half)) => format!("±{half:.3}"),
            Some(Spread::Range(Interval { low, high })) => format!("({low:.2}..{high:.2})"),
            None => String::new(),
        },
        ..format!("{:.3}", pairs.ratio()).into()
    }
}

/// `0.970 ± 0.010`.
fn ratio_text(report: &Report, test: usize, pairs: &Pairs) -> String {
    let ratio = pairs.ratio();
    match spread(report, test, pairs) {
        Some(Spread::Even(half)) => format!("{ratio:.3} ± {half:.3}"),
        Some(Spread::Range(Interval { low, high })) => {
            format!("{ratio:.3} ({low:.2} to {high:.2})")
        }
        None => format!("{ratio:.3}"),
    }
}

/// The 95 % interval of a ratio.
enum Spread {
    /// Both ends are about as far from the ratio as this.
    Even(f64),
    Range(Interval),
}

/// An interval of logarithms is even for the ratio while it is narrow.
fn spread(report: &Report, test: usize, pairs: &Pairs) -> Option<Spread> {
    const NARROW: f64 = 0.1;
    let interval = report.ratio_interval(test, pairs)?;
    let half_of_log = (interval.high / interval.low).ln() / 2.0;
    Some(if half_of_log < NARROW {
        Spread::Even(interval.half())
    } else {
        Spread::Range(interval)
    })
}

fn answer(cost: &Cost<'_>) -> Span {
    let Some(judgement) = &cost.judgement else {
        return Span::default();
    };
    let meaning = match judgement.answer {
        Answer::Slower => Meaning::Failed,
        Answer::Faster => Meaning::Good,
        Answer::Alike => Meaning::Plain,
        Answer::Undecided | Answer::OneRunASide => Meaning::Dim,
    };
    Span::new(meaning, judgement.answer.name())
}

/// The smallest change for the worse that would have been found.
fn detectable(cost: &Cost<'_>) -> String {
    let estimate = cost.judgement.as_ref().and_then(|j| j.estimate);
    let size = estimate.map(|estimate| estimate.detectable * 100.0);
    let size = size.filter(|size| size.is_finite());
    size.map_or_else(String::new, |size| format!("{size:.1}"))
}

fn rounds(cost: &Cost<'_>) -> String {
    cost.pairs
        .map_or_else(String::new, |pairs| pairs.rounds.to_string())
}

/// The tests that search a rate under variants.
fn searches(report: &Report) -> Vec<&str> {
    let tests = report.plan.tests.iter().enumerate();
    let is_varied = |test: usize| {
        let mut rows = report.schedule.rows.iter();
        rows.any(|row| row.test == test && row.variant() > 0)
    };
    tests
        .filter(|(test, it)| it.find.is_some() && is_varied(*test))
        .map(|(_, test)| &*test.name)
        .collect()
}

/// What speaks against the ratios, and the tests without one.
fn notes(report: &Report, base: &str, costs: &[Cost<'_>], searches: &[&str]) -> Notes {
    let note = |text: String| Note {
        mark: Span::new(Meaning::Warning, "!"),
        text: vec![Span::plain(text)],
        ..Note::default()
    };
    let name = |variant| report.plan.variant_name(variant).unwrap_or_default();
    let mut notes = Vec::new();
    let elsewhere = other_nodes(report);
    if !elsewhere.is_empty() {
        let differ: Vec<String> = elsewhere
            .iter()
            .map(|(worker, own, base)| format!("{worker} on {own} instead of {base}"))
            .collect();
        let text = format!(
            "nodes differ: {}; the ratios include the difference of the nodes",
            differ.join(", ")
        );
        notes.push(note(text));
    }
    for test in searches {
        notes.push(note(format!(
            "`{test}` searches a rate: its variants are not compared"
        )));
    }
    notes.extend(too_few_rounds(report, costs).map(note));
    for cost in costs {
        let Some(pairs) = &cost.pairs else { continue };
        let about = || format!("{} {}", name(cost.variant), cost.path);
        if cost.judgement.is_some() && pairs.dropped > 0 {
            let dropped = count(pairs.dropped, "pair");
            let text = format!("{}: {dropped} dropped: a side has no result", about());
            notes.push(note(text));
        }
        if let Some(effect) = pairs.order_effect.filter(|_| cost.judgement.is_some())
            && effect.p_value() < ORDER_ALPHA
        {
            let percent = effect.value.exp_m1() * 200.0;
            notes.push(note(format!(
                "{}: order effect: {} is {percent:+.1} % when it is measured after {base}, relative to before; \
                 more cooldown may help",
                about(),
                name(cost.variant),
            )));
        }
    }
    Notes {
        title: String::new(),
        notes,
    }
}

/// Advises more rounds where so few have left a ratio undecided.
fn too_few_rounds(report: &Report, costs: &[Cost<'_>]) -> Option<String> {
    let is_undecided =
        |cost: &&Cost<'_>| matches!(&cost.judgement, Some(it) if it.answer == Answer::Undecided);
    let undecided = costs.iter().filter(is_undecided);
    let fewest = undecided
        .filter_map(|cost| Some(cost.pairs?.rounds))
        .min()?;
    (fewest < LEAST_ROUNDS as usize).then(|| {
        format!(
            "{} leave almost every ratio undecided; set `repeat` to {} or more",
            count(fewest, "round"),
            default_rounds(report.plan.variants.len())
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::variants::costs;
    use crate::report::variants::tests::report;

    fn notes_of(test: &str, shares: &[f64]) -> Vec<String> {
        let report = report(test, shares);
        let blocks = blocks(&report, &costs(&report));
        let notes = blocks.into_iter().filter_map(|block| match block {
            Block::Notes(notes) => Some(notes.notes),
            _ => None,
        });
        let plain = |note: Note| note.text.into_iter().map(|span| span.text).collect();
        notes.flatten().map(plain).collect()
    }

    #[test]
    fn a_search_is_said_to_have_no_ratio() {
        let search = "iperf3: { protocol: udp, datagram: 1400 }, \
                      find: { rate: max, from: 1 Mbit/s, to: 10 Gbit/s, within: 5%, while: 'lost_percent <= 0.1' }";
        assert_eq!(
            notes_of(search, &[]),
            ["`t` searches a rate: its variants are not compared"]
        );
    }

    #[test]
    fn few_rounds_are_advised_against_where_they_decide_nothing() {
        let wide = [0.8, 1.2, 0.9, 1.1, 0.8, 1.2];
        assert_eq!(
            notes_of("iperf3: {}, repeat: 4", &wide[..4]),
            ["4 rounds leave almost every ratio undecided; set `repeat` to 6 or more"]
        );
        assert!(notes_of("iperf3: {}, repeat: 6", &wide).is_empty());
        let clear = [0.5, 0.501, 0.5, 0.501];
        assert!(notes_of("iperf3: {}, repeat: 4", &clear).is_empty());
    }

    #[test]
    fn a_table_by_size_has_sizes_only_of_a_test_with_sizes() {
        let columns = |test: &str| {
            let report = report(test, &[0.97, 0.98, 0.96, 0.97, 0.95, 0.99]);
            let blocks = blocks(&report, &costs(&report));
            let mut tables = blocks.into_iter().filter_map(|block| match block {
                Block::Table(table) => Some(table),
                _ => None,
            });
            let names = |table: Table| table.columns.into_iter().map(|column| column.name);
            tables.next_back().map(names).unwrap().collect::<Vec<_>>()
        };
        assert_eq!(columns("iperf3: { streams: [1, 2] }"), ["with", "a"]);
        assert_eq!(columns("iperf3: { mss: [100, 200] }"), ["size", "a"]);
    }
}

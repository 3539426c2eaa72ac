//! What was done while the samples of a test ran, and when.

use super::block::{Block, Column, Meaning, Table, TableKind};
use crate::plan::Test;
use crate::report::Report;
use crate::results::mark::Mark;

/// Marks that are shown of each test.
const SHOWN: usize = 30;

/// The marks of a test; nothing of a test without `during:`.
pub fn blocks(report: &Report, test: &Test) -> Vec<Block> {
    let marks = report.marks.iter().filter(|mark| mark.test == test.name);
    table(&marks.collect::<Vec<_>>())
}

fn table(marks: &[&Mark]) -> Vec<Block> {
    if marks.is_empty() {
        return Vec::new();
    }
    let shown = marks.get(..SHOWN).unwrap_or(marks);
    let mut columns = Vec::new();
    if shown.iter().any(|mark| mark.variant.is_some()) {
        let variants = shown.iter().map(|mark| mark.variant.clone());
        columns.push(Column::words(
            "variant",
            variants.map(Option::unwrap_or_default),
        ));
    }
    if shown.iter().any(|mark| mark.params != shown[0].params) {
        columns.push(Column::words("with", shown.iter().map(|mark| params(mark))));
    }
    let samples = shown.iter().map(|mark| mark.sample.to_string());
    columns.push(Column::figures("sample", "", samples));
    let keys = columns.len();
    let at = shown.iter().map(|mark| format!("{:.3}", mark.offset_s));
    columns.push(Column::figures("after the go", "s", at));
    let uncertainties = shown
        .iter()
        .map(|mark| format!("{:.1}", mark.uncertainty_s * 1e3));
    columns.push(Column::figures("±", "ms", uncertainties));
    columns.push(Column::words("what", shown.iter().map(|mark| mark.what())));
    let mut blocks = vec![Block::Table(Table {
        kind: TableKind::List,
        caption: "Marks: what was done".to_owned(),
        columns,
        keys,
        ..Table::default()
    })];
    if marks.len() > shown.len() {
        let text = format!(
            "The first {SHOWN} of {} marks; `events.jsonl` has all.",
            marks.len()
        );
        blocks.push(Block::paragraph(Meaning::Dim, text));
    }
    blocks
}

fn params(mark: &Mark) -> String {
    let params = mark.params.0.iter();
    let texts = params.map(|(param, value)| format!("{param}={}", param.value_text(*value)));
    texts.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::results::mark::Edge;
    use crate::schedule::{Param, Params};

    fn mark(sample: u32, edge: Edge, mss: u64) -> Mark {
        Mark {
            test: "t".to_owned(),
            variant: None,
            params: Params(vec![(Param::Mss, mss)]),
            sample,
            entry: 0,
            edge,
            happened: Timestamp::UNIX_EPOCH,
            offset_s: 1.0004,
            uncertainty_s: 0.00025,
            exit_code: None,
            text: "freeze: w1".to_owned(),
        }
    }

    fn names(marks: &[Mark]) -> Vec<String> {
        let blocks = table(&marks.iter().collect::<Vec<_>>());
        let Some(Block::Table(table)) = blocks.first() else {
            return Vec::new();
        };
        table
            .columns
            .iter()
            .map(|column| column.name.clone())
            .collect()
    }

    #[test]
    fn parameters_are_shown_where_they_differ() {
        assert_eq!(names(&[]), Vec::<String>::new());
        let one = [mark(1, Edge::Begin, 96), mark(1, Edge::End, 96)];
        assert_eq!(names(&one), ["sample", "after the go", "±", "what"]);
        let two = [mark(1, Edge::Begin, 96), mark(1, Edge::Begin, 1460)];
        assert_eq!(names(&two), ["with", "sample", "after the go", "±", "what"]);
    }

    #[test]
    fn what_is_not_shown_is_counted() {
        let mark = mark(1, Edge::Moment, 96);
        let blocks = table(&[&mark; SHOWN + 1]);
        let expected = "The first 30 of 31 marks; `events.jsonl` has all.";
        assert_eq!(
            blocks.last(),
            Some(&Block::paragraph(Meaning::Dim, expected))
        );
        assert_eq!(table(&[&mark; SHOWN]).len(), 1);
    }
}

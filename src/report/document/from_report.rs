//! The whole report as a document.

use std::collections::BTreeSet;

use super::block::{Block, Document, Level, Meaning, Note, Notes, Span};
use super::footnotes::Footnotes;
use super::{
    baseline_table, expectations, heading, load_table, marks, outages, single_table, sweep_table,
    variants_table, warning_notes,
};
use crate::report::gate::{self, Judgement, Tally};
use crate::report::variants::costs;
use crate::report::{Report, summary};

impl Document {
    /// Tables, charts and notes: all that a person wants to know of a run.
    #[must_use]
    pub fn from_report(report: &Report) -> Document {
        let mut footnotes = Footnotes::new(report);
        let mut blocks = heading::blocks(report);
        blocks.extend(sections(report, &mut footnotes));
        blocks.extend(load_table::blocks(report));
        blocks.extend(baseline_table::blocks(report));
        blocks.extend(variants_table::blocks(report, &costs(report)));
        let judgements = gate::judge(report);
        let notes = [
            footnotes.notes(),
            warning_notes::notes(&footnotes.warnings),
            damage(report),
            expectations::notes(report, &judgements),
        ];
        let notes = notes.into_iter().filter(|notes| !notes.notes.is_empty());
        blocks.extend(notes.map(Block::Notes));
        let mut totals = vec![vec![outcome(report, &judgements)]];
        totals.extend(summary::partial(report).map(|text| vec![Span::new(Meaning::Warning, text)]));
        blocks.push(Block::Text(totals));
        Document { blocks }
    }
}

/// How the run went.
pub fn outcome(report: &Report, judgements: &[Judgement<'_>]) -> Span {
    let falls_short = Tally::new(judgements).falls_short(false);
    let meaning = if report.has_failures() || falls_short {
        Meaning::Failed
    } else if report.is_complete() && report.counts().skipped == 0 {
        Meaning::Good
    } else {
        Meaning::Warning
    };
    Span::new(meaning, summary::totals(report))
}

/// What is wrong with the journal.
pub fn damage(report: &Report) -> Notes {
    let note = |text: String| Note {
        mark: Span::new(Meaning::Warning, "!"),
        text: vec![Span::new(Meaning::Warning, text)],
        ..Note::default()
    };
    Notes {
        title: String::new(),
        notes: summary::damage(report).into_iter().map(note).collect(),
    }
}

/// A section for each test that has cells, in the plan's order.
fn sections(report: &Report, notes: &mut Footnotes) -> Vec<Block> {
    let mut blocks = Vec::new();
    for (test, cells) in report.plan.tests.iter().zip(report.cells_by_test()) {
        if cells.is_empty() {
            continue;
        }
        blocks.push(Block::Heading {
            level: Level::Section,
            title: test.name.clone(),
        });
        let sizes: BTreeSet<u64> = cells.iter().filter_map(|cell| cell.params.size()).collect();
        blocks.extend(if sizes.len() > 1 {
            sweep_table::blocks(report, test, &cells, &sizes, notes)
        } else {
            single_table::blocks(report, test, &cells, notes)
        });
        blocks.extend(outages::blocks(report, test, &cells));
        blocks.extend(marks::blocks(report, test, &cells));
    }
    blocks
}

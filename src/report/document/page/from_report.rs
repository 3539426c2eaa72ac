//! The order of the page.

use std::collections::BTreeSet;

use super::charts::{Quantity, capitalized, charts};
use super::section::{MOST_TESTS, heading};
use super::{cells_table, cpu, header, latency, ratios, variants, within};
use crate::diag;
use crate::plan::Test;
use crate::report::document::footnotes::Footnotes;
use crate::report::document::from_report::damage;
use crate::report::document::headline::HeadlineFormat;
use crate::report::document::{
    Block, Document, Fold, Meaning, baseline_table, expectations, load_table, marks, outages,
    single_table, sweep_table, warning_notes,
};
use crate::report::gate::{self, Judgement};
use crate::report::{CellReport, Report};
use crate::schedule::Param;
use crate::tools::name;

impl Document {
    /// The report with charts, for a page that people look at: what ran and how it went, a section for each
    /// test, ratios, CPU, warnings, the environment, the plan, and all cells.
    #[must_use]
    pub fn page_from_report(report: &Report) -> Document {
        let mut footnotes = Footnotes::new(report);
        let judgements = gate::judge(report);
        let mut blocks = header::blocks(report, &judgements);
        let mut tests: Vec<(&Test, Vec<&CellReport>)> = report
            .plan
            .tests
            .iter()
            .zip(report.cells_by_test())
            .filter(|(_, cells)| !cells.is_empty())
            .collect();
        // The first one is on the first screen: throughput by segment size, where it is measured.
        tests.sort_by_key(|(test, cells)| !is_sweep_of_segments(test, cells));
        for (test, cells) in tests.iter().take(MOST_TESTS) {
            blocks.extend(section(report, test, cells, &mut footnotes));
        }
        if tests.len() > MOST_TESTS {
            let text = format!(
                "The other {} are in the table of cells.",
                diag::count(tests.len() - MOST_TESTS, "test")
            );
            blocks.push(Block::paragraph(Meaning::Plain, text));
        }
        blocks.extend(load_section(report));
        blocks.extend(ratios_section(report));
        blocks.extend(variants::section(report));
        blocks.extend(cpu::section(report, &tests));
        blocks.extend(notes(report, &footnotes, &judgements));
        blocks.extend(header::environment(report));
        if !report.plan_text.is_empty() {
            blocks.push(heading("Plan"));
            blocks.push(Block::Code(report.plan_text.clone()));
        }
        blocks.extend(cells_table::section(report));
        Document { blocks }
    }
}

/// The tables of what charts show.
fn folded(blocks: Vec<Block>) -> Block {
    Block::Fold(Fold {
        title: "Figures as tables".to_owned(),
        blocks,
    })
}

fn is_sweep_of_segments(test: &Test, cells: &[&CellReport]) -> bool {
    let sizes: BTreeSet<u64> = cells
        .iter()
        .filter_map(|cell| cell.params.get(Param::Mss))
        .collect();
    test.tool.headline() == name::THROUGHPUT_BPS && sizes.len() >= sweep_table::CHARTED_FROM
}

/// What a test did, the chart of its headline metric, those of its latencies or losses, and its tables.
fn section(
    report: &Report,
    test: &Test,
    cells: &[&CellReport],
    footnotes: &mut Footnotes,
) -> Vec<Block> {
    let sizes: BTreeSet<u64> = cells.iter().filter_map(|cell| cell.params.size()).collect();
    let tables = if sizes.len() > 1 {
        sweep_table::blocks(report, test, cells, &sizes, footnotes)
    } else {
        single_table::blocks(report, test, cells, footnotes)
    };
    let (about, tables): (Vec<Block>, Vec<Block>) = tables
        .into_iter()
        .filter(|block| !matches!(block, Block::Chart(_)))
        .partition(|block| matches!(block, Block::Text(_)));
    let mut blocks = vec![heading(&test.name)];
    blocks.extend(about);
    let metric = test.tool.headline();
    let format = HeadlineFormat::new(report, &metric, cells);
    let mut headline = Quantity::from_metric(&metric, format.number);
    if sizes.len() >= sweep_table::CHARTED_FROM {
        headline
            .caption
            .extend([" by ", &sweep_table::size_axis(cells).name]);
    }
    blocks.extend(charts(report, cells, &headline, |cell| {
        report.headline(cell)
    }));
    blocks.extend(latency::charts(report, test, cells));
    blocks.extend(latency::losses(report, cells));
    blocks.extend(within::charts(report, test, cells));
    blocks.extend(outages::blocks(report, test, cells));
    blocks.extend(marks::blocks(report, test, cells));
    blocks.push(folded(tables));
    blocks
}

/// What loads do to latency.
fn load_section(report: &Report) -> Vec<Block> {
    let blocks = load_table::blocks(report).into_iter();
    blocks
        .map(|block| match block {
            Block::Heading { .. } => heading("Under load"),
            other => other,
        })
        .collect()
}

fn ratios_section(report: &Report) -> Vec<Block> {
    let mut blocks = vec![heading("Path ratios")];
    let mut tables = Vec::new();
    for block in baseline_table::blocks(report) {
        match block {
            Block::Heading { .. } => {}
            Block::Text(paragraphs) => {
                let text: String = paragraphs
                    .iter()
                    .flatten()
                    .map(|span| &*span.text)
                    .collect();
                blocks.push(Block::paragraph(Meaning::Plain, capitalized(&text)));
            }
            table => tables.push(table),
        }
    }
    if tables.is_empty() {
        return Vec::new();
    }
    blocks.extend(ratios::charts(report));
    blocks.push(folded(tables));
    blocks
}

/// Why cells have no figure, what speaks against figures, and how expectations came out.
fn notes(report: &Report, footnotes: &Footnotes, judgements: &[Judgement<'_>]) -> Vec<Block> {
    let expectations = expectations::notes(report, judgements);
    let notes = [
        footnotes.notes(),
        warning_notes::notes(&footnotes.warnings),
        damage(report),
    ];
    let notes: Vec<Block> = notes
        .into_iter()
        .filter(|notes| !notes.notes.is_empty())
        .map(Block::Notes)
        .collect();
    let mut blocks = vec![heading("Failures and warnings")];
    if notes.is_empty() {
        let text = "Every cell has a figure, and no figure has a warning.";
        blocks.push(Block::paragraph(Meaning::Plain, text));
    }
    blocks.extend(notes);
    if !expectations.notes.is_empty() {
        blocks.push(heading("Expectations"));
        blocks.push(Block::Notes(expectations));
    }
    blocks
}

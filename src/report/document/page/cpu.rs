//! What a gigabit costs: CPU at both ends by throughput.

use super::charts::{Quantity, charts};
use super::section::{MOST_TESTS, heading, left_out};
use crate::plan::Test;
use crate::report::document::number_format::NumberFormat;
use crate::report::document::{Axis, Block, Meaning};
use crate::report::{CellReport, Report, cpu_per_gbit, labels};
use crate::results::Sample;
use crate::tools::name;

fn cost(sample: &Sample) -> Option<f64> {
    cpu_per_gbit(
        sample,
        &[name::CPU_PERCENT_CLIENT, name::CPU_PERCENT_SERVER],
    )
}

/// The charts of the tests that measure both.
pub fn section(report: &Report, tests: &[(&Test, Vec<&CellReport>)]) -> Vec<Block> {
    let means = |cells: &[&CellReport]| -> Vec<f64> {
        let figures = cells.iter().filter_map(|cell| report.figure_of(cell, cost));
        figures.map(|figure| figure.summary.mean).collect()
    };
    let measured: Vec<_> = tests
        .iter()
        .map(|(test, cells)| (test, cells, means(cells)))
        .filter(|(.., means)| !means.is_empty())
        .collect();
    if measured.is_empty() {
        return Vec::new();
    }
    let mut blocks = Vec::new();
    let mut about: Vec<&str> = Vec::new();
    for (test, cells, means) in measured.iter().take(MOST_TESTS) {
        let quantity = Quantity {
            caption: test.name.clone(),
            axis: Axis {
                name: "CPU of both ends".to_owned(),
                unit: "% per Gbit/s".to_owned(),
            },
            format: NumberFormat::new(means, 1.0, 1, "% per Gbit/s"),
        };
        let text = labels::cpu_of(&test.tool);
        if !about.contains(&text) {
            about.push(text);
        }
        blocks.extend(charts(report, cells, &quantity, |cell| {
            report.figure_of(cell, cost)
        }));
    }
    blocks.extend(left_out(measured.len().saturating_sub(MOST_TESTS), "test"));
    let about = format!(
        "CPU at client and server together for each Gbit/s that arrives: {}",
        about.join("; ")
    );
    let mut section = vec![
        heading("CPU per Gbit/s"),
        Block::paragraph(Meaning::Plain, about),
    ];
    section.extend(blocks);
    section
}

//! What a gigabit costs: CPU at both ends by throughput.

use super::charts::{Quantity, charts};
use super::section::heading;
use crate::plan::Test;
use crate::report::document::number_format::NumberFormat;
use crate::report::document::{Axis, Block, Meaning};
use crate::report::{CellReport, Report, labels};
use crate::results::Sample;
use crate::tools::name;

/// CPU at client and server in percent, for each Gbit/s that was received.
fn cpu_per_gbit(sample: &Sample) -> Option<f64> {
    let cpu = sample.metrics.get(name::CPU_PERCENT_CLIENT)?
        + sample.metrics.get(name::CPU_PERCENT_SERVER)?;
    let cost = cpu / (sample.metrics.get(name::THROUGHPUT_BPS)? / 1e9);
    cost.is_finite().then_some(cost)
}

/// The charts of all tests that measure both.
pub fn section(report: &Report, tests: &[(&Test, Vec<&CellReport>)]) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut about: Vec<&str> = Vec::new();
    for (test, cells) in tests {
        let figures = cells
            .iter()
            .filter_map(|cell| report.figure_of(cell, cpu_per_gbit));
        let means: Vec<f64> = figures.map(|figure| figure.summary.mean).collect();
        if means.is_empty() {
            continue;
        }
        let quantity = Quantity {
            caption: test.name.clone(),
            axis: Axis {
                name: "CPU of both ends".to_owned(),
                unit: "% per Gbit/s".to_owned(),
            },
            format: NumberFormat::new(&means, 1.0, 1, "% per Gbit/s"),
        };
        let text = labels::cpu_of(&test.tool);
        if !about.contains(&text) {
            about.push(text);
        }
        blocks.extend(charts(report, cells, &quantity, |cell| {
            report.figure_of(cell, cpu_per_gbit)
        }));
    }
    if blocks.is_empty() {
        return blocks;
    }
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

//! `OpenMetrics` text (version 1.0), for `node_exporter`'s textfile collector and for a push gateway.
//!
//! ```text
//! # TYPE netplan_throughput_bits_per_second gauge
//! # UNIT netplan_throughput_bits_per_second bits_per_second
//! # HELP netplan_throughput_bits_per_second Bits a second that arrived.
//! netplan_throughput_bits_per_second{plan="default",test="iperf3-tcp",path="hairpin",statistic="mean"} 3.1e10
//! ```
//!
//! A series is a test and an item of the plan's `paths`, never a pair of a mesh: their number grows with the square of
//! the nodes. Its statistics are over the cells, each with the mean of its samples. Units are the base units. All are
//! gauges without times: the textfile collector and the gateway refuse times, and older readers other types.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write as _;

use crate::diag::printable;
use crate::plan::{Metric, Test, Unit, VARIANT_MARK};
use crate::report::gate;
use crate::report::warnings::Warnings;
use crate::report::{CellReport, CellState, Report};
use crate::statistics::Summary;

/// What each name begins with.
const PREFIX: &str = "netplan_";

/// The report as `OpenMetrics` text.
#[must_use]
pub fn render(report: &Report) -> String {
    let mut families = Families {
        plan: &report.plan.name,
        families: BTreeMap::new(),
    };
    run(report, &mut families);
    let by_metric = by_metric(&report.plan.tests);
    for (test, cells) in report.plan.tests.iter().zip(report.cells_by_test()) {
        for (path, cells) in by_entry(report, &cells) {
            let labels = [("test", &*test.name), ("path", &*path)];
            states(&cells, &labels, &mut families);
            for metric in test.metrics() {
                let means = cells.iter().filter_map(|cell| cell.measured(metric.name()));
                let over_cells = Summary::from_values(means.map(|summary| summary.mean));
                let Some((over_cells, family)) = over_cells.zip(by_metric.get(metric.name()))
                else {
                    continue;
                };
                for (statistic, value) in [
                    ("mean", over_cells.mean),
                    ("min", over_cells.min),
                    ("max", over_cells.max),
                ] {
                    let labels = [labels[0], labels[1], ("statistic", statistic)];
                    families.set(family, &labels, value * factor(metric.unit()));
                }
            }
        }
    }
    families.text()
}

/// The names of the families that a test can have, for what refers to them.
#[must_use]
pub fn metric_names(test: &Test) -> Vec<String> {
    let families = by_metric(std::slice::from_ref(test)).into_values();
    families.map(|family| family.name).collect()
}

/// The families of the tests' metrics, by the names of the metrics. Where two names differ only in characters that a
/// family cannot have, the later one has a number: it depends on the plan, not on what was measured.
fn by_metric(tests: &[Test]) -> HashMap<String, Family> {
    let mut families = HashMap::new();
    let mut taken = HashSet::new();
    for metric in tests.iter().flat_map(Test::metrics) {
        if families.contains_key(metric.name()) {
            continue;
        }
        let mut numbered = (1..).map(|number| Family::for_metric(&metric, number));
        if let Some(family) = numbered.find(|family| !taken.contains(&family.name)) {
            taken.insert(family.name.clone());
            families.insert(metric.name().to_owned(), family);
        }
    }
    families
}

/// What is about the whole run.
fn run(report: &Report, families: &mut Families<'_>) {
    let mut add =
        |name: &str, unit: &'static str, help: &str, labels: &[(&str, &str)], value: f64| {
            let family = Family {
                name: format!("{PREFIX}{name}"),
                unit,
                help: help.to_owned(),
            };
            families.count(&family, labels, value);
        };
    if let Some((started, ended)) = report.span {
        let seconds = |at: jiff::Timestamp| at.as_millisecond() as f64 / 1e3;
        let times = [
            (
                "run_started_seconds",
                started,
                "Time of the run's first event, in seconds since 1970.",
            ),
            (
                "run_ended_seconds",
                ended,
                "Time of the run's last event, in seconds since 1970.",
            ),
        ];
        for (name, at, help) in times {
            add(name, "seconds", help, &[], seconds(at));
        }
    }
    let complete = f64::from(u8::from(report.is_complete()));
    add(
        "run_complete",
        "",
        "1 if the run ended by itself and every cell has an outcome.",
        &[],
        complete,
    );
    for judgement in gate::judge(report) {
        let labels = [("verdict", judgement.verdict.name())];
        add(
            "expectations",
            "",
            "Expectations of the plan, by verdict.",
            &labels,
            1.0,
        );
    }
    for group in Warnings::from_report(report).groups {
        let labels = [("kind", group.kind.name())];
        let help = "Cells that have a warning, by its kind.";
        add("warned_cells", "", help, &labels, group.cells as f64);
    }
}

/// The cells of a test by the item of the plan's `paths` that they belong to, under each variant.
fn by_entry<'a>(
    report: &'a Report,
    cells: &[&'a CellReport],
) -> Vec<(String, Vec<&'a CellReport>)> {
    let mut entries: Vec<_> = report
        .plan
        .entries()
        .map(|(name, range)| (name, range, Vec::new()))
        .collect();
    for cell in cells {
        let Some(path) = report.schedule.rows.get(cell.row).map(|row| row.path) else {
            continue;
        };
        // The ranges are in order and without gaps.
        let at = entries.partition_point(|(_, range, _)| range.end <= path);
        if let Some((_, _, of_entry)) = entries.get_mut(at) {
            of_entry.push(*cell);
        }
    }
    let measured = entries.into_iter().filter(|(.., cells)| !cells.is_empty());
    let named = measured.map(|(name, paths, cells)| {
        let path = report.plan.paths.get(paths.start);
        let variant = path.filter(|path| path.variant > 0);
        let variant = variant.and_then(|path| report.plan.variant_name(path.variant));
        let name = match variant {
            Some(variant) => format!("{name}{VARIANT_MARK}{variant}"),
            None => name.to_owned(),
        };
        (name, cells)
    });
    named.collect()
}

/// How many cells ended how.
fn states(cells: &[&CellReport], labels: &[(&str, &str); 2], families: &mut Families<'_>) {
    let family = Family {
        name: format!("{PREFIX}cells"),
        unit: "",
        help: "Cells of a test and path, by what became of them.".to_owned(),
    };
    let state = |cell: &CellReport| match cell.state {
        CellState::Measured => "measured",
        CellState::Failed(_) => "failed",
        CellState::Skipped(_) => "skipped",
        CellState::Partial => "partial",
        CellState::Missing => "missing",
    };
    for name in ["measured", "failed", "skipped", "partial", "missing"] {
        let count = cells.iter().filter(|cell| state(cell) == name).count();
        let labels = [labels[0], labels[1], ("state", name)];
        families.set(&family, &labels, count as f64);
    }
}

/// From netplan's unit to the base unit.
fn factor(unit: Unit) -> f64 {
    match unit {
        Unit::BitsPerSecond | Unit::PerSecond | Unit::Bytes | Unit::Count => 1.0,
        Unit::Microseconds => 1e-6,
        Unit::Percent => 1e-2,
    }
}

/// A metric family: its name, which ends in the unit, and what it means.
#[derive(Clone)]
struct Family {
    name: String,
    unit: &'static str,
    help: String,
}

impl Family {
    /// The family of a metric. `number` is part of its name if it is not 1.
    fn for_metric(metric: &Metric, number: u32) -> Family {
        let unit = match metric.unit() {
            Unit::BitsPerSecond => "bits_per_second",
            Unit::PerSecond => "per_second",
            Unit::Bytes => "bytes",
            Unit::Microseconds => "seconds",
            Unit::Percent => "ratio",
            Unit::Count => "",
        };
        let (head, rest, _) = Unit::split_name(metric.name());
        // A declared tool can call its metrics as netplan calls what it counts itself, e.g. `cells`.
        let owner = match Metric::from_name(metric.name()) {
            Some(_) => "",
            None => "tool_",
        };
        let suffix = match number {
            1 => String::new(),
            number => format!("_{number}"),
        };
        let mut name = format!("{PREFIX}{owner}{head}{rest}{suffix}_{unit}");
        name = name.replace(|c: char| !c.is_ascii_alphanumeric(), "_");
        let help = match metric.text() {
            "" => "A metric of a declared tool.",
            text => text,
        };
        Family {
            name: name.trim_end_matches('_').to_owned(),
            unit,
            help: help.to_owned(),
        }
    }
}

/// All families, with their samples by labels.
struct Families<'a> {
    plan: &'a str,
    families: BTreeMap<String, (Family, BTreeMap<String, f64>)>,
}

impl Families<'_> {
    /// Sets the sample with these labels.
    fn set(&mut self, family: &Family, labels: &[(&str, &str)], value: f64) {
        *self.sample(family, labels) = value;
    }

    /// Adds to the count with these labels.
    fn count(&mut self, family: &Family, labels: &[(&str, &str)], count: f64) {
        *self.sample(family, labels) += count;
    }

    fn sample(&mut self, family: &Family, labels: &[(&str, &str)]) -> &mut f64 {
        let mut text = format!("plan=\"{}\"", escape(self.plan));
        for (name, label) in labels {
            let _ = write!(text, ",{name}=\"{}\"", escape(label));
        }
        let entry = self.families.entry(family.name.clone());
        let (_, samples) = entry.or_insert_with(|| (family.clone(), BTreeMap::new()));
        samples.entry(text).or_default()
    }

    fn text(self) -> String {
        let mut out = String::new();
        for (family, samples) in self.families.into_values() {
            let Family { name, unit, help } = family;
            let _ = writeln!(out, "# TYPE {name} gauge");
            if !unit.is_empty() {
                let _ = writeln!(out, "# UNIT {name} {unit}");
            }
            let _ = writeln!(out, "# HELP {name} {}", help_text(&help));
            for (labels, value) in samples {
                let _ = writeln!(out, "{name}{{{labels}}} {value:?}");
            }
        }
        out.push_str("# EOF\n");
        out
    }
}

/// A help text: one line. Readers of the older text format take `\\` and `\n` for escapes, and refuse an escaped quote.
fn help_text(text: &str) -> String {
    escape(&text.replace('"', "'"))
}

/// A label's value: one line, with `\\`, `"` and what is not safe to show escaped.
fn escape(text: &str) -> String {
    let line = printable::line(text);
    line.replace('\\', r"\\").replace('"', "\\\"")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::diag::printable::tests::hostile;

    proptest! {
        /// Whatever a label says, it stays one quoted text on one line.
        #[test]
        fn a_label_cannot_end_its_quotes(text in hostile()) {
            let escaped = escape(&text);
            prop_assert!(!escaped.contains(['\n', '\r', '\u{1b}']), "{}", escaped);
            let mut letters = escaped.chars();
            while let Some(c) = letters.next() {
                prop_assert_ne!(c, '"');
                if c == '\\' {
                    prop_assert!(matches!(letters.next(), Some('\\' | '"')), "{}", escaped);
                }
            }
        }
    }
}

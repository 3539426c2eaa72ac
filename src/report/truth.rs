//! What theory says of an emulated link, beside what was found. Pure.
//!
//! The link's rate counts Ethernet, IP and transport headers (tc-tbf(8)), so that of each segment
//! only its payload is goodput: rate · payload / (payload + headers).

use serde::Serialize;

use super::fold::{CellReport, CellState, Report, RunState};
use super::words;
use crate::plan::units::BitRate;
use crate::plan::{Iperf3, NetperfTest, Protocol, ToolSpec};
use crate::results::doubts::Kind;
use crate::results::statistics::clopper_pearson;
use crate::results::{Doubt, Summary};
use crate::schedule::Param;
use crate::tools::name;

/// Header bytes of a segment: Ethernet 14, IPv4 20, TCP 20.
const HEADERS: f64 = 54.0;
/// TCP's timestamps, where they are on (RFC 7323: 10, and 2 to align).
const TIMESTAMPS: f64 = 12.0;
/// How far a rate may be off theory.
const RATE_PERCENT: f64 = 1.0;
/// How far a round trip may be off theory: the ends' own work is in it.
const ROUND_TRIP_PERCENT: f64 = 5.0;
/// A right link falls out of the interval of its losses once in a thousand times.
const LOSS_ALPHA: f64 = 0.001;

/// A figure that theory knows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Line {
    pub what: String,
    pub unit: &'static str,
    /// None where theory needs a figure that was not found.
    pub theory: Option<f64>,
    /// The median over the samples.
    pub found: Option<f64>,
    pub allowed: Allowed,
    #[serde(flatten)]
    pub verdict: Verdict,
    /// Of the samples, where the line failed: why that may be.
    pub doubts: Vec<Kind>,
}

/// How far off a figure may be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Allowed {
    /// Of theory, to either side.
    Percent(f64),
    /// Theory lies within the exact binomial interval of what was found (Clopper and Pearson), at
    /// 99.9 %. In the line's unit; None when nothing was found.
    Interval(Option<(f64, f64)>),
}

/// What to make of a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", content = "why", rename_all = "snake_case")]
pub enum Verdict {
    Passed,
    /// Why, where there is more to say than that the figure is off.
    Failed(Option<String>),
    Skipped(String),
}

/// A line for each cell of which theory says something. `skipped` is the reason for which the plan
/// was not run.
#[must_use]
pub fn of(report: &Report, skipped: Option<&str>) -> Vec<Line> {
    let line = |cell: &CellReport| {
        let (_, test, _) = report.row(cell.row)?;
        let mut line = claim(report, &test.tool, cell)?;
        match (&cell.state, skipped) {
            (_, Some(reason)) => line.verdict = Verdict::Skipped(reason.to_owned()),
            (CellState::Skipped(reason), None) => line.verdict = Verdict::Skipped(reason.clone()),
            (CellState::Failed(failure), None) => {
                let why = format!("{}: {}", failure.cause, failure.words);
                line.verdict = Verdict::Failed(Some(why));
            }
            (CellState::Missing, None) if report.state == RunState::Cancelled => {
                line.verdict = Verdict::Skipped("the run was interrupted".to_owned());
            }
            (CellState::Missing, None) => {
                line.verdict = Verdict::Failed(Some("it was not measured".to_owned()));
            }
            (CellState::Measured, None) => {}
        }
        if let Verdict::Failed(_) = line.verdict {
            let doubts = cell.samples.iter().flat_map(|sample| &sample.doubts);
            line.doubts = doubts.map(Doubt::kind).collect();
            line.doubts.sort_unstable();
            line.doubts.dedup();
        }
        Some(line)
    };
    report.cells.iter().filter_map(line).collect()
}

/// What theory says of a cell; None when it says nothing.
fn claim(report: &Report, tool: &ToolSpec, cell: &CellReport) -> Option<Line> {
    let link = &report.plan.local.links;
    match tool {
        ToolSpec::Iperf3(Iperf3 {
            protocol: Protocol::Tcp,
            ..
        }) => Some(goodput(link.rate?, cell)),
        ToolSpec::Iperf3(_) => match link.loss {
            Some(loss) => Some(lost(loss.0, cell)),
            None => received(cell),
        },
        ToolSpec::Netperf(spec) => (spec.test == NetperfTest::TcpRr)
            .then_some(link.delay?)
            .map(|delay| round_trip(delay.0, cell)),
    }
}

fn goodput(rate: BitRate, cell: &CellReport) -> Line {
    let effective = median(cell, name::EFFECTIVE_MSS);
    let what = match (effective, cell.params.get(Param::Mss)) {
        (Some(effective), _) => format!("TCP goodput over {rate}, {effective:.0} bytes a segment"),
        (None, Some(asked)) => format!("TCP goodput over {rate}, MSS {asked}"),
        (None, None) => format!("TCP goodput over {rate}"),
    };
    let theory = effective.map(|payload| {
        // Without timestamps the whole of the requested MSS is payload.
        let asked = cell.params.get(Param::Mss).map(|asked| asked as f64);
        let stamps = asked.is_none_or(|asked| payload < asked);
        let headers = HEADERS + if stamps { TIMESTAMPS } else { 0.0 };
        rate.0 as f64 * payload / (payload + headers) / 1e6
    });
    let found = median(cell, name::THROUGHPUT_BPS).map(|bps| bps / 1e6);
    within(what, "Mbit/s", theory, found, RATE_PERCENT)
}

fn received(cell: &CellReport) -> Option<Line> {
    let offered = cell.params.get(Param::Rate)?;
    let what = format!("UDP received of {} sent", BitRate(offered));
    let found = median(cell, name::THROUGHPUT_BPS).map(|bps| bps / 1e6);
    let theory = offered as f64 / 1e6;
    Some(within(what, "Mbit/s", Some(theory), found, RATE_PERCENT))
}

fn round_trip(delay: std::time::Duration, cell: &CellReport) -> Line {
    let ms = delay.as_secs_f64() * 1e3;
    let what = format!("round trip, {ms} ms each way");
    let found = median(cell, name::LATENCY_MEAN_US).map(|us| us / 1e3);
    within(what, "ms", Some(2.0 * ms), found, ROUND_TRIP_PERCENT)
}

fn within(
    what: String,
    unit: &'static str,
    theory: Option<f64>,
    found: Option<f64>,
    percent: f64,
) -> Line {
    let verdict = match theory.zip(found) {
        Some((theory, found)) if (found - theory).abs() <= theory * percent / 100.0 => {
            Verdict::Passed
        }
        Some(_) => Verdict::Failed(None),
        None => Verdict::Failed(Some("a figure is missing".to_owned())),
    };
    Line {
        what,
        unit,
        theory,
        found,
        allowed: Allowed::Percent(percent),
        verdict,
        doubts: Vec::new(),
    }
}

/// Datagrams lost of those sent, over all samples; each is lost or not by itself.
fn lost(percent: f64, cell: &CellReport) -> Line {
    let what = format!("UDP datagrams lost, the link loses {percent} %");
    let counted = datagrams(cell);
    let found = counted.map(|(lost, sent)| 100.0 * lost as f64 / sent as f64);
    let interval = counted
        .and_then(|(lost, sent)| clopper_pearson(lost, sent, LOSS_ALPHA))
        .map(|interval| (100.0 * interval.low, 100.0 * interval.high));
    let verdict = match interval {
        Some((low, high)) if (low..=high).contains(&percent) => Verdict::Passed,
        Some(_) => Verdict::Failed(None),
        None => Verdict::Failed(Some("a figure is missing".to_owned())),
    };
    Line {
        what,
        unit: "%",
        theory: Some(percent),
        found,
        allowed: Allowed::Interval(interval),
        verdict,
        doubts: Vec::new(),
    }
}

/// More than any run sends; what says so is damaged, and its interval would take long to find.
const MOST_DATAGRAMS: f64 = 1e9;

/// How many datagrams were lost and sent in all samples, from rates, times and the share lost.
fn datagrams(cell: &CellReport) -> Option<(u64, u64)> {
    let size = cell.params.get(Param::Datagram).filter(|size| *size > 0)? as f64;
    let (mut lost, mut sent) = (0.0, 0.0);
    for sample in &cell.samples {
        let metric = |name| sample.metrics.get(name);
        let all = metric(name::SENT_BPS)? * metric(name::ELAPSED_S)? / 8.0 / size;
        lost += all * (metric(name::LOST_PERCENT)? / 100.0).clamp(0.0, 1.0);
        sent += all;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a count; what is none becomes 0 or the largest"
    )]
    let count = |datagrams: f64| datagrams.round() as u64;
    (0.5..=MOST_DATAGRAMS)
        .contains(&sent)
        .then(|| (count(lost).min(count(sent)), count(sent)))
}

fn median(cell: &CellReport, metric: &str) -> Option<f64> {
    let values = cell.samples.iter().filter_map(|s| s.metrics.get(metric));
    Some(Summary::of(values)?.median)
}

/// The lines for people, and how many of them passed, with a newline at the end.
#[must_use]
pub fn table(lines: &[Line]) -> String {
    let titles = ["", "", "theory", "found", "", "off", "allowed"].map(str::to_owned);
    let rows: Vec<[String; 7]> = std::iter::once(titles)
        .chain(lines.iter().map(row))
        .collect();
    let widths: Vec<usize> = (0..7)
        .map(|i| {
            rows.iter()
                .map(|row| row[i].chars().count())
                .max()
                .unwrap_or(0)
        })
        .collect();
    let mut text = String::new();
    let mut put = |line: &str| {
        text.push_str(line.trim_end());
        text.push('\n');
    };
    for (at, row) in rows.iter().enumerate() {
        let fields = row
            .iter()
            .zip(&widths)
            .enumerate()
            .map(|(i, (field, width))| {
                if (2..4).contains(&i) || i == 5 {
                    format!("{field:>width$}")
                } else {
                    format!("{field:width$}")
                }
            });
        put(&fields.collect::<Vec<_>>().join("  "));
        let Some(line) = at.checked_sub(1).and_then(|at| lines.get(at)) else {
            continue;
        };
        match &line.verdict {
            Verdict::Skipped(why) | Verdict::Failed(Some(why)) => {
                for part in words::wrap(why, 90, "") {
                    put(&format!("           {part}"));
                }
            }
            Verdict::Passed | Verdict::Failed(None) => {}
        }
        for doubt in &line.doubts {
            put(&format!("           doubt: {}", doubt.title()));
        }
    }
    let [passed, failed, skipped] = counts(lines);
    text + &format!(
        "
{passed} passed, {failed} failed, {skipped} skipped
"
    )
}

fn row(line: &Line) -> [String; 7] {
    let verdict = match line.verdict {
        Verdict::Passed => "✓ passed",
        Verdict::Failed(_) => "✗ failed",
        Verdict::Skipped(_) => "– skipped",
    };
    let figure = |value: Option<f64>| value.map_or_else(|| "?".to_owned(), |v| format!("{v:.2}"));
    let (found, off) = match (&line.verdict, line.theory.zip(line.found)) {
        (Verdict::Skipped(_), _) => (String::new(), String::new()),
        (_, None) => (figure(line.found), String::new()),
        (_, Some((theory, found))) => {
            let off = match line.allowed {
                Allowed::Percent(_) if theory > 0.0 => {
                    format!("{:+.2} %", 100.0 * (found / theory - 1.0))
                }
                _ => String::new(),
            };
            (figure(Some(found)), off)
        }
    };
    let allowed = match line.allowed {
        Allowed::Percent(percent) => format!("±{percent} %"),
        Allowed::Interval(None) => "binomial interval".to_owned(),
        Allowed::Interval(Some((low, high))) => format!("theory in {low:.2}..{high:.2}"),
    };
    [
        verdict.to_owned(),
        line.what.clone(),
        figure(line.theory),
        found,
        line.unit.to_owned(),
        off,
        allowed,
    ]
}

/// How many lines passed, failed, and were skipped.
#[must_use]
pub fn counts(lines: &[Line]) -> [usize; 3] {
    let mut counts = [0; 3];
    for line in lines {
        counts[match line.verdict {
            Verdict::Passed => 0,
            Verdict::Failed(_) => 1,
            Verdict::Skipped(_) => 2,
        }] += 1;
    }
    counts
}

/// The lines as a JSON document, with a newline at its end.
///
/// # Errors
/// Never: there are no maps with other keys than strings.
pub fn json(lines: &[Line]) -> serde_json::Result<String> {
    let [passed, failed, skipped] = counts(lines);
    let document = serde_json::json!({
        "version": 1,
        "passed": passed,
        "failed": failed,
        "skipped": skipped,
        "lines": lines,
    });
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::diag::Source;
    use crate::plan;
    use crate::schedule::{CellId, Params, Schedule, Selection};
    use crate::tools::{Cause, Failure, Metrics};

    const LINKS: &str = "\
version: 1
name: links
workers: { client: {}, server: { other_node_than: client } }
paths: [{ name: link, from: client, to: server, via: pod_ip }]
tests:
  - iperf3: { mss: [548, 1460] }
  - iperf3: { protocol: udp, datagram: 1400, rate: 20 Mbit/s }
  - netperf: { test: TCP_RR }
  - netperf: { test: TCP_STREAM }
local: { links: { rate: 100 Mbit/s, delay: 5ms LOSS } }
";

    fn report(loss: &str) -> Report {
        let text = LINKS.replace(" LOSS", loss);
        let plan = plan::load(Source::new("links.yaml".to_owned(), text), &[]).unwrap();
        let schedule = Schedule::of(&plan, &Selection::all());
        Report::fold([], plan, schedule)
    }

    fn sample(cell: &CellReport, figures: &[(&str, f64)]) -> crate::results::Sample {
        let mut metrics = Metrics::default();
        for (name, value) in figures {
            metrics.set(name, *value);
        }
        crate::results::Sample {
            cell: CellId(cell.id.0.clone()),
            path: String::new(),
            tool: String::new(),
            sample: 1,
            attempt: 1,
            params: Params::default(),
            started: jiff::Timestamp::UNIX_EPOCH,
            wall_s: 1.0,
            command: Vec::new(),
            server_command: Vec::new(),
            metrics,
            doubts: vec![Doubt::CpuSaturated {
                end: crate::results::observed::End::Client,
                busy_percent: 99.0,
            }],
            raw: None,
        }
    }

    fn measured(report: &mut Report, at: usize, figures: &[(&str, f64)]) {
        let new = sample(&report.cells[at], figures);
        report.cells[at].samples.push(new);
        report.cells[at].state = CellState::Measured;
    }

    fn goodput(mbit: f64, payload: f64) -> [(&'static str, f64); 2] {
        [
            (name::THROUGHPUT_BPS, mbit * 1e6),
            (name::EFFECTIVE_MSS, payload),
        ]
    }

    fn losses(percent: f64) -> [(&'static str, f64); 4] {
        [
            (name::THROUGHPUT_BPS, 20e6 * (1.0 - percent / 100.0)),
            (name::SENT_BPS, 20e6),
            (name::ELAPSED_S, 5.6),
            (name::LOST_PERCENT, percent),
        ]
    }

    #[test]
    fn the_table_and_its_json_from_fixed_figures() {
        let mut report = report(", loss: 1%");
        for mbit in [88.9, 89.1, 60.0] {
            measured(&mut report, 0, &goodput(mbit, 536.0));
        }
        measured(&mut report, 1, &goodput(72.4, 1448.0));
        measured(&mut report, 2, &losses(1.08));
        report.cells[3].state = CellState::Failed(Failure {
            cause: Cause::Timeout,
            words: "netperf was killed".to_owned(),
        });
        let mut lines = of(&report, None);
        let reason = "this kernel lacks netem, which delays packets; install \
                      linux-modules-extra, or leave `delay` away";
        lines.extend(of(&report, Some(reason)).pop());
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots"));
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| {
            insta::assert_snapshot!("selftest_table", table(&lines));
            insta::assert_snapshot!("selftest_json", json(&lines).unwrap());
        });
    }

    #[test]
    fn without_timestamps_the_whole_mss_is_payload() {
        let mut report = report("");
        measured(&mut report, 1, &goodput(96.43, 1460.0));
        let line = &of(&report, None)[1];
        assert_eq!(line.verdict, Verdict::Passed, "{line:?}");
        let theory = 100.0 * 1460.0 / 1514.0;
        assert!((line.theory.unwrap() - theory).abs() < 1e-9);
    }

    #[test]
    fn what_nobody_measured_did_not_pass() {
        let lines = of(&report(""), None);
        // TCP_STREAM is no claim: its MSS is not asked for.
        assert_eq!(lines.len(), 4);
        assert_eq!(counts(&lines), [0, 4, 0]);
        assert_eq!(counts(&of(&report(""), Some("no netem"))), [0, 0, 4]);
        let interrupted = Report {
            state: RunState::Cancelled,
            ..report("")
        };
        assert_eq!(counts(&of(&interrupted, None)), [0, 0, 4]);
    }

    proptest! {
        #[test]
        fn a_rate_passes_within_one_percent_of_theory_and_not_beyond(
            payload in 100.0..1448.0_f64, off in -0.05..0.05_f64,
        ) {
            let theory = 100.0 * payload / (payload + 66.0);
            let mut report = report("");
            measured(&mut report, 1, &goodput(theory * (1.0 + off), payload));
            prop_assume!((off.abs() - 0.01).abs() > 1e-9);
            let passed = of(&report, None)[1].verdict == Verdict::Passed;
            prop_assert_eq!(passed, off.abs() < 0.01);
        }

        /// More lost than a right link would, or less, fails; a right share never does.
        #[test]
        fn losses_pass_around_theory(percent in 0.0..100.0_f64) {
            let mut report = report(", loss: 1%");
            measured(&mut report, 2, &losses(percent));
            let line = &of(&report, None)[2];
            // 10000 datagrams: three standard deviations are 0.3 %, five are 0.5 %.
            if (percent - 1.0).abs() < 0.25 {
                prop_assert_eq!(&line.verdict, &Verdict::Passed);
            } else if (percent - 1.0).abs() > 0.5 {
                prop_assert_eq!(&line.verdict, &Verdict::Failed(None));
            }
        }

        #[test]
        fn any_figures_give_lines_that_can_be_told(values: [f64; 6], loss: bool) {
            let mut report = report(if loss { ", loss: 1%" } else { "" });
            let names = [
                name::THROUGHPUT_BPS, name::EFFECTIVE_MSS, name::SENT_BPS, name::ELAPSED_S,
                name::LOST_PERCENT, name::LATENCY_MEAN_US,
            ];
            let figures: Vec<(&str, f64)> = names.into_iter().zip(values).collect();
            for cell in 0..report.cells.len() {
                measured(&mut report, cell, &figures);
            }
            let lines = of(&report, None);
            prop_assert_eq!(lines.len(), 4);
            prop_assert!(!table(&lines).is_empty() && json(&lines).is_ok());
        }
    }
}

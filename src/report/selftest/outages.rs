//! The gaps of the probe beside the cuts that caused them.
//!
//! A cut drops all packets from one moment to another, so a gap over UDP or between new connections is as long as the cut. An
//! established TCP connection resumes later, with the kernel's retransmission, so its gap is held to a packet capture.

use jiff::Timestamp;

use super::check::{Allowed, Check, Verdict};
use super::outage_truth::{Cut, Stretch, cuts, cuts_a_sample, near, silences};
use super::theory::settled;
use crate::plan::{Test, ToolSpec};
use crate::report::{CellReport, Report};
use crate::statistics::Summary;
use crate::tools::{Gaps, Probing, Traffic, probed};

/// How far a gap may be off.
const TOLERANCE_MS: f64 = 2.0;
/// The share of gaps that may be further off on a quiet machine.
const OFF_SHARE: f64 = 0.01;
/// On a quiet machine a check fails at most twice in a thousand times.
const ALPHA: f64 = 0.002;
/// Shorter silences of a capture are not gaps of the probe either.
const SHORTEST_MS: f64 = 10.0;

/// A check for each path and kind of traffic of tests that cut links. `arrivals` are those of answers over the established
/// connection, by a packet capture. `skipped` is the reason why the plan was not run.
#[must_use]
pub fn outage_checks(report: &Report, arrivals: &[Timestamp], skipped: Option<&str>) -> Vec<Check> {
    let of_cell = |cell: &CellReport| {
        let (_, test, _) = report.row(cell.row)?;
        let ToolSpec::BuiltIn(used) = &test.tool else {
            return None;
        };
        let each = cuts_a_sample(test)?;
        let kinds = probed(used).into_iter();
        let checks = kinds.map(|probing| {
            let gaps = Beside {
                report,
                test,
                cell,
                probing,
            };
            let check = gaps.check(each, arrivals);
            settled(check, report, test, cell, skipped)
        });
        Some(checks.collect::<Vec<_>>())
    };
    report.cells.iter().filter_map(of_cell).flatten().collect()
}

/// The gaps of a kind of traffic of a cell, to be compared.
struct Beside<'a> {
    report: &'a Report,
    test: &'a Test,
    cell: &'a CellReport,
    probing: Probing,
}

impl Beside<'_> {
    fn check(&self, each: usize, arrivals: &[Timestamp]) -> Check {
        let interval_ms = self.probing.interval.as_secs_f64() * 1e3;
        let count = each * self.cell.samples.len().max(1);
        let (what, tolerance_ms) = match self.probing.traffic {
            Traffic::Udp => (format!("UDP, {count} cuts: gaps within 2 ms"), TOLERANCE_MS),
            Traffic::Tcp => (
                format!("TCP, {count} cuts: gaps within 2 ms of a packet capture"),
                TOLERANCE_MS,
            ),
            // It is only known that one attempt succeeded and that the next one did not.
            Traffic::Connect => (
                format!(
                    "new connections, {count} cuts: gaps within 2 ms and {interval_ms} ms between two"
                ),
                TOLERANCE_MS + interval_ms,
            ),
        };
        let differences = self.differences_ms(arrivals);
        let within = differences.iter().filter(|ms| ms.abs() <= tolerance_ms);
        let percent = |part: usize| 100.0 * part as f64 / count as f64;
        let found = percent(within.count());
        let least = percent(count.saturating_sub(tolerated(count)));
        let missing = count.saturating_sub(differences.len());
        let verdict = match missing {
            _ if found >= least => Verdict::Passed,
            0 => Verdict::Failed(None),
            _ => Verdict::Failed(Some(format!("{missing} of {count} cuts have no gap"))),
        };
        Check {
            what,
            unit: "%",
            theory: Some(100.0 * (1.0 - OFF_SHARE)),
            found: (!differences.is_empty()).then_some(found),
            allowed: Allowed::AtLeast(least),
            verdict,
            warnings: Vec::new(),
            differences_ms: differences,
        }
    }

    /// The gaps less what they should be, of the cuts that have one.
    fn differences_ms(&self, arrivals: &[Timestamp]) -> Vec<f64> {
        let cuts = cuts(&self.report.marks, &self.test.name);
        let difference = |cut: &Cut| {
            let sample = self
                .cell
                .samples
                .iter()
                .find(|one| one.sample == cut.sample)?;
            let outages = sample.outages.iter();
            let mut outages = outages.filter(|one| one.traffic == self.probing.traffic);
            let gap_ms = near(&self.gaps(&outages.next()?.gaps), cut.offset_s)?;
            let truth_ms = match self.probing.traffic {
                Traffic::Udp | Traffic::Connect => cut.lasted_ms,
                Traffic::Tcp => {
                    let interval_ms = self.probing.interval.as_secs_f64() * 1e3;
                    near(
                        &silences(arrivals, cut.began, interval_ms, SHORTEST_MS),
                        0.0,
                    )?
                }
            };
            Some(gap_ms - truth_ms)
        };
        cuts.iter().filter_map(difference).collect()
    }

    /// The gaps, counted from the go.
    fn gaps(&self, gaps: &Gaps) -> Vec<Stretch> {
        let warmup_s = self.test.timing.warmup.0.as_secs_f64();
        let listed = gaps.listed.iter();
        let stretches = listed.map(|gap| Stretch {
            begin_s: warmup_s + gap.at_us as f64 / 1e6,
            length_ms: gap.length_us as f64 / 1e3,
        });
        stretches.collect()
    }
}

/// Of so many gaps, how many may be off: with [`OFF_SHARE`] of all, more are in [`ALPHA`] of all times (binomial).
fn tolerated(count: usize) -> usize {
    let total = count as f64;
    let mut probability = (1.0 - OFF_SHARE).powf(total);
    let mut at_most = probability;
    let mut off = 0;
    while off < count && 1.0 - at_most > ALPHA {
        probability *= (total - off as f64) / (off as f64 + 1.0) * OFF_SHARE / (1.0 - OFF_SHARE);
        at_most += probability;
        off += 1;
    }
    off
}

/// Differences for people: the median, the range, and how many are within the tolerance.
pub fn describe(differences_ms: &[f64]) -> Option<String> {
    let summary = Summary::from_values(differences_ms.iter().copied())?;
    let within = differences_ms.iter().filter(|ms| ms.abs() <= TOLERANCE_MS);
    Some(format!(
        "off by {:+.2} ms (median), {:+.2} to {:+.2} ms; {} of {} within {TOLERANCE_MS} ms",
        summary.median,
        summary.min,
        summary.max,
        within.count(),
        differences_ms.len()
    ))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::diag::Source;
    use crate::plan;
    use crate::report::CellState;
    use crate::results::Sample;
    use crate::results::mark::{Edge, Mark};
    use crate::schedule::{Params, Schedule, Selection};
    use crate::tools::{Gap, Outages};

    #[test]
    fn few_gaps_may_be_off() {
        // P(X > 2) of 20 at 1 % is 0.10 %, P(X > 1) is 1.7 %; P(X > 5) of 100 is 0.05 %.
        assert_eq!([0, 1, 20, 100].map(tolerated), [0, 1, 2, 5]);
    }

    const PLAN: &str = "\
version: 1
name: cuts
workers: { client: {}, server: { other_node_than: client } }
paths: [{ name: link, from: client, to: server, via: pod_ip }]
tests:
  - name: cuts
    probe: { connect_interval: 5ms }
    during: [{ at: 1s, for: 100ms, cut: [node-1, node-2] }]
local: { nodes: 2 }
";

    /// The checks of a cut of 100 ms, after which each kind has a gap that is longer by this.
    fn checks_of(longer_us: [u64; 3], captured_us: u64) -> Vec<Check> {
        let at = |us| Timestamp::UNIX_EPOCH + Duration::from_micros(us);
        let source = Source::new("cuts.yaml", PLAN);
        let plan = plan::load(source, &[]).unwrap();
        let schedule = Schedule::new(&plan, &Selection::all());
        let mut report = Report::fold([], plan, schedule);
        let mark = |edge, us| Mark {
            test: "cuts".to_owned(),
            variant: None,
            params: Params::default(),
            sample: 1,
            entry: 0,
            edge,
            happened: at(us),
            offset_s: us as f64 / 1e6,
            uncertainty_s: 0.0,
            exit_code: None,
            text: String::new(),
        };
        report.marks = vec![mark(Edge::Begin, 1_000_000), mark(Edge::End, 1_100_000)];
        let cell = &mut report.cells[0];
        let mut sample = Sample::example(&cell.id);
        sample.sample = 1;
        let kinds = [Traffic::Udp, Traffic::Tcp, Traffic::Connect];
        let gap = |longer_us| Gap {
            at_us: 990_000,
            length_us: 100_000 + longer_us,
            connection: None,
            open: false,
        };
        sample.outages = kinds
            .into_iter()
            .zip(longer_us)
            .map(|(traffic, longer_us)| Outages {
                traffic,
                gaps: Gaps {
                    listed: vec![gap(longer_us)],
                    ..Gaps::default()
                },
            })
            .collect();
        cell.state = CellState::Measured;
        cell.samples = vec![sample];
        let arrivals = [999_000, 999_000 + 1_000 + captured_us].map(at);
        outage_checks(&report, &arrivals, None)
    }

    proptest! {
        #[test]
        fn a_gap_passes_within_the_tolerance_of_its_truth(longer in [0_u64..10_000, 0..10_000, 0..10_000], captured in 0_u64..10_000) {
            let checks = checks_of(longer, 100_000 + captured);
            prop_assert_eq!(checks.len(), 3);
            let off = [longer[0], longer[1].abs_diff(captured), longer[2]];
            for ((check, off), allowed) in checks.iter().zip(off).zip([2_000, 2_000, 7_000]) {
                let found = if off <= allowed { 100.0 } else { 0.0 };
                prop_assert_eq!(check.found, Some(found), "{:?}", check);
                prop_assert!((check.differences_ms[0].abs() - off as f64 / 1e3).abs() < 1e-6);
            }
        }
    }

    #[test]
    fn tcp_without_a_capture_is_not_judged() {
        let checks = checks_of([0; 3], 0);
        assert_eq!(checks[1].found, None);
        assert_eq!(checks[0].verdict, Verdict::Passed);
    }
}

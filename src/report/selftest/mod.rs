//! Figures measured on emulated links, compared with theory. Pure.

mod check;
mod document;
mod full_queue;
mod outage_truth;
mod outages;
mod theory;

pub use check::{Allowed, Check, Verdict, counts};
pub use document::document;
pub use outages::outage_checks;
pub use theory::checks;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::diag::Source;
    use crate::output::{selftest_json, terminal};
    use crate::plan;
    use crate::report::{CellReport, CellState, Report, RunState};
    use crate::results::Warning;
    use crate::schedule::{Schedule, Selection};
    use crate::tools::{Cause, Failure, Metrics, name};

    fn text(checks: &[Check], width: usize) -> String {
        terminal::render(&document(checks), width, false)
    }

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
        let schedule = Schedule::new(&plan, &Selection::all());
        Report::fold([], plan, schedule)
    }

    fn sample(cell: &CellReport, figures: &[(&str, f64)]) -> crate::results::Sample {
        let mut metrics = Metrics::default();
        for (name, value) in figures {
            metrics.set(name, *value);
        }
        crate::results::Sample {
            metrics,
            warnings: vec![Warning::CpuSaturated {
                end: crate::results::environment::host_metrics::End::Client,
                busy_percent: 99.0,
            }],
            ..crate::results::Sample::example(&cell.id)
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
            note: String::new(),
        });
        let mut lines = checks(&report, None);
        let reason = "this kernel lacks netem, which delays packets; install \
                      linux-modules-extra, or leave `delay` away";
        lines.extend(checks(&report, Some(reason)).pop());
        for width in [60, 80, 110] {
            let table = text(&lines, width);
            assert!(
                table.lines().all(|line| line.chars().count() <= width),
                "{table}"
            );
        }
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots"));
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| {
            insta::assert_snapshot!("selftest_table", text(&lines, 120));
            insta::assert_snapshot!("selftest_table_narrow", text(&lines, 60));
            insta::assert_snapshot!("selftest_json", selftest_json::render(&lines).unwrap());
        });
    }

    #[test]
    fn without_timestamps_the_whole_mss_is_payload() {
        let mut report = report("");
        measured(&mut report, 1, &goodput(96.43, 1460.0));
        let line = &checks(&report, None)[1];
        assert_eq!(line.verdict, Verdict::Passed, "{line:?}");
        let theory = 100.0 * 1460.0 / 1514.0;
        assert!((line.theory.unwrap() - theory).abs() < 1e-9);
    }

    #[test]
    fn what_nobody_measured_did_not_pass() {
        let lines = checks(&report(""), None);
        // TCP_STREAM is not checked: the plan asks for no MSS.
        assert_eq!(lines.len(), 4);
        assert_eq!(counts(&lines), [0, 4, 0]);
        assert_eq!(counts(&checks(&report(""), Some("no netem"))), [0, 0, 4]);
        let interrupted = Report {
            state: RunState::Cancelled,
            ..report("")
        };
        assert_eq!(counts(&checks(&interrupted, None)), [0, 0, 4]);
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
            let passed = checks(&report, None)[1].verdict == Verdict::Passed;
            prop_assert_eq!(passed, off.abs() < 0.01);
        }

        /// More lost than a right link would, or less, fails; a right share never does.
        #[test]
        fn losses_pass_around_theory(percent in 0.0..100.0_f64) {
            let mut report = report(", loss: 1%");
            measured(&mut report, 2, &losses(percent));
            let line = &checks(&report, None)[2];
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
            let lines = checks(&report, None);
            prop_assert_eq!(lines.len(), 4);
            prop_assert!(!text(&lines, 80).is_empty() && selftest_json::render(&lines).is_ok());
        }
    }
}

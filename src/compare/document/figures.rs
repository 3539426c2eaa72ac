//! How changes, answers and subjects are written.

use crate::compare::{PathVerdict, Subject};
use crate::report::compared_metric as metric;
use crate::report::document::number_format::NumberFormat;
use crate::statistics::judge::{Answer, Scale};

/// A change of a metric: `-5.1 %`, `+0.12 points`, or `+512000 µs`.
#[must_use]
pub fn change(metric: &str, share: f64) -> String {
    match metric::scale(metric) {
        Scale::Log => percent(share),
        Scale::Points => {
            let points = share * 100.0;
            // No `-0.00`.
            let points = if points.abs() < 0.005 { 0.0 } else { points };
            format!("{points:+.2} points")
        }
        Scale::Difference => {
            let sign = if share < 0.0 { "-" } else { "+" };
            format!("{sign}{}", amount(metric, share))
        }
    }
}

/// A difference of a metric in its unit, without the sign: `512000 µs`.
fn amount(metric: &str, value: f64) -> String {
    let format = NumberFormat::headline(metric, &[value]);
    let text = format!("{} {}", format.write(value.abs()), format.unit);
    text.trim_end().to_owned()
}

/// A change as a share of the figure: `-5.1 %`.
pub fn percent(share: f64) -> String {
    let percent = share * 100.0;
    // No `-0.0`.
    let percent = if percent.abs() < 0.005 { 0.0 } else { percent };
    let decimals = if percent.abs() < 9.995 { 2 } else { 1 };
    format!("{percent:+.decimals$} %")
}

/// The size of a change, without the sign.
pub fn size(change: &str) -> &str {
    change.trim_start_matches(['+', '-'])
}

/// A limit, as people write it: `2.5 %`; of a difference in the metric's unit.
pub fn limit_text(metric: &str, share: f64) -> String {
    // Without the digits of a binary fraction.
    let percent = (share * 1e6).round() / 1e4;
    match metric::scale(metric) {
        Scale::Log => format!("{percent} %"),
        Scale::Points => format!("{percent} points"),
        Scale::Difference => amount(metric, share),
    }
}

/// An answer as people read it.
#[must_use]
pub fn answer_text(answer: Answer) -> &'static str {
    match answer {
        Answer::OneRunASide => "undecided (one run a side)",
        other => other.name(),
    }
}

/// `remote-service`, or between different machines `remote-service / remote-pod`.
pub fn path_text(subject: &Subject) -> String {
    match &subject.plain {
        None => subject.path.clone(),
        Some(plain) => format!("{} / {plain}", subject.path),
    }
}

/// `iperf3-tcp on remote-service`, with the metric if it is not throughput.
#[must_use]
pub fn subject_text(subject: &Subject) -> String {
    let of = match &*metric::word(&subject.metric) {
        "throughput" => String::new(),
        word => format!("{word} of "),
    };
    format!("{of}{} on {}", subject.test, path_text(subject))
}

/// Where the rest of a list is.
pub fn more(count: usize) -> String {
    match count {
        0 => String::new(),
        count => format!("; {count} more are in `--format json`"),
    }
}

/// Nothing larger is written; an interval that ends there says that nothing is known.
const MOST_PERCENT: f64 = 99_999.0;

/// The corrected interval in percent, in points, or in the unit of the table: `-7.2..-3.0`. Empty without one.
pub fn interval(verdict: &PathVerdict, format: NumberFormat) -> String {
    let Some((low, high)) = verdict.interval() else {
        return String::new();
    };
    if verdict.question.scale == Scale::Difference {
        let signed = |value| format!("{:+.*}", format.decimals, value / format.divisor);
        return format!("{}..{}", signed(low), signed(high));
    }
    let (low, high) = (low * 100.0, (high * 100.0).min(MOST_PERCENT));
    let decimals = match high - low {
        width if width < 0.2 => 2,
        width if width < 20.0 => 1,
        _ => 0,
    };
    format!("{low:+.decimals$}..{high:+.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_have_a_sign_and_a_unit() {
        assert_eq!(change("throughput_bps", -0.0512), "-5.12 %");
        assert_eq!(change("throughput_bps", 0.4), "+40.0 %");
        assert_eq!(change("throughput_bps", -0.00001), "+0.00 %");
        assert_eq!(change("lost_percent", 0.0012), "+0.12 points");
        assert_eq!(change("outage_us.longest", 512_000.0), "+512000 µs");
        assert_eq!(change("outage_us.longest", 0.0), "+0 µs");
        assert_eq!(change("connections.broken", -1.0), "-1.0");
        assert_eq!(size(&change("throughput_bps", 0.031)), "3.10 %");
        assert_eq!(limit_text("outage_us.longest", 10_000.0), "10000 µs");
    }

    #[test]
    fn a_subject_names_its_metric_unless_it_is_throughput() {
        let mut subject = Subject {
            test: "iperf3-tcp".to_owned(),
            path: "remote-service".to_owned(),
            plain: None,
            metric: "throughput_bps".to_owned(),
        };
        assert_eq!(subject_text(&subject), "iperf3-tcp on remote-service");
        subject.metric = "latency_us.p99".to_owned();
        subject.plain = Some("remote-pod".to_owned());
        assert_eq!(
            subject_text(&subject),
            "latency.p99 of iperf3-tcp on remote-service / remote-pod"
        );
    }
}

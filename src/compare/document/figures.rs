//! How changes, answers and subjects are written.

use crate::compare::{PathVerdict, Subject};
use crate::report::compared_metric as metric;
use crate::statistics::judge::{Answer, Scale};

/// A change: `-5.1 %`, or `+0.12 points`.
#[must_use]
pub fn percent(scale: Scale, share: f64) -> String {
    let percent = share * 100.0;
    // No `-0.0`.
    let percent = if percent.abs() < 0.005 { 0.0 } else { percent };
    let decimals = if percent.abs() < 9.995 { 2 } else { 1 };
    match scale {
        Scale::Log => format!("{percent:+.decimals$} %"),
        Scale::Points => format!("{percent:+.2} points"),
    }
}

/// The size of a change: `5.1 %`, or `0.12 points`.
pub fn size(scale: Scale, share: f64) -> String {
    let signed = percent(scale, share);
    signed.trim_start_matches(['+', '-']).to_owned()
}

/// A limit, as people write it: `2.5 %`.
pub fn limit_text(scale: Scale, share: f64) -> String {
    // Without the digits of a binary fraction.
    let percent = (share * 1e6).round() / 1e4;
    match scale {
        Scale::Log => format!("{percent} %"),
        Scale::Points => format!("{percent} points"),
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

/// The corrected interval in percent, or in points: `-7.2..-3.0`. Empty without one.
pub fn interval(verdict: &PathVerdict) -> String {
    let Some((low, high)) = verdict.interval() else {
        return String::new();
    };
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
        assert_eq!(percent(Scale::Log, -0.0512), "-5.12 %");
        assert_eq!(percent(Scale::Log, 0.4), "+40.0 %");
        assert_eq!(percent(Scale::Log, -0.00001), "+0.00 %");
        assert_eq!(percent(Scale::Points, 0.0012), "+0.12 points");
        assert_eq!(size(Scale::Log, 0.031), "3.10 %");
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

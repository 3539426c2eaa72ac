//! Outputs of odd builds and bad moments, in `tests/data/odd-outputs/`: counters that overflowed,
//! documents among other lines, errors without a message.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use netplan::plan::ToolSpec;
use netplan::results::warnings::{Kind, remove_impossible};
use netplan::results::{Circumstances, Warning};
use netplan::schedule::{Param, Params};
use netplan::tools::{
    self, Cause, Cut, Ended, Failure, How, Job, LARGEST_OUTPUT_BYTES, Metrics, cut_mark, name,
};

use crate::schedule::{iperf3, netperf, timing};
use crate::support::snapshots;
use crate::tools::metrics_text;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/odd-outputs");

/// What becomes of an output: the figures that count, and what was left out.
type Outcome = Result<(Metrics, Vec<Warning>), Failure>;

fn recorded(file: &str) -> Vec<u8> {
    std::fs::read(Path::new(FOLDER).join(file)).unwrap()
}

/// Reads an output as the orchestrator does, for a sample of a second on two cores.
fn outcome(file: &str, stdout: Vec<u8>, streams: u64) -> Outcome {
    let spec = match file.get(..3) {
        Some("tcp") => ToolSpec::BuiltIn(iperf3("tcp")),
        Some("udp") => ToolSpec::BuiltIn(iperf3("udp")),
        _ => ToolSpec::BuiltIn(netperf("TCP_RR")),
    };
    read(&spec, &Ended::new(How::Code(0), stdout, ""), streams)
}

fn read(spec: &ToolSpec, ended: &Ended, streams: u64) -> Outcome {
    let tool = tools::from_spec(spec);
    let (params, timing) = (Params(vec![(Param::Streams, streams)]), timing(0, 1));
    let job = Job {
        params: &params,
        timing: &timing,
        target: "192.0.2.12",
        slot: 0,
    };
    let mut metrics = tool.read(&job, ended)?;
    let about = Circumstances {
        asked_s: 1.0,
        wall_s: 1.05,
        client_cores: 2,
        server_cores: 2,
        ..Circumstances::default()
    };
    let warnings = remove_impossible(tool.headline(), &mut metrics, &about)?;
    Ok((metrics, warnings))
}

/// The metrics that were left out.
fn left_out(warnings: &[Warning]) -> Vec<&str> {
    let metrics = warnings.iter().map(|warning| match warning {
        Warning::ImpossibleFigure { metric, .. } => metric.as_str(),
        other => panic!("{other:?}"),
    });
    metrics.collect()
}

#[test]
fn odd_outputs_are_figures_without_what_cannot_be_or_failures_with_their_cause() {
    let expected: BTreeMap<&str, Result<&[&str], Cause>> = BTreeMap::from([
        ("netperf-rr-no-response.txt", Err(Cause::NoResponse)),
        ("np-rr-base.txt", Ok(&[][..])),
        ("np-rr-comma.txt", Err(Cause::Unparsable)),
        ("np-rr-crlf.txt", Ok(&[])),
        ("np-rr-demo.txt", Ok(&[])),
        (
            "np-rr-disorder.txt",
            Ok(&[
                name::LATENCY_P50_US,
                name::LATENCY_P90_US,
                name::LATENCY_P99_US,
            ]),
        ),
        (
            "np-rr-nan.txt",
            Ok(&[name::LATENCY_MEAN_US, name::LATENCY_P99_US]),
        ),
        ("np-rr-negmean.txt", Ok(&[name::LATENCY_MEAN_US])),
        ("np-rr-sorry.txt", Err(Cause::OptionRefused)),
        ("np-rr-twice.txt", Err(Cause::Unparsable)),
        (
            "np-rr-zero.txt",
            Ok(&[
                name::LATENCY_P50_US,
                name::LATENCY_P90_US,
                name::LATENCY_P99_US,
                name::LATENCY_MEAN_US,
            ]),
        ),
        ("tcp-bytes-u64max.json", Err(Cause::ImpossibleFigure)),
        ("tcp-cpu-overflow.json", Ok(&[name::CPU_PERCENT_SERVER])),
        ("tcp-error-empty.json", Err(Cause::UnexplainedError)),
        ("tcp-error-odd-characters.json", Err(Cause::ToolError)),
        ("tcp-good.json", Ok(&[])),
        ("tcp-retransmits-wrapped.json", Ok(&[name::RETRANSMITS])),
        ("tcp-truncated.json", Err(Cause::Unparsable)),
        ("udp-3.5-no-sum_received.json", Err(Cause::ToolTooOld)),
        ("udp-good.json", Ok(&[])),
        ("udp-jitter-overflow.json", Ok(&[name::JITTER_US])),
        ("udp-nan-in-interval.json", Ok(&[])),
        (
            "udp-received-more-than-sent.json",
            Err(Cause::ImpossibleFigure),
        ),
        ("udp-warning-before.json", Ok(&[])),
    ]);
    let mut files: Vec<String> = std::fs::read_dir(FOLDER)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    assert_eq!(files, expected.keys().copied().collect::<Vec<_>>());
    let mut text = String::new();
    for (file, expected) in expected {
        let outcome = outcome(file, recorded(file), 1);
        let _ = match &outcome {
            Ok((metrics, warnings)) => {
                let warnings: Vec<String> = warnings.iter().map(Warning::figures).collect();
                writeln!(
                    text,
                    "{file}\n    {}\n    {warnings:?}",
                    metrics_text(metrics)
                )
            }
            Err(failure) => writeln!(
                text,
                "{file}\n    {}",
                failure.to_string().replace('\n', " / ")
            ),
        };
        match (&outcome, expected) {
            (Ok((metrics, warnings)), Ok(expected)) => {
                assert_eq!(left_out(warnings), expected, "{file}");
                assert!(expected.iter().all(|name| metrics.get(name).is_none()));
                assert!(
                    warnings
                        .iter()
                        .all(|warning| warning.kind() == Kind::ImpossibleFigure)
                );
            }
            (Err(failure), Err(cause)) => assert_eq!(failure.cause, cause, "{file}"),
            (outcome, expected) => panic!("{file}: {outcome:?}, not {expected:?}"),
        }
    }
    snapshots().bind(|| insta::assert_snapshot!("odd_outputs", text));
}

#[test]
fn text_around_a_document_changes_no_figure() {
    let good = outcome("udp", recorded("udp-good.json"), 1).unwrap().0;
    for file in ["udp-warning-before.json", "udp-nan-in-interval.json"] {
        assert_eq!(outcome(file, recorded(file), 1).unwrap().0, good, "{file}");
    }
    let text = [&recorded("udp-good.json")[..], b"\niperf Done. {bye}\n"].concat();
    assert_eq!(outcome("udp", text, 1).unwrap().0, good);
}

#[test]
fn a_stream_whose_first_datagram_was_lost_is_counted() {
    let open = r#"{"socket": 5}, {"socket": 6}"#;
    let text = format!(
        r#"{{"start": {{"connected": [{open}]}}, "end": {{}},
            "error": "unable to read from stream socket: Resource temporarily unavailable"}}"#
    );
    let failure = outcome("udp", text.into_bytes(), 16).unwrap_err();
    assert_eq!(failure.cause, Cause::FirstDatagramLost);
    assert!(
        failure.words.starts_with("stream 3 of 16 got no answer"),
        "{failure}"
    );
    let advice = failure.cause.explain();
    assert!(
        !advice.contains("timeout") && !advice.contains("network policy"),
        "{advice}"
    );
}

#[test]
fn a_sample_is_not_killed_before_iperf3_tells_of_a_lost_datagram() {
    let deadline = |protocol, duration| {
        let tool = tools::from_spec(&ToolSpec::BuiltIn(iperf3(protocol)));
        tools::deadline(tool.as_ref(), &timing(0, duration)).as_secs()
    };
    assert_eq!(deadline("udp", 2), 40);
    assert_eq!(deadline("udp", 60), 70);
    assert_eq!(deadline("tcp", 2), 12);
}

#[test]
fn an_uncounted_write_does_not_contradict() {
    let document = |sent: u64, received: u64| {
        let text = format!(
            r#"{{"start": {{"connecting_to": {{}}}}, "end": {{
                "sum_sent": {{"seconds": 1, "bytes": {sent}, "bits_per_second": 1e6}},
                "sum_received": {{"seconds": 1, "bytes": {received}, "bits_per_second": 1e6}}}}}}"#
        );
        text.into_bytes()
    };
    let cause = |streams, sent, received| {
        let outcome = outcome("tcp", document(sent, received), streams);
        outcome.err().map(|failure| failure.cause)
    };
    // A slow link, on which each stream was stopped in the middle of a write.
    assert_eq!(cause(1, 1_310_720, 1_310_720 + 65_536), None);
    assert_eq!(cause(4, 1_310_720, 1_310_720 + 4 * 131_072), None);
    let impossible = Some(Cause::ImpossibleFigure);
    assert_eq!(cause(1, 1_310_720, 1_310_720 + 2 * 131_072), impossible);
    assert_eq!(cause(4, 131_072_000, 140_000_000), impossible);
}

/// A document of 128 streams with a report of each for every second, as iperf3 makes without `-i 0`.
fn long_document(seconds: usize) -> Vec<u8> {
    let text = String::from_utf8(recorded("tcp-good.json")).unwrap();
    let (head, rest) = text.split_once("\"streams\": [").unwrap();
    let (stream, rest) = rest.split_once("],\n\t\t\t\"sum\"").unwrap();
    let streams = vec![stream; 128].join(",");
    let interval = format!("{{\"streams\": [{streams}]}},\n");
    let (before, first) = head.split_once("\"intervals\": [").unwrap();
    format!(
        "{before}\"intervals\": [{}{first}\"streams\": [{stream}],\n\t\t\t\"sum\"{rest}",
        interval.repeat(seconds)
    )
    .into_bytes()
}

/// What a worker keeps of an output, written down by hand.
fn cut(text: &[u8]) -> Ended {
    let room = LARGEST_OUTPUT_BYTES / 2;
    let (start, end) = (room / 4, room / 4 * 3);
    let missing = (text.len() - start - end) as u64;
    let mark = cut_mark(missing);
    let kept = [&text[..start], mark.as_bytes(), &text[text.len() - end..]];
    Ended {
        cut: Cut {
            stdout: missing,
            stderr: 0,
        },
        ..Ended::new(How::Code(0), kept.concat(), "")
    }
}

#[test]
fn the_result_of_a_document_larger_than_what_is_kept_is_read() {
    let tcp = ToolSpec::BuiltIn(iperf3("tcp"));
    let document = long_document(420);
    assert!(document.len() > 16 << 20, "{}", document.len());
    assert!(serde_json::from_slice::<serde_json::Value>(&document).is_ok());
    let good = outcome("tcp", recorded("tcp-good.json"), 128).unwrap();
    assert_eq!(read(&tcp, &cut(&document), 128).unwrap(), good);
    // Where not even the result was kept, the words say what is missing.
    let error = [&document[..], b", and so on".repeat(200_000).as_slice()].concat();
    let failure = read(&tcp, &cut(&error), 128).unwrap_err();
    assert_eq!(failure.cause, Cause::Unparsable);
    assert!(
        failure.words.contains("bytes in the middle were not kept"),
        "{failure}"
    );
}

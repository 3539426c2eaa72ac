//! A document of iperf3 → a measurement or a failure.

use jiff::Timestamp;

use super::shape::Shape;
use crate::diag::Problem;
use crate::plan::ToolSpec;
use crate::plan::sweep::Sweep;
use crate::plan::units::Duration;
use crate::results::Warning;
use crate::results::warnings::{Circumstances, find_warnings, remove_impossible};
use crate::tools::{
    Cause, Ended, Failure, How, Job, Metrics, Recording, from_spec, name, read_recording,
};

/// What a document says.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// What is known of the client and its test.
    pub recording: Recording,
    /// What was asked for, and the size; `None` for a test that failed before it began.
    pub(super) test: Option<(Shape, Option<u64>)>,
    pub started: Option<Timestamp>,
    /// Wall time without connecting.
    pub wall_s: f64,
    pub result: Result<(Metrics, Vec<Warning>), Failure>,
}

impl Reading {
    /// Reads a document as netplan reads one of its own samples, with the same limits and warnings. One that is cut off
    /// or that reports an error is a failure.
    ///
    /// # Errors
    /// For what is not a document of iperf3's client, and for tests that netplan does not have.
    pub fn read(bytes: Vec<u8>) -> Result<Reading, Problem> {
        let recording = match read_recording(&bytes) {
            Some(recording) => recording,
            // The beginning of a document that was cut off, or nothing at all.
            None if is_cut(&bytes) => Recording::default(),
            None => {
                return Err(Problem::without_place("not a JSON document of iperf3")
                    .help("netplan reads what `iperf3 -J` prints"));
            }
        };
        if recording.is_server {
            return Err(Problem::without_place("a document of iperf3's server")
                .help("netplan reads those of the client"));
        }
        let started = recording
            .started_s
            .and_then(|seconds| Timestamp::from_second(seconds).ok());
        let ended = Ended::new(How::Code(0), bytes, Vec::new());
        let Some(settings) = &recording.settings else {
            let unknown = Failure::new(
                Cause::Unparsable,
                "the document does not say what was measured",
            );
            let result = measure(&Shape::default(), None, None, &ended).and(Err(unknown));
            return Ok(Reading {
                recording,
                test: None,
                started,
                wall_s: 0.0,
                result,
            });
        };
        let asked = Some(settings.duration_s).filter(|seconds| *seconds > 0);
        let (shape, size) = Shape::from_settings(settings, 0.0)?;
        let result = measure(&shape, size, asked, &ended);
        let elapsed_s = match &result {
            Ok((metrics, _)) => metrics.get(name::ELAPSED_S).unwrap_or_default(),
            Err(_) => 0.0,
        };
        let test = Shape::from_settings(settings, elapsed_s)?;
        Ok(Reading {
            wall_s: elapsed_s + settings.omit_s as f64,
            recording,
            test: Some(test),
            started,
            result,
        })
    }
}

/// Whether the text begins as a JSON document and is not a whole one.
fn is_cut(bytes: &[u8]) -> bool {
    let text = bytes.trim_ascii();
    let parsed: Result<serde::de::IgnoredAny, _> = serde_json::from_slice(text);
    (text.is_empty() || text.starts_with(b"{")) && parsed.is_err_and(|error| error.is_eof())
}

/// The figures and warnings of a document, or its failure. `asked` is the duration in seconds; a test of so many bytes
/// has none, and took as long as it took.
fn measure(
    shape: &Shape,
    size: Option<u64>,
    asked: Option<u64>,
    ended: &Ended,
) -> Result<(Metrics, Vec<Warning>), Failure> {
    let tool = from_spec(&ToolSpec::BuiltIn(shape.tool(size.map(Sweep::One))));
    let params = shape.params(size);
    let mut timing = shape.timing(1);
    timing.duration = Duration(std::time::Duration::from_secs(asked.unwrap_or(0)));
    let job = Job {
        params: &params,
        timing: &timing,
        target: "",
        slot: 0,
    };
    let mut metrics = tool.read(&job, ended)?;
    if shape.is_reverse {
        swap_ends(&mut metrics);
    }
    let elapsed_s = metrics.get(name::ELAPSED_S).unwrap_or_default();
    let warmup_s = timing.warmup.0.as_secs_f64();
    let circumstances = Circumstances {
        asked_s: asked.map_or(elapsed_s, |seconds| seconds as f64),
        wall_s: elapsed_s + warmup_s,
        client_warmup_s: warmup_s,
        server_warmup_s: warmup_s,
        ..Circumstances::default()
    };
    let mut warnings = remove_impossible(tool.headline(), &mut metrics, &circumstances)?;
    warnings.extend(find_warnings(&params, &metrics, &circumstances));
    Ok((metrics, warnings))
}

/// A path goes the way of its traffic, so its client is the end that sends: with `-R` iperf3's server.
fn swap_ends(metrics: &mut Metrics) {
    let [client, server] =
        [name::CPU_PERCENT_CLIENT, name::CPU_PERCENT_SERVER].map(|n| metrics.get(n));
    if let (Some(client), Some(server)) = (client, server) {
        metrics.set(name::CPU_PERCENT_CLIENT, server);
        metrics.set(name::CPU_PERCENT_SERVER, client);
    }
}

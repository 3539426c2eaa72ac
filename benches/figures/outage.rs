//! How far gaps in traffic are from the cuts that cause them, of 100 cuts of up to 20 s.

use std::process::Stdio;

use anyhow::Context as _;

use super::runs::netplan;
use super::table::{Goal, Unit, figure};

/// Milliseconds of the short cuts of a sample, one after the other.
const SHORT: [u64; 8] = [30, 50, 80, 120, 200, 300, 400, 500];
/// How often they are repeated in a sample.
const ROUNDS: u64 = 3;
/// The last cut of a sample.
const LONG_MS: u64 = 20_000;
/// Samples of 24 short cuts and a long one.
const SAMPLES: u64 = 4;
/// Between the begins of two short cuts. A TCP connection resumes within 0.9 s of the begin of a cut of 500 ms.
const APART_MS: u64 = 1_500;
/// After 20 s a TCP connection resumes with its seventh retransmission, 25 s after the begin of the cut.
const RESUMES_MS: u64 = 28_000;

pub fn measure() -> anyhow::Result<()> {
    let mut at_ms = 500;
    let mut entries = Vec::new();
    for _ in 0..ROUNDS {
        for length_ms in SHORT {
            entries.push(entry(at_ms, length_ms));
            at_ms += APART_MS;
        }
    }
    entries.push(entry(at_ms, LONG_MS));
    let lasts_s = (at_ms + RESUMES_MS).div_ceil(1_000);
    let folder = tempfile::TempDir::new()?;
    let mut command = netplan();
    command.args(["selftest", "--only", "outages", "--format", "json"]);
    command.arg(format!("--set=tests.0.during=[{}]", entries.join(", ")));
    command.arg(format!("--set=tests.0.duration={lasts_s}s"));
    command.arg(format!("--set=tests.0.repeat={SAMPLES}"));
    command.arg("--output").arg(folder.path().join("run"));
    command.stdin(Stdio::null()).stderr(Stdio::inherit());
    let output = command.output().context("cannot start netplan")?;
    let document: serde_json::Value = serde_json::from_slice(&output.stdout)
        .with_context(|| format!("`netplan selftest` ended with {}", output.status))?;
    let lines = document["lines"].as_array().context("no lines")?;
    for line in lines {
        let what = line["what"].as_str().context("no name")?;
        let found = line["found"].as_f64().context("no figure")?;
        figure(
            what,
            [found],
            Unit("%", 1),
            Goal::AtLeast(99.0),
            "share of all cuts; 96 cuts of 30 to 500 ms and 4 of 20 s on the local cluster",
        )?;
        let differences = line["differences_ms"].as_array();
        let differences = differences.into_iter().flatten();
        figure(
            &format!("{what}: difference"),
            differences.filter_map(serde_json::Value::as_f64),
            Unit("ms", 2),
            Goal::None,
            "gap less cut, or less the silence in the capture",
        )?;
    }
    Ok(())
}

fn entry(at_ms: u64, length_ms: u64) -> String {
    format!("{{ at: {at_ms}ms, for: {length_ms}ms, cut: [node-1, node-2] }}")
}
